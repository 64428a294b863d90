// Predicting clicks.
#pragma once

#include <string>
#include <vector>

#include "data/recommend/clicks.h"
#include "train/loop/trainer.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/recommend/recommend_model.h"

namespace weft::train {

/// Throws ConfigError, IoError.
data::ClickData load_click_data(const RecommendConfig& config);

class RecommendTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  RecommendTask(const RecommendConfig& config, data::ClickData data);

  nn::Recommender& model() override { return model_; }
  std::string unit() const override { return "examples"; }
  void start(std::int64_t number) override { next_ = number; }
  /// Binary cross-entropy, and the penalty on the embeddings that the batch reads.
  Tensor next_loss(BatchRecord& seen) override;
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  double chance_loss() const override;
  std::string data_json() const override { return facts_.to_json(); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  RecommendConfig config_;
  data::ClickData data_;
  ClickFacts facts_;
  nn::Recommender model_;
  std::vector<Tensor> occurrences_;
  std::vector<Tensor> step_;  ///< inputs of the step's batches so far, where several make one
  std::string fingerprint_;
  std::int64_t next_ = 0;
};

}  // namespace weft::train
