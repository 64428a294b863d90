// IDX, the format of MNIST and its kin.
#pragma once

#include <string>

#include "core/tensor.h"

namespace weft::data {

/// Reads an IDX file of unsigned bytes, gzipped or not, as a u8 tensor of the shape its header
/// gives. Nothing is allocated before the claim of the header is held against the size of the file
/// (deflate packs at most 1032 : 1), and nothing is read beyond it. Throws IoError: missing, not
/// IDX, another element type or another rank than `rank` (if not -1), a size that does not match,
/// truncated or corrupt gzip. Source: the format's description on the MNIST page of Y. LeCun, C.
/// Cortes and C. Burges.
Tensor read_idx(const std::string& path, int rank = -1);

/// Writes a u8 tensor as an (unpacked) IDX file. Throws IoError, DTypeError.
void write_idx(const std::string& path, const Tensor& tensor);

}  // namespace weft::data
