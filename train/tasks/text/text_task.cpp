#include "train/tasks/text/text_task.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "core/math.h"
#include "train/tasks/common/add_predictions.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/text/text_model.h"
#include "train/tasks/text/text_run.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalTokens = 4096;                   // a batch of an evaluation, at most
constexpr std::int64_t kEvalLogits = std::int64_t{1} << 22;  // that it makes, at most

}  // namespace

TextTask::TextTask(const TextConfig& config, data::TextData data)
    : config_(config),
      data_(std::move(data)),
      model_(build_model(config, data_.vocab_size())),
      fingerprint_(fingerprint_of(data_)) {}

Tensor TextTask::next_loss(BatchRecord& seen) {
  const data::TextBatchOptions options{.batch = config_.batch,
                                       .block_size = config_.context,
                                       .steps = config_.steps * config_.accumulate,
                                       .seed = static_cast<std::uint64_t>(config_.seed)};
  const auto [inputs, targets] = data_.train_batch(next_++, options);
  seen.add(inputs.numel(), inputs, targets, inputs.numel());
  return cross_entropy(
      (*model_)(inputs), targets,
      {.label_smoothing = config_.label_smoothing, .ignore_index = data::kIgnoreIndex});
}

Evaluation TextTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  return evaluate_text(*model_, data_, split, proceed);
}

Evaluation TextTask::evaluate_sample(const std::function<bool(double)>& proceed) {
  return evaluate_text(*model_, data_, data::Split::validation, proceed,
                       samples() ? config_.eval_tokens : 0);
}

double TextTask::chance_loss() const { return math::log(static_cast<double>(data_.vocab_size())); }

Evaluation evaluate_text(const nn::LanguageModel& model, const data::TextData& data,
                         data::Split split, const std::function<bool(double)>& proceed,
                         std::int64_t most) {
  const NoGrad no_grad;
  const std::int64_t context = model.context();
  const std::int64_t rows = std::clamp<std::int64_t>(
      std::min(kEvalTokens, kEvalLogits / data.vocab_size()) / context, 1, 1024);
  const auto batches = data.eval_batches(split, rows, context, most);
  double sum = 0;
  std::int64_t done = 0, count = 0, bytes = 0;
  Predictions predictions;
  for (const auto& [inputs, targets] : batches) {
    if (!proceed(static_cast<double>(done) / static_cast<double>(batches.size()))) break;
    const Tensor logits = model(inputs);
    sum += cross_entropy(logits, targets,
                         {.ignore_index = data::kIgnoreIndex, .reduction = Reduction::sum})
               .item();
    if (split == data::Split::test) {
      add_token_losses(predictions, logits, targets);
      for (std::int64_t row = 0; row < targets.size(0); ++row)
        predictions["bytes"].push_back(
            static_cast<double>(data.bytes_of(raw::slice(targets, 0, row, row + 1))));
    }
    ++done;
    if (most > 0) {
      count += count_targets(targets);
      bytes += data.bytes_of(targets);
    }
  }
  if (most == 0) count = data.eval_tokens(split);
  const double per_token = most > 0 ? static_cast<double>(bytes) / static_cast<double>(count)
                                    : data.bytes_per_token(split);
  Evaluation evaluation{.measured = count};
  evaluation.loss = sum / static_cast<double>(count);
  evaluation.figures = {{"bits_per_byte", evaluation.loss / (std::numbers::ln2 * per_token)}};
  evaluation.predictions = std::move(predictions);
  return evaluation;
}

}  // namespace weft::train
