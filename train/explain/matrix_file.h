// A small matrix of numbers, from a text file.
#pragma once

#include <string>

#include "core/tensor.h"

namespace weft::explain {

/// Numbers separated by commas, semicolons or white space, a row a line; empty lines and lines that
/// begin with # are skipped. Shape: (rows, columns), f64. Throws IoError naming file and line:
/// nothing there, a word that is no number, NaN or infinite, above 1e6 in size, rows of different
/// lengths, more than `most_rows` or `most_columns`.
Tensor read_matrix(const std::string& path, std::int64_t most_rows, std::int64_t most_columns);

}  // namespace weft::explain
