// FT-Transformer: every single feature is a token.
#pragma once

#include <vector>

#include "nn/block.h"
#include "nn/linear.h"
#include "nn/model.h"

namespace weft::nn {

struct FtTransformerConfig {
  Shape input_shape{8};                ///< of one sample; flattened to N features
  std::vector<std::int64_t> groups{};  ///< how many features, in their order, are one token: a
                                       ///< category's ones and zeros; none: each is its own
  std::int64_t n_class = 1;            ///< outputs
  std::int64_t n_layer = 1;
  std::int64_t n_head = 4;
  std::int64_t n_embd = 32;
  double mlp_ratio = 2;
  Activation activation = Activation::gelu_erf;
  NormKind norm = NormKind::layer;
  double dropout = 0;

  /// Throws ConfigError.
  void validate() const;
  std::int64_t n_feature() const { return input_shape.numel(); }  ///< of a row
  std::int64_t n_column() const {  ///< tokens of a row, but for the class token
    return groups.empty() ? n_feature() : std::ssize(groups);
  }
  std::int64_t hidden_size() const;  ///< of the feed-forward layers
};

/// Feature j becomes the token x_j w_j + b_j with a vector w_j and b_j of its own (a group of
/// features the sum of x_j w_j and one b, so that a category has a vector for each of its values),
/// a class token is put first, pre-norm blocks attend over all N + 1, and the class token is read
/// through a norm, a ReLU and a linear layer. So it is attention across dimensions, at a cost of
/// N^2 where attention over T tokens of F features costs T^2. Parameters: weight (N, C), bias
/// (tokens, C), cls_token (1, 1, C), blocks, norm, head. Source: Gorishniy et al. 2021 (arXiv
/// 2106.11959), section 3.3 and appendix E. (The paper's first block has no first norm, and its
/// activation is ReGLU.)
class FtTransformer : public Model {
 public:
  explicit FtTransformer(const FtTransformerConfig& config);

  /// Shape: (B, input_shape...) -> (B, n_class). Throws: ShapeError.
  Tensor forward(const Tensor& x) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const FtTransformerConfig& config() const { return config_; }  ///< as it was built

 private:
  Tensor tokens(const Tensor& features) const;  ///< (B, N) -> (B, tokens, C)

  FtTransformerConfig config_;
  Parameter weight;
  Parameter bias;
  Parameter cls_token;
  ModuleList<Block> blocks;
  Child<Norm> norm;
  Child<Linear> head;
};

}  // namespace weft::nn
