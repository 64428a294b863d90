#include "nn/models/token_cnn.h"

#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const TokenCnnConfig& checked_token_cnn(const TokenCnnConfig& config) {
  config.validate();
  return config;
}

std::int64_t last_width(const TokenCnnConfig& config) {
  return config.widths.empty() ? config.n_feature : config.widths.back();
}

}  // namespace

void TokenCnnConfig::validate() const {
  const ConfigCheck check("token_cnn");
  check.size("n_token", n_token, kMaxContext);
  check.size("n_feature", n_feature, kMaxWidth);
  check.size("n_class", n_class, kMaxVocabulary);
  if (widths.size() > 64) check.fail(fmt::format("at most 64 convolutions, got {}", widths.size()));
  for (const std::int64_t width : widths) check.size("every entry of widths", width, kMaxWidth);
  if (kernel < 1 || kernel % 2 == 0 || kernel > 255)
    check.fail(fmt::format("kernel must be odd, 1 to 255, got {}", kernel));
  check_fits<TokenCnn>(check, *this);
}

TokenCnn::TokenCnn(const TokenCnnConfig& config)
    : Model("TokenCnn"),
      config_(checked_token_cnn(config)),
      head(*this, "head", config_.n_token * last_width(config_), config_.n_class) {
  std::int64_t in = config_.n_feature;
  for (const std::int64_t width : config_.widths) {
    convs.emplace(in, width, config_.kernel);
    in = width;
  }
}

Tensor TokenCnn::forward(const Tensor& tokens) const {
  const TokenCnnConfig& c = config_;
  if (tokens.rank() != 3 || tokens.size(1) != c.n_token || tokens.size(2) != c.n_feature)
    fail<ShapeError>("token_cnn", "expects (B, {}, {}), got {}", c.n_token, c.n_feature,
                     tokens.shape().str());
  Tensor x = tokens;
  for (std::size_t i = 0; i < convs.size(); ++i) x = relu(convs[i](x));
  return head(reshape(x, {x.size(0), c.n_token * last_width(c)}));
}

Tensor TokenCnn::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.n_token, config_.n_feature}, dtype());
}

std::string TokenCnn::details() const {
  return fmt::format("{} tokens of {}, {} convolutions, kernel {}", config_.n_token,
                     config_.n_feature, config_.widths.size(), config_.kernel);
}

}  // namespace weft::nn
