// NumPy's .npy and .npz files. Source: numpy.lib.format, versions 1.0 to 3.0.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace weft {

/// Reads a little-endian array of f4, f8, i4, i8, u1 or bool (as u8), in C or Fortran order. Throws
/// IoError for anything else, and where the file does not hold exactly the data that its header
/// promises.
Tensor load_npy(const std::string& path);
/// The same from memory; `where` names the source in messages.
Tensor parse_npy(std::string_view bytes, std::string_view where);

/// Writes `t` in C order, whole or not at all. Throws IoError.
void save_npy(const std::string& path, const Tensor& t);

/// Every array of a file that numpy.savez wrote, by name (without `.npy`). Throws IoError, also for
/// a compressed entry.
std::map<std::string, Tensor> load_npz(const std::string& path);

}  // namespace weft
