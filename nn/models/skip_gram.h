// Skip-gram with negative sampling: word embeddings.
#pragma once

#include "nn/embedding.h"
#include "nn/model.h"

namespace weft::nn {

struct SkipGramConfig {
  std::int64_t vocab_size = 0;  ///< must be given
  std::int64_t n_embd = 64;

  /// Throws ConfigError.
  void validate() const;
};

/// Scores v'_o . v_c of a center word c with its context and with noise words. Parameters:
/// input.weight (V, C), the embeddings v, from +-1 / (2 C); output.weight (V, C), the v', from
/// zero. Source: Mikolov et al. 2013 (arXiv 1310.4546), eq. 4; the start: its published code.
class SkipGram : public Model {
 public:
  explicit SkipGram(const SkipGramConfig& config);

  /// Shape: ids (B, 2 + k): center, context, k noise words -> scores (B, 1 + k). Throws:
  /// ShapeError, IndexError.
  Tensor forward(const Tensor& ids) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;
  /// The embeddings, (V, C).
  const Tensor& table() const { return input->weight.get(); }

  const SkipGramConfig& config() const { return config_; }  ///< as it was built

 private:
  SkipGramConfig config_;
  Child<Embedding> input;
  Child<Embedding> output;
};

/// -log s(score of the context) - sum log s(-score of each noise word), mean over the batch: eq. 4
/// with its sign turned. Shape: scores (B, 1 + k) -> ().
Tensor negative_sampling_loss(const Tensor& scores);

}  // namespace weft::nn
