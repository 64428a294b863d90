// Tokens: a model with one output, which is the logit of a class or a number.
#pragma once

#include <memory>
#include <string>

#include "train/loop/trainer.h"
#include "train/tasks/tokens/tokens_model.h"

namespace weft::train {

class TokensTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  TokensTask(const TokensConfig& config, data::TokenData data);

  nn::Module& model() override { return *model_; }
  std::string unit() const override { return "rows"; }
  void start(std::int64_t number) override { next_ = number; }
  /// Binary cross-entropy, or the squared error of targets that were brought to mean 0 and
  /// deviation 1 (over the training split).
  Tensor next_loss(BatchRecord& seen) override;
  /// accuracy of classes; of numbers mse, in the target's own units, and r2 (of the split's own
  /// mean; absent where all its targets are one number).
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  double chance_loss() const override;
  std::string data_json() const override;
  std::string fingerprint() const override;

 private:
  /// Entries of a batch of the test split; guesses as the model gives them.
  void add_numbers(Predictions& predictions, const std::vector<double>& guesses,
                   const std::vector<double>& truths) const;
  Tensor outputs(const Tensor& tokens) const;  ///< (B,)
  Tensor loss(const Tensor& outputs, const Tensor& targets, bool training) const;

  TokensConfig config_;
  data::TokenData data_;
  RowFacts rows_;
  std::unique_ptr<nn::Model> model_;
  std::int64_t next_ = 0;
};

}  // namespace weft::train
