// Numbers without a pattern that repeats soon.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace weft::kernels {

inline std::vector<float> waves(std::int64_t count, int salt) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(std::sin(static_cast<float>(i % 1009 * 7 + salt * 13)));
  return values;
}

}  // namespace weft::kernels
