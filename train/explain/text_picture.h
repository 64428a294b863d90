// Matrices as text: aligned on a terminal whatever the script of the names, beside one another, as
// numbers or as a picture of blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace weft::explain {

/// Columns that a terminal gives to a text: 2 for wide characters such as Chinese ones, 0 for
/// combining marks.
int display_width(std::string_view utf8);
/// `text` with blanks up to `width` columns, at its end or (right) before it.
std::string padded(std::string_view text, int width, bool right = false);
/// One character as something that can be seen: a blank as ␣, a line break as ⏎, other control
/// characters as U+0007.
std::string visible(std::string_view character);

/// A matrix with its names. Shape: values (R, C), f64.
struct NamedMatrix {
  std::string title;
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  Tensor values;
  double zero_below = 0;  ///< shown as 0
};

/// How one matrix writes its numbers: as few decimals as say them exactly, at most three.
class NumberFormat {
 public:
  explicit NumberFormat(const NamedMatrix& matrix);
  std::string operator()(double value) const;

 private:
  int decimals_ = 3;
  double zero_below_;
};

/// Lines of text, all of one width.
using Block = std::vector<std::string>;

Block number_block(const NamedMatrix& matrix);
/// Sizes as shades: · for zero, then ░▒▓█ by quarters of the largest. Rows and columns stand in
/// groups of `group`.
Block heat_block(const NamedMatrix& matrix, std::int64_t group);
/// Blocks from left to right, a new row of them where `width` ends.
std::string beside(const std::vector<Block>& blocks, int width = 100);
/// A paragraph in lines of at most `width` columns.
std::string wrapped(std::string_view text, int width = 100);

}  // namespace weft::explain
