#include "train/tasks/common/eval_tokens.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace weft::train {

std::vector<std::int64_t> evenly_spaced_indices(std::int64_t count, std::int64_t chosen) {
  const std::int64_t all = std::min(count, chosen);
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(all));
  // Quotient and remainder apart: count * all may be beyond 64 bits.
  for (std::int64_t i = 0; i < all; ++i)
    numbers[static_cast<std::size_t>(i)] = count / all * i + count % all * i / all;
  return numbers;
}

std::vector<std::int64_t> sample_of(const std::vector<std::int32_t>& tokens,
                                    std::int64_t eval_tokens) {
  const auto count = static_cast<std::int64_t>(tokens.size());
  const std::int64_t there = std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0});
  if (eval_tokens == 0 || eval_tokens >= there) return evenly_spaced_indices(count, count);
  // As many as hold that many tokens if all are of mean length: at least one.
  const double share = static_cast<double>(eval_tokens) / static_cast<double>(there);
  const std::int64_t chosen = std::llround(share * static_cast<double>(count));
  return evenly_spaced_indices(count, std::max<std::int64_t>(1, chosen));
}

}  // namespace weft::train
