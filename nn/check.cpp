#include "nn/check.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "core/storage.h"

namespace weft::nn {

void ConfigCheck::size(std::string_view field, std::int64_t value, std::int64_t most) const {
  if (value < 1 || value > most)
    weft::fail<ConfigError>(where_, "{} must be 1 to {}, got {}", field, most, value);
}

void ConfigCheck::probability(std::string_view field, double value) const {
  if (!(value >= 0 && value < 1))
    weft::fail<ConfigError>(where_, "{} must be at least 0 and below 1, got {}", field, value);
}

void ConfigCheck::above_zero(std::string_view field, double value) const {
  if (!(value > 0) || !std::isfinite(value))
    weft::fail<ConfigError>(where_, "{} must be finite and above 0, got {}", field, value);
}

void ConfigCheck::at_least_zero(std::string_view field, double value) const {
  if (!(value >= 0) || !std::isfinite(value))
    weft::fail<ConfigError>(where_, "{} must be finite and at least 0, got {}", field, value);
}

void ConfigCheck::heads(std::int64_t n_embd, std::int64_t n_head, std::int64_t n_kv_head,
                        std::int64_t head_size, Positions positions) const {
  size("n_head", n_head, kMaxWidth);
  if (head_size != 0) size("head_size", head_size, kMaxWidth);
  if (head_size == 0 && n_embd % n_head != 0) {
    const std::int64_t below = n_embd / n_head * n_head;
    const std::string mend =
        below > 0 ? fmt::format("{} or {}", below, below + n_head) : fmt::format("{}", n_head);
    weft::fail<ConfigError>(where_, "n_embd {} is not divisible by n_head {}; use {}", n_embd,
                            n_head, mend);
  }
  if (n_kv_head < 0 || (n_kv_head > 0 && n_head % n_kv_head != 0)) {
    std::vector<std::int64_t> divisors;
    for (std::int64_t d = 1; d <= n_head && divisors.size() < 12; ++d)
      if (n_head % d == 0) divisors.push_back(d);
    weft::fail<ConfigError>(where_, "n_head {} is not divisible by n_kv_head {}; use one of {}",
                            n_head, n_kv_head, fmt::join(divisors, ", "));
  }
  const std::int64_t resolved = head_size > 0 ? head_size : n_embd / n_head;
  if (positions == Positions::rope && resolved % 2 != 0)
    weft::fail<ConfigError>(
        where_,
        "rope rotates pairs of features and needs an even head size, got {}; set head_size {}",
        resolved, resolved + 1);
}

void ConfigCheck::feed_forward(std::int64_t n_embd, double mlp_ratio) const {
  above_zero("mlp_ratio", mlp_ratio);
  const double hidden = mlp_ratio * static_cast<double>(n_embd);
  if (hidden < 0.5 || hidden > static_cast<double>(kMaxWidth))
    weft::fail<ConfigError>(where_,
                            "mlp_ratio {} times n_embd {} must give a hidden size of 1 to {}",
                            mlp_ratio, n_embd, kMaxWidth);
}

void ConfigCheck::memory(std::int64_t parameters, double bytes) const {
  constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
  const double limit = static_cast<double>(memory_limit());
  if (limit > 0 && bytes > limit)
    weft::fail<ConfigError>(where_,
                            "{:.3g} parameters need {:.3g} GiB, and memory allows {:.3g} GiB; use "
                            "fewer or narrower layers",
                            static_cast<double>(parameters), bytes / kGiB, limit / kGiB);
}

void check_logits(std::string_view where, std::span<const double> logits) {
  for (const double value : logits)
    if (std::isnan(value) || value == INFINITY)
      weft::fail<NumericError>(where, "the model's logits hold a NaN or an infinity");
}

}  // namespace weft::nn
