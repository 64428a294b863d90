// Logistic regression on which words occur: what any reader of texts has to beat.
#pragma once

#include "nn/model.h"

namespace weft::nn {

struct BagOfWordsConfig {
  std::int64_t vocab_size = 0;  ///< must be given
  std::int64_t n_class = 2;
  std::int64_t n_ignored = 4;  ///< ids below this count for nothing: [PAD], [UNK], [CLS], [SEP]

  /// Throws ConfigError.
  void validate() const;
};

/// logits = bias + sum of the weights of all words that occur, once each, however often and
/// wherever they stand. Weights start at zero. Parameters: weight (V, n_class), bias (n_class,).
/// Source: the multinomial logit model; for texts Joachims 1998 (ECML), section 2.
class BagOfWords : public Model {
 public:
  explicit BagOfWords(const BagOfWordsConfig& config);

  /// Shape: ids (B, T) -> (B, n_class). Throws: ShapeError, IndexError.
  Tensor forward(const Tensor& ids) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const BagOfWordsConfig& config() const { return config_; }  ///< as it was built

 private:
  BagOfWordsConfig config_;
  Parameter weight;
  Parameter bias;
};

}  // namespace weft::nn
