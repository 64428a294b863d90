// Convolutional network over sequences of real-valued tokens.
#pragma once

#include <vector>

#include "nn/conv1d.h"
#include "nn/linear.h"
#include "nn/model.h"

namespace weft::nn {

struct TokenCnnConfig {
  std::int64_t n_token = 4;                  ///< T
  std::int64_t n_feature = 8;                ///< F, the channels of the first convolution
  std::vector<std::int64_t> widths{32, 32};  ///< output channels of each convolution
  std::int64_t kernel = 3;                   ///< tokens seen at once, odd
  std::int64_t n_class = 1;                  ///< outputs

  /// Throws ConfigError.
  void validate() const;
};

/// Convolutions over time with ReLU, and a linear read-out of all tokens and channels.
/// Source: Kim 2014, "Convolutional Neural Networks for Sentence Classification" (arXiv 1408.5882),
/// without its maximum over time, which would forget the places.
class TokenCnn : public Model {
 public:
  explicit TokenCnn(const TokenCnnConfig& config);

  /// Shape: (B, T, F) -> (B, n_class). Throws: ShapeError.
  Tensor forward(const Tensor& tokens) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const TokenCnnConfig& config() const { return config_; }  ///< as it was built

 private:
  TokenCnnConfig config_;
  ModuleList<Conv1d> convs{*this, "convs"};
  Child<Linear> head;
};

}  // namespace weft::nn
