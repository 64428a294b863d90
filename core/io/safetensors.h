// Tensors in a file, in the safetensors format: an 8-byte little-endian length, a JSON header of
// that length, the elements one tensor after another. Source: huggingface/safetensors, "Format".
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace weft {

/// Tensors by name, in file order, and free text by key.
struct TensorFile {
  std::vector<std::pair<std::string, Tensor>> tensors{};
  std::map<std::string, std::string> metadata{};
  bool checked =
      false;  ///< as it was read: its header had a checksum. Files of other programs have none

  /// Undefined when there is none of that name.
  Tensor find(const std::string& name) const;
};

/// Writes the file whole or not at all. Dtypes: F32 F64 I32 I64 U8. Any layout; written row-major.
/// Throws: IoError when it cannot be written or two tensors share a name.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

/// Reads a file and checks all of it: the header's length and JSON, dtypes, that offsets lie
/// inside, neither overlap nor leave holes, that every size is its shape's, and the checksums of
/// the elements and of the header, if there are any. Throws: IoError naming the file and what is
/// wrong with it; MemoryError.
TensorFile read_safetensors(const std::filesystem::path& path);

/// Without the tensors: what a run is, without loading it. The same checks, but for the elements.
TensorFile read_safetensors_header(const std::filesystem::path& path);

}  // namespace weft
