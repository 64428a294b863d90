#include "nn/positions.h"

#include <cmath>
#include <cstdlib>

namespace weft::nn {

Tensor sinusoidal_positions(std::int64_t n, std::int64_t n_embd, DType dtype) {
  const Tensor table = Tensor::empty({n, n_embd}, DType::f64);
  double* const values = table.data<double>();
  for (std::int64_t t = 0; t < n; ++t)
    for (std::int64_t c = 0; c < n_embd; ++c) {
      const double angle = static_cast<double>(t) * std::pow(10000.0, -static_cast<double>(c / 2 * 2) / static_cast<double>(n_embd));
      values[t * n_embd + c] = c % 2 ? std::cos(angle) : std::sin(angle);
    }
  return raw::cast(table, dtype);
}

std::vector<double> alibi_slopes(std::int64_t n_head) {
  std::int64_t power = 1;
  while (power * 2 <= n_head) power *= 2;
  std::vector<double> slopes;
  for (std::int64_t h = 1; h <= power; ++h) slopes.push_back(std::exp2(-8.0 * static_cast<double>(h) / static_cast<double>(power)));
  for (std::int64_t h = 1; static_cast<std::int64_t>(slopes.size()) < n_head; h += 2)
    slopes.push_back(std::exp2(-4.0 * static_cast<double>(h) / static_cast<double>(power)));
  return slopes;
}

Tensor alibi_bias(std::int64_t n_head, std::int64_t queries, std::int64_t keys, DType dtype) {
  const std::vector<double> slopes = alibi_slopes(n_head);
  const Tensor bias = Tensor::empty({1, n_head, queries, keys}, DType::f64);
  double* out = bias.data<double>();
  for (std::int64_t h = 0; h < n_head; ++h)
    for (std::int64_t i = 0; i < queries; ++i)
      for (std::int64_t j = 0; j < keys; ++j) *out++ = -slopes[static_cast<std::size_t>(h)] * static_cast<double>(std::abs(i + keys - queries - j));
  return raw::cast(bias, dtype);
}

}  // namespace weft::nn
