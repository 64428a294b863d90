#include "train/tasks/recommend/recommend_run.h"

#include "data/split.h"

namespace weft::train {

RecommendRun::RecommendRun(const RunFacts& run)
    : LoadedRun(run),
      config_(config_from_json<RecommendConfig>(run.config_json, run.checkpoint.string())),
      model_(std::make_unique<nn::Recommender>(recommender_config(
          config_, ClickFacts::from_json(run.facts.data, run.checkpoint.string())))) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

data::ClickData RecommendRun::clicks() const {
  data::ClickData clicks = load_click_data(config_);
  check_unchanged(data::hash_text(clicks.fingerprint()), run().facts, config_.data);
  return clicks;
}

ClickHistory::Look RecommendRun::look(const Tensor& inputs) const {
  const Tensor weights = model_->history_weights(inputs);
  return {.weights = weights, .logits = (*model_)(inputs)};
}

}  // namespace weft::train
