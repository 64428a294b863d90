// Checks that configurations share: each says the field, its value and what it may be. Not for users.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "nn/options.h"

namespace weft::nn {

constexpr std::int64_t kMaxLayers = 10000;
constexpr std::int64_t kMaxWidth = std::int64_t{1} << 20;
constexpr std::int64_t kMaxContext = std::int64_t{1} << 24;
constexpr std::int64_t kMaxVocabulary = std::int64_t{1} << 28;
constexpr std::int64_t kMaxImage = 65536;

/// All throw ConfigError `[where] ...`.
class ConfigCheck {
 public:
  explicit ConfigCheck(std::string_view where) : where_(where) {}

  [[noreturn]] void fail(const std::string& message) const { weft::fail<ConfigError>(where_, "{}", message); }
  /// 1 <= value <= most.
  void size(std::string_view field, std::int64_t value, std::int64_t most) const;
  /// 0 <= value < 1.
  void probability(std::string_view field, double value) const;
  /// Finite and above 0.
  void above_zero(std::string_view field, double value) const;
  /// Finite and at least 0.
  void at_least_zero(std::string_view field, double value) const;
  /// Head counts and sizes against each other and n_embd; rope needs an even head size.
  void heads(std::int64_t n_embd, std::int64_t n_head, std::int64_t n_kv_head, std::int64_t head_size, Positions positions) const;
  /// mlp_ratio against n_embd.
  void feed_forward(std::int64_t n_embd, double mlp_ratio) const;
  /// f32 parameters against the memory there is.
  void memory(double parameters) const;

 private:
  std::string where_;
};

/// Parameters of one transformer block; C is GptConfig or VitConfig.
template <class C>
double block_parameter_count(const C& config) {
  const auto width = static_cast<double>(config.n_embd), hidden = static_cast<double>(config.hidden_size());
  const auto heads = static_cast<double>(config.n_head), kv_heads = static_cast<double>(config.resolved_kv_heads());
  const auto head_size = static_cast<double>(config.resolved_head_size());
  const double qkv = (heads + 2 * kv_heads) * head_size, fc = hidden * (config.activation == Activation::swiglu ? 2 : 1);
  const double matrices = width * qkv + heads * head_size * width + width * fc + hidden * width;
  return matrices + (config.bias ? qkv + width + fc + width : 0) + 2 * norm_parameter_count(config);
}

template <class C>
double norm_parameter_count(const C& config) {
  if (!config.norm_weight) return 0;
  return static_cast<double>(config.n_embd) * (config.norm == NormKind::layer && config.bias ? 2 : 1);
}

}  // namespace weft::nn
