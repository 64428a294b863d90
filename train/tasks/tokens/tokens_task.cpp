#include "train/tasks/tokens/tokens_task.h"

#include <fmt/format.h>

#include <numbers>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/shape_ops.h"
#include "data/split.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalRows = 500;  // a batch of an evaluation

}  // namespace

TokensTask::TokensTask(const TokensConfig& config, data::TokenData data)
    : config_(config),
      data_(std::move(data)),
      rows_(rows_of(config, data_.tokens_per_row(), data_.features())),
      model_(build_model(config, rows_)) {}

std::string TokensTask::data_json() const {
  return fmt::format(
      R"({{"tokens":{},"features":{},"binary":{},"target_mean":{},"target_std":{}}})",
      data_.tokens_per_row(), data_.features(), data_.binary(), data_.target_statistics().mean,
      data_.target_statistics().std);
}

std::string TokensTask::fingerprint() const {
  std::uint64_t hash =
      data::batch_hash(data_.tokens(data::Split::train), data_.targets(data::Split::train));
  if (config_.format >= 3) {  // before, a change of what is only measured on was not noticed
    for (const auto split : {data::Split::validation, data::Split::test})
      hash = data::batch_hash(data_.tokens(split), data_.targets(split), hash);
  }
  return data::hash_text(hash);
}

Tensor TokensTask::outputs(const Tensor& tokens) const {
  const Tensor out = (*model_)(config_.model.as<RowOptions>().one_token
                                   ? reshape(tokens, {tokens.size(0), rows_.tokens, rows_.features})
                                   : tokens);
  return reshape(out, {tokens.size(0)});
}

Tensor TokensTask::loss(const Tensor& outputs, const Tensor& targets, bool training) const {
  if (data_.binary()) {
    const double smoothing = training ? config_.label_smoothing : 0;
    return bce_with_logits(outputs,
                           smoothing > 0 ? targets * (1 - smoothing) + 0.5 * smoothing : targets);
  }
  const data::MeanStd& of = data_.target_statistics();
  const Tensor scaled = (targets - of.mean) * (1 / of.std);  // the bits of runs that are resumed
  return mse_loss(outputs,
                  scaled.dtype() == outputs.dtype() ? scaled : raw::cast(scaled, outputs.dtype()));
}

Tensor TokensTask::next_loss(BatchRecord& seen) {
  const auto [tokens, targets] = data_.train_batch(
      next_++, {.batch = config_.batch, .seed = static_cast<std::uint64_t>(config_.seed)});
  seen.add(targets.numel(), tokens, targets, targets.numel());
  return loss(outputs(tokens), targets, true);
}

/// Of numbers, that are brought to deviation 1, the mean has a squared error of 1.
double TokensTask::chance_loss() const { return data_.binary() ? std::numbers::ln2 : 1; }

Evaluation TokensTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const auto batches = data_.eval_batches(split, kEvalRows);
  const data::MeanStd& of = data_.target_statistics();
  double loss_sum = 0, right = 0, errors = 0, sum = 0, squares = 0;
  std::int64_t done = 0;
  Predictions predictions;
  for (const auto& [tokens, targets] : batches) {
    if (!proceed(static_cast<double>(done++) / static_cast<double>(batches.size()))) break;
    const Tensor out = outputs(tokens);
    loss_sum += loss(out, targets, false).item() * static_cast<double>(targets.numel());
    const auto guesses = out.to_vector<double>(), truths = targets.to_vector<double>();
    for (std::size_t i = 0; i < truths.size(); ++i) {
      const double error = guesses[i] * of.std + of.mean - truths[i],
                   centered = truths[i] - of.mean;
      right += (guesses[i] > 0) == (truths[i] > 0.5) ? 1 : 0;
      errors += error * error;
      sum += centered;
      squares += centered * centered;
    }
    if (split == data::Split::test) add_numbers(predictions, guesses, truths);
  }
  const double count = static_cast<double>(data_.size(split));
  Evaluation evaluation{.measured = data_.size(split)};
  evaluation.loss = loss_sum / count;
  if (data_.binary()) {
    evaluation.figures = {{"accuracy", right / count}};
  } else {
    evaluation.figures = {{"mse", errors / count}};
    const double spread = squares - sum * sum / count;  // around the split's own mean
    if (spread > 0) evaluation.figures.emplace_back("r2", 1 - errors / spread);
  }
  evaluation.predictions = std::move(predictions);
  return evaluation;
}

void TokensTask::add_numbers(Predictions& predictions, const std::vector<double>& guesses,
                             const std::vector<double>& truths) const {
  const data::MeanStd& of = data_.target_statistics();
  for (std::size_t i = 0; i < truths.size(); ++i) {
    const double guess = guesses[i] * of.std + of.mean;
    predictions["row"].push_back(static_cast<double>(predictions["truth"].size()));
    predictions["truth"].push_back(truths[i]);
    predictions["guess"].push_back(data_.binary() ? (guesses[i] > 0 ? 1 : 0) : guess);
    if (data_.binary()) {
      predictions["score"].push_back(guesses[i]);
      predictions["right"].push_back((guesses[i] > 0) == (truths[i] > 0.5) ? 1 : 0);
    }
  }
}

}  // namespace weft::train
