#include "train/tasks/recommend/recommend_task.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numbers>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/shape_ops.h"
#include "core/error.h"
#include "data/split.h"
#include "train/metrics/ranking.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalExamples = 1024;

}  // namespace

std::string ClickFacts::to_json() const {
  return nlohmann::ordered_json{{"items", items}, {"categories", categories}, {"users", users}}
      .dump();
}

ClickFacts ClickFacts::from_json(const std::string& text, const std::string& where) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  const auto size = [&](const char* name) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_number_integer();
    const std::int64_t value = there ? json[name].get<std::int64_t>() : 0;
    if (value < 1 || value > 1'000'000'000)
      fail<ConfigError>(where, "{} of the clicks must be a number from 1 to 1000000000", name);
    return value;
  };
  return {.items = size("items"), .categories = size("categories"), .users = size("users")};
}

data::ClickData load_click_data(const RecommendConfig& c) {
  const data::ClickOptions options{
      .history = c.history, .leave_out = c.leave_out, .old_rules = c.format < 3};
  return data::load_clicks(c.data, options,
                           {.users = c.users,
                            .items = c.items,
                            .topics = c.topics,
                            .interests = c.interests,
                            .events = c.events});
}

RecommendTask::RecommendTask(const RecommendConfig& config, data::ClickData data)
    : config_(config),
      data_(std::move(data)),
      facts_{data_.n_item(), data_.n_category(), data_.n_user()},
      model_(recommender_config(config, facts_)),
      fingerprint_(data::hash_text(data_.fingerprint())) {
  if (config.penalty > 0) occurrences_ = data_.occurrences();
}

Tensor RecommendTask::next_loss(BatchRecord& seen) {
  const std::int64_t place = next_ % config_.accumulate;  // among the batches of the step
  const auto [inputs, targets] =
      data_.train_batch(next_++, config_.batch, static_cast<std::uint64_t>(config_.seed));
  seen.add(inputs.size(0), inputs, targets, inputs.size(0));
  const Tensor loss = bce_with_logits(model_(inputs), targets);
  if (config_.penalty == 0) return loss;
  if (config_.accumulate == 1 || config_.format < 3)
    return loss + mul(model_.embedding_penalty(inputs, occurrences_), config_.penalty);
  // The penalty is a sum over the embeddings that the step reads, each once, and no mean over
  // examples: it comes with the last batch, and whole.
  if (place == 0) step_.clear();
  step_.push_back(inputs);
  if (place + 1 < config_.accumulate) return loss;
  const double whole = config_.penalty * static_cast<double>(config_.accumulate);
  return loss + mul(model_.embedding_penalty(cat(step_, 0), occurrences_), whole);
}

double RecommendTask::chance_loss() const { return std::numbers::ln2; }

Evaluation RecommendTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const std::int64_t count = data_.size(split);
  std::vector<double> scores;
  std::vector<bool> clicked;
  std::vector<std::int64_t> users;
  std::vector<double> losses;  // of the test split
  double sum = 0;
  for (std::int64_t begin = 0; begin < count; begin += kEvalExamples) {
    if (!proceed(static_cast<double>(begin) / static_cast<double>(count))) return {};
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = begin; i < std::min(count, begin + kEvalExamples); ++i)
      numbers.push_back(i);
    const auto [inputs, targets] = data_.batch(split, numbers);
    const Tensor logits = model_(inputs);
    sum += bce_with_logits(logits, targets, Reduction::sum).item();
    for (const double score : logits.to_vector<double>()) scores.push_back(score);
    for (const double target : targets.to_vector<double>()) clicked.push_back(target > 0.5);
    for (std::int64_t r = 0; r < inputs.size(0); ++r)
      users.push_back(inputs.data<std::int64_t>()[r * inputs.size(1)]);
    if (split == data::Split::test) {
      const auto now = bce_with_logits(logits, targets, Reduction::none).to_vector<double>();
      losses.insert(losses.end(), now.begin(), now.end());
    }
  }
  Evaluation evaluation{.measured = count};
  evaluation.loss = sum / static_cast<double>(count);
  evaluation.figures = {{"auc", auc(scores, clicked)}};
  // With one event a user left out no user has both a click and none: there is nothing to group.
  const double grouped = grouped_auc(scores, clicked, users);
  if (grouped == grouped) evaluation.figures.emplace_back("gauc", grouped);
  if (split == data::Split::test) {
    evaluation.predictions.columns = {
        {"row", std::vector<double>(users.begin(), users.end())},
        {"score", scores},
        {"clicked", std::vector<double>(clicked.begin(), clicked.end())},
        {"loss", std::move(losses)}};
  }
  return evaluation;
}

}  // namespace weft::train
