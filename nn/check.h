// Checks that configurations share: each says the field, its value and what it may be. Not for
// users.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/shape_only.h"
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

  [[noreturn]] void fail(const std::string& message) const {
    weft::fail<ConfigError>(where_, "{}", message);
  }
  /// 1 <= value <= most.
  void size(std::string_view field, std::int64_t value, std::int64_t most) const;
  /// 0 <= value < 1.
  void probability(std::string_view field, double value) const;
  /// Finite and above 0.
  void above_zero(std::string_view field, double value) const;
  /// Finite and at least 0.
  void at_least_zero(std::string_view field, double value) const;
  /// Head counts and sizes against each other and n_embd; rope needs an even head size.
  void heads(std::int64_t n_embd, std::int64_t n_head, std::int64_t n_kv_head,
             std::int64_t head_size, Positions positions) const;
  /// mlp_ratio against n_embd.
  void feed_forward(std::int64_t n_embd, double mlp_ratio) const;
  /// Bytes of a model's tensors against the memory there is.
  void memory(std::int64_t parameters, double bytes) const;

 private:
  std::string where_;
};

/// Throws ConfigError where the parameters and tables of such a model are more than memory there
/// is: builds it under ShapeOnly to ask it, however large it is. Under ShapeOnly everything fits.
template <class Model, class Config>
void check_fits(const ConfigCheck& check, const Config& config) {
  if (shape_only()) return;
  const ShapeOnly shapes;
  const double before = ShapeOnly::held();
  const Model model(config);
  check.memory(model.num_parameters(), ShapeOnly::held() - before);
}

/// Throws NumericError `[where] ...` where a token cannot be chosen by them: a NaN or +infinity.
/// (-infinity rules a token out.)
void check_logits(std::string_view where, std::span<const double> logits);

}  // namespace weft::nn
