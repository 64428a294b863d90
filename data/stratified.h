// Which examples are held out, where an example has a class.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace weft::data {

/// `count` of the N examples whose classes are `labels` (u8 (N,)), in ascending order. Each class
/// gives as large a share as any other (to within one example, largest remainders first), drawn in
/// one fixed order that depends on nothing but the numbers of its examples: neither the order of
/// the classes in the file nor the seed of a run changes a figure's meaning. A class keeps at least
/// one example for the rest as long as the others can make up for it. Throws ConfigError for a
/// count outside 0 .. N, DTypeError, ShapeError.
std::vector<std::int64_t> draw_by_class(const Tensor& labels, std::int64_t count);

}  // namespace weft::data
