#include "train/tasks/bert/bert_task.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "core/math.h"
#include "data/split.h"
#include "train/tasks/common/eval_tokens.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalSequences = 32;
constexpr std::uint64_t kEvalMaskSeed =
    0x5eed;  // of no run: the same tokens are hidden at every evaluation

}  // namespace

/// An entry a sequence, of its hidden tokens.
void BertTask::add_masked(Predictions& predictions, const data::MaskedBatch& batch) const {
  const std::int64_t wide = batch.targets.size(1);
  const auto targets = batch.targets.to_vector<std::int64_t>();
  std::vector<std::int64_t> positions, truths;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] == data::kIgnoreIndex) continue;
    positions.push_back(static_cast<std::int64_t>(i));
    truths.push_back(targets[i]);
  }
  const Tensor index = Tensor::from(positions, {std::ssize(positions)}),
               logits = model_.predict_tokens(model_.encode(batch.inputs), index);
  const auto losses =
      cross_entropy(logits, Tensor::from(truths, index.shape()), {.reduction = Reduction::none})
          .to_vector<double>();
  const auto guesses = argmax(logits).to_vector<std::int64_t>();
  const std::size_t first = predictions["row"].size();
  for (std::int64_t row = 0; row < batch.targets.size(0); ++row) {
    predictions["row"].push_back(static_cast<double>(first) + static_cast<double>(row));
    for (const char* name : {"loss", "count", "right"}) predictions[name].push_back(0);
  }
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const std::size_t row = first + static_cast<std::size_t>(positions[i] / wide);
    predictions["loss"][row] += losses[i];
    predictions["count"][row] += 1;
    predictions["right"][row] += guesses[i] == truths[i] ? 1 : 0;
  }
}

BertTask::BertTask(const BertRunConfig& config, EncoderData data)
    : config_(config),
      data_(std::move(data)),
      model_(bert_config(config, data_.tokenizer->vocab_size(), 0, true)),
      order_(data::lengths_of(data_.sequences[0]), config.batch,
             static_cast<std::uint64_t>(config.seed)),
      sample_(sample_of(data::lengths_of(data_.sequences[1]),
                        std::max<std::int64_t>(0, config.eval_tokens))),
      fingerprint_(data::hash_text(data_.fingerprint())) {}

Tensor BertTask::next_loss(BatchRecord& seen) {
  const Tensor ids = data::pad(data_.sequences[0], order_.batch(next_));
  const data::MaskedBatch batch =
      mask_batch(config_, *data_.tokenizer, ids, static_cast<std::uint64_t>(config_.seed), next_++);
  seen.add(ids.numel(), batch.inputs, batch.targets, count_targets(batch.targets));
  return masked_loss(model_, batch);
}

Evaluation BertTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const auto count = std::ssize(data_.sequences[static_cast<int>(split)]);
  return measure(split, evenly_spaced_indices(count, count), proceed);
}

double BertTask::chance_loss() const {
  return math::log(static_cast<double>(data_.tokenizer->vocab_size()));
}

Evaluation BertTask::measure(data::Split split, const std::vector<std::int64_t>& chosen,
                             const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const auto& sequences = data_.sequences[static_cast<int>(split)];
  const auto count = std::ssize(chosen);
  double sum = 0;
  std::int64_t right = 0, hidden = 0, tokens = 0;
  Predictions predictions;
  for (std::int64_t begin = 0; begin < count; begin += kEvalSequences) {
    if (!proceed(static_cast<double>(begin) / static_cast<double>(count))) break;
    const std::vector<std::int64_t> rows(chosen.begin() + begin,
                                         chosen.begin() + std::min(count, begin + kEvalSequences));
    const data::MaskedBatch batch =
        mask_batch(config_, *data_.tokenizer, data::pad(sequences, rows), kEvalMaskSeed, begin);
    hidden += count_targets(batch.targets);
    for (const std::int64_t row : rows)
      tokens += std::ssize(sequences[static_cast<std::size_t>(row)]);
    sum += masked_loss(model_, batch, true, &right).item();
    if (split == data::Split::test) add_masked(predictions, batch);
  }
  Evaluation evaluation{.measured = tokens};
  evaluation.loss = sum / static_cast<double>(std::max<std::int64_t>(hidden, 1));
  evaluation.figures = {{"accuracy", static_cast<double>(right) /
                                         static_cast<double>(std::max<std::int64_t>(hidden, 1))}};
  evaluation.predictions = std::move(predictions);
  return evaluation;
}

}  // namespace weft::train
