// `weft bench ulps`: how far each op's f32 result is from the exact one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::bench {

/// The worst of an op of single elements, over the whole range of floats: denormals, infinities and
/// NaN too.
struct ElementAccuracy {
  std::string name;
  std::int64_t tried = 0;  ///< floats, or pairs of them
  double worst_ulp = 0;  ///< units in the last place of the exact result; infinite where one is NaN
                         ///< or infinite and the other is not
  std::string worst_at;  ///< the operands
  double bound_ulp = 0;  ///< what is promised
  double floor = 0;      ///< below it, an error counts in units of the last place of `floor`
};

/// An op at its benchmark's size, f32 against f64: the largest error in units in the last place of
/// the largest element of the result (or a thousandth of the operands, where that is more: a sum
/// may cancel), or of a gradient.
struct ArrayAccuracy {
  std::string name;
  std::string label;
  double value_ulp = 0;
  double gradient_ulp = -1;  ///< the worst of all gradients; -1: it has none
};

/// Of all ops of one or two operands whose name holds `pattern`. Every `stride`-th float is tried
/// (1: all of them, which takes minutes).
std::vector<ElementAccuracy> measure_elements(const std::string& pattern, std::uint64_t stride);
/// Of all ops whose name holds `pattern`.
std::vector<ArrayAccuracy> measure_arrays(const std::string& pattern);

bool within_bounds(const std::vector<ElementAccuracy>& elements);
std::string to_table(const std::vector<ElementAccuracy>& elements,
                     const std::vector<ArrayAccuracy>& arrays);
std::string to_json(const std::vector<ElementAccuracy>& elements,
                    const std::vector<ArrayAccuracy>& arrays);

}  // namespace weft::bench
