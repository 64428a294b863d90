#include "train/tasks/sequence/sequence_task.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "core/error.h"
#include "core/math.h"
#include "data/split.h"
#include "train/tasks/common/add_predictions.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalTokensAtOnce = 8192;

}  // namespace

data::SequenceOptions sequence_options(const SequenceConfig& c) {
  return {.rule = data::sequence_rule(c.data),
          .symbols = c.symbols,
          .length = c.length,
          .pairs = c.pairs,
          .modulus = c.modulus,
          .train_fraction = c.train_fraction,
          .held_out = c.held_out,
          .fresh_test = c.fresh_test,
          .seed = static_cast<std::uint64_t>(c.seed)};
}

SequenceTask::SequenceTask(const SequenceConfig& config)
    : config_(config),
      data_(sequence_options(config)),
      solver_(model_of(config).build(config, data_)) {}

std::string SequenceTask::fingerprint() const {
  const auto [inputs, targets] = data_.eval_batches(data::Split::validation, 64)[0];
  return data::hash_text(data::batch_hash(inputs, targets));
}

void SequenceTask::answer_one_row() const {
  const Tensor row = Tensor::zeros({1, data_.length()}, DType::i64);
  solver_.answer({row, row});
}

Tensor SequenceTask::next_loss(BatchRecord& seen) {
  const data::SequenceBatch batch = data_.train_batch(next_++, config_.batch);
  seen.add(batch.inputs.numel(), batch.inputs, batch.targets, count_targets(batch.targets));
  const Answers answers = solver_.answer(batch);
  return cross_entropy(
      answers.logits, answers.targets,
      {.label_smoothing = config_.label_smoothing, .ignore_index = data::kIgnoreIndex});
}

double SequenceTask::chance_loss() const {
  return math::log(static_cast<double>(data_.vocab_size()));
}

Evaluation SequenceTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const auto batches = data_.eval_batches(
      split, std::clamp<std::int64_t>(kEvalTokensAtOnce / data_.length(), 1, 4096));
  double sum = 0, right = 0, exact = 0;
  std::int64_t done = 0;
  Predictions predictions;
  for (const auto& batch : batches) {
    if (!proceed(static_cast<double>(done++) / static_cast<double>(batches.size()))) break;
    const auto [logits, targets] = solver_.answer(batch);
    sum += cross_entropy(logits, targets,
                         {.ignore_index = data::kIgnoreIndex, .reduction = Reduction::sum})
               .item();
    const auto guesses = argmax(logits).to_vector<std::int64_t>(),
               truths = targets.to_vector<std::int64_t>();
    const std::size_t width = static_cast<std::size_t>(targets.size(1));
    for (std::size_t row = 0; row < truths.size(); row += width) {
      std::int64_t wrong = 0;
      for (std::size_t i = row; i < row + width; ++i) {
        if (truths[i] == data::kIgnoreIndex) continue;
        if (guesses[i] == truths[i])
          right += 1;
        else
          ++wrong;
      }
      if (wrong == 0) exact += 1;
      if (split == data::Split::test) predictions["exact"].push_back(wrong == 0 ? 1 : 0);
    }
    if (split == data::Split::test) add_token_losses(predictions, logits, targets);
  }
  const double rows = static_cast<double>(data_.size(split)),
               asked = rows * static_cast<double>(data_.asked());
  Evaluation evaluation{.measured = data_.size(split) * data_.length()};
  evaluation.loss = sum / asked;
  evaluation.figures = {{"accuracy", right / asked}, {"exact", exact / rows}};
  evaluation.predictions = std::move(predictions);
  return evaluation;
}

}  // namespace weft::train
