#include "train/tasks/common/add_predictions.h"

#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "data/split.h"

namespace weft::train {

void add_classes(Predictions& predictions, const Tensor& logits, const Tensor& truths,
                 const std::vector<std::int64_t>& guesses) {
  const std::vector<double> losses =
      cross_entropy(logits, truths, {.reduction = Reduction::none}).to_vector<double>();
  const auto labels = truths.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    predictions["row"].push_back(static_cast<double>(predictions["truth"].size()));
    predictions["truth"].push_back(static_cast<double>(labels[i]));
    predictions["guess"].push_back(static_cast<double>(guesses[i]));
    predictions["right"].push_back(guesses[i] == labels[i] ? 1 : 0);
    predictions["loss"].push_back(losses[i]);
  }
}

void add_token_losses(Predictions& predictions, const Tensor& logits, const Tensor& targets) {
  const std::vector<double> losses =
      cross_entropy(logits, targets,
                    {.ignore_index = data::kIgnoreIndex, .reduction = Reduction::none})
          .to_vector<double>();
  const auto guesses = argmax(logits).to_vector<std::int64_t>(),
             truths = targets.to_vector<std::int64_t>();
  const auto wide = static_cast<std::size_t>(targets.size(-1));
  for (std::size_t begin = 0; begin < truths.size(); begin += wide) {
    double loss = 0, count = 0, right = 0;
    for (std::size_t i = begin; i < begin + wide; ++i) {
      if (truths[i] == data::kIgnoreIndex) continue;
      loss += losses[i];
      count += 1;
      right += guesses[i] == truths[i] ? 1 : 0;
    }
    predictions["row"].push_back(static_cast<double>(predictions["loss"].size()));
    predictions["loss"].push_back(loss);
    predictions["count"].push_back(count);
    predictions["right"].push_back(right);
  }
}

}  // namespace weft::train
