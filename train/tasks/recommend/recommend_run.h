// A recommend run that is used: what it looks at in a history.
#pragma once

#include <memory>
#include <string>

#include "train/tasks/common/click_uses.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/recommend/recommend_task.h"

namespace weft::train {

class RecommendRun final : public LoadedRun, public ClickHistory {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit RecommendRun(const RunFacts& run);

  nn::Description layers() const override { return nn::describe(*model_); }
  std::string model_name() const override { return config_.model.name(); }
  std::string learned_from() const override { return config_.data; }
  std::int64_t history() const override { return config_.history; }
  data::ClickData clicks() const override;
  Look look(const Tensor& inputs) const override;
  std::int64_t topic_of(std::int64_t item) const override {
    return config_.data == "clicks" ? (item - 1) % config_.topics : -1;
  }

 private:
  RecommendConfig config_;
  std::unique_ptr<nn::Recommender> model_;  ///< in evaluation mode
};

}  // namespace weft::train
