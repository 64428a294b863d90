// Matrices as HTML tables whose cells are shaded by their numbers: blue above zero, orange below
// (colors that all eyes tell apart), by opacity, so that they look right on light and dark paper.
#pragma once

#include <string>

#include "train/explain/text_picture.h"

namespace weft::explain {

/// `rgb(... / opacity)` of a value from -1 to 1.
std::string heat_color(double share);
/// A table with a caption; shades are shares of its largest number.
std::string matrix_table(const NamedMatrix& matrix);

}  // namespace weft::explain
