#include "train/tasks/bert/fill_in.h"

#include <algorithm>

#include "autograd/autograd.h"
#include "autograd/ops/softmax.h"
#include "core/error.h"
#include "nn/check.h"
#include "train/tasks/common/encoder.h"

namespace weft::train {

std::vector<std::vector<Filling>> fill_in(const PretrainedEncoder& run, const std::string& text,
                                          std::int64_t count) {
  // The places to fill are cut out before the words are: `[MASK]` is no word of any text.
  std::vector<std::int64_t> ids{data::kClassId};
  std::vector<std::int64_t> places;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t found = std::string::npos, length = 0;
    for (const std::string sign : {"[MASK]", "___"}) {
      const auto at = text.find(sign, begin);
      if (at < found) found = at, length = sign.size();
    }
    const auto part = run.tokenizer->encode(
        std::string_view(text).substr(begin, std::min(found, text.size()) - begin), "predict");
    ids.insert(ids.end(), part.begin(), part.end());
    if (found == std::string::npos) break;
    places.push_back(static_cast<std::int64_t>(ids.size()));
    ids.push_back(data::kMaskId);
    begin = found + length;
  }
  ids.push_back(data::kSeparatorId);
  if (places.empty())
    fail<ConfigError>("predict",
                      "there is nothing to fill in: write [MASK] or ___ where a word is missing");
  const auto length = static_cast<std::int64_t>(ids.size());
  if (length > run.config.context)
    fail<ConfigError>(
        "predict",
        "the text has {} tokens with [CLS] and [SEP], the model reads {}: make it shorter", length,
        run.config.context);
  const NoGrad no_grad;
  const Tensor hidden = run.model->encode(Tensor::from(ids, {1, length}));
  const Tensor at = Tensor::from(places, {static_cast<std::int64_t>(places.size())});
  const Tensor logits = run.model->predict_tokens(hidden, at);
  nn::check_logits("predict", logits.to_vector<double>());  // what has no order is not ranked
  const Tensor probabilities = softmax(logits);
  std::vector<std::vector<Filling>> answers;
  for (std::int64_t p = 0; p < probabilities.size(0); ++p) {
    std::vector<Filling> answer;
    for (std::int64_t id = data::kSpecialIds; id < probabilities.size(1); ++id)
      answer.push_back(
          {run.tokenizer->token(id),
           static_cast<double>(probabilities.data<float>()[p * probabilities.size(1) + id])});
    std::stable_sort(answer.begin(), answer.end(), [](const Filling& a, const Filling& b) {
      return a.probability > b.probability;
    });
    answer.resize(
        std::min(answer.size(), static_cast<std::size_t>(std::max<std::int64_t>(count, 1))));
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace weft::train
