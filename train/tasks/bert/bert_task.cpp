#include "train/tasks/bert/bert_task.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "core/math.h"
#include "data/split.h"
#include "train/tasks/common/eval_tokens.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalSequences = 32;
constexpr std::uint64_t kEvalMaskSeed =
    0x5eed;  // of no run: the same tokens are hidden at every evaluation

}  // namespace

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
  }
  Evaluation evaluation{.measured = tokens};
  evaluation.loss = sum / static_cast<double>(std::max<std::int64_t>(hidden, 1));
  evaluation.figures = {{"accuracy", static_cast<double>(right) /
                                         static_cast<double>(std::max<std::int64_t>(hidden, 1))}};
  return evaluation;
}

}  // namespace weft::train
