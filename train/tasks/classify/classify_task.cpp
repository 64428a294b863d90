#include "train/tasks/classify/classify_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "core/error.h"
#include "core/math.h"
#include "core/phase.h"
#include "data/split.h"
#include "train/metrics/ranking.h"
#include "train/tasks/common/add_predictions.h"
#include "train/tasks/common/eval_tokens.h"
#include "train/tasks/common/whole_data.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalTexts = 64;

std::uint64_t fingerprint_of(const ClassifyData& data) {
  std::uint64_t hash = data.encoder.fingerprint();
  for (const auto& labels : data.labels)
    hash = data::batch_hash(Tensor::from(labels, {static_cast<std::int64_t>(labels.size())}),
                            Tensor(), hash);
  return hash;
}

}  // namespace

ClassifyData load_classify_data(const ClassifyConfig& c,
                                std::shared_ptr<const data::WordTokenizer> tokenizer, bool whole) {
  const bool old_rules = c.format < 3;  // F1 of the rarest label, however many there are
  const data::LabeledData labeled =
      data::load_labeled(c.data, {.whole = whole, .old_rules = old_rules});
  const Phase phase("tokenizing {}", labeled.source());
  ClassifyData result;
  result.classes = labeled.classes();
  result.positive = c.positive.empty() || whole ? labeled.rarest() : labeled.label_of(c.positive);
  result.f1 = old_rules || result.classes.size() == 2 || !c.positive.empty();
  result.macro_f1 = !old_rules && result.classes.size() > 2;
  result.encoder.notes = labeled.notes();
  result.encoder.tokenizer =
      tokenizer ? std::move(tokenizer)
                : make_tokenizer(c, labeled.joined(data::Split::train), labeled.source());
  EncoderData::Cut cut;
  for (const auto split : {data::Split::train, data::Split::validation, data::Split::test}) {
    result.encoder.add(split, labeled.examples(split), c.context, labeled.source(), cut);
    for (const data::LabeledText& example : labeled.examples(split)) {
      result.labels[static_cast<int>(split)].push_back(example.label);
      if (split == data::Split::train)
        result.bytes.push_back(
            static_cast<std::int32_t>(std::min<std::size_t>(example.text.size(), 1 << 30)));
    }
  }
  result.encoder.note_cut(cut, c.context, labeled.source());
  if (whole) {
    join_splits(result.encoder.sequences);
    join_splits(result.labels);
    result.bytes.assign(result.labels[0].size(), 1);
  }
  return result;
}

void take_classes(ClassifyData& data, const std::vector<std::string>& classes,
                  const ClassifyConfig& config) {
  std::vector<std::int64_t> number;
  for (const std::string& name : data.classes) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end())
      fail<ConfigError>("eval", "the run has no class {}: its classes are {}", name,
                        fmt::join(classes, ", "));
    number.push_back(found - classes.begin());
  }
  for (auto& labels : data.labels)
    for (std::int64_t& label : labels) label = number[static_cast<std::size_t>(label)];
  const auto wanted = std::find(classes.begin(), classes.end(), config.positive);
  data.positive = wanted != classes.end() ? wanted - classes.begin()
                                          : number[static_cast<std::size_t>(data.positive)];
  data.classes = classes;
  const bool old_rules = config.format < 3;
  data.f1 = old_rules || classes.size() == 2 || !config.positive.empty();
  data.macro_f1 = !old_rules && classes.size() > 2;
}

ClassifyTask::ClassifyTask(const ClassifyConfig& config, ClassifyData data,
                           const nn::Bert* pretrained)
    : config_(config),
      data_(std::move(data)),
      model_(build_classifier(config, data_.encoder.tokenizer->vocab_size(),
                              static_cast<std::int64_t>(data_.classes.size()))),
      bert_(dynamic_cast<const nn::Bert*>(model_.get())),
      order_(data_.bytes, config.batch, static_cast<std::uint64_t>(config.seed)),
      sample_(sample_of(data::lengths_of(data_.encoder.sequences[1]),
                        std::max<std::int64_t>(0, config.eval_tokens))),
      fingerprint_(data::hash_text(fingerprint_of(data_))) {
  if (pretrained != nullptr) take_encoder(dynamic_cast<nn::Bert&>(*model_), *pretrained);
}

Tensor ClassifyTask::next_loss(BatchRecord& seen) {
  const std::int64_t k = next_++;
  const auto& rows = order_.batch(k);
  const Tensor ids = data::pad(data_.encoder.sequences[0], rows);
  std::vector<std::int64_t> labels;
  for (const std::int64_t row : rows)
    labels.push_back(data_.labels[0][static_cast<std::size_t>(row)]);
  const Tensor targets = Tensor::from(labels, {ids.size(0)});
  // Which texts: how they are cut into tokens, or hidden, is the model's.
  const auto add = [&](std::int64_t counted) {
    seen.add(ids.size(0), Tensor::from(rows, {ids.size(0)}), targets, counted);
  };
  if (k < config_.pretrain * config_.accumulate) {
    const data::MaskedBatch batch = mask_batch(config_, *data_.encoder.tokenizer, ids,
                                               static_cast<std::uint64_t>(config_.seed), k);
    add(count_targets(batch.targets));
    return masked_loss(*bert_, batch);
  }
  add(ids.size(0));
  return cross_entropy((*model_)(ids), targets, {.label_smoothing = config_.label_smoothing});
}

Evaluation ClassifyTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const auto count = std::ssize(data_.labels[static_cast<int>(split)]);
  return measure(split, evenly_spaced_indices(count, count), proceed);
}

double ClassifyTask::chance_loss() const {
  return math::log(static_cast<double>(data_.classes.size()));
}

Evaluation ClassifyTask::measure(data::Split split, const std::vector<std::int64_t>& chosen,
                                 const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const auto& sequences = data_.encoder.sequences[static_cast<int>(split)];
  const auto& labels = data_.labels[static_cast<int>(split)];
  const auto count = std::ssize(chosen);
  double sum = 0, right = 0;
  std::vector<std::int64_t> guesses, truths;
  Predictions predictions;
  for (std::int64_t begin = 0; begin < count; begin += kEvalTexts) {
    if (!proceed(static_cast<double>(begin) / static_cast<double>(count))) return {};
    const std::vector<std::int64_t> rows(chosen.begin() + begin,
                                         chosen.begin() + std::min(count, begin + kEvalTexts));
    std::vector<std::int64_t> here;
    for (const std::int64_t row : rows) here.push_back(labels[static_cast<std::size_t>(row)]);
    const Tensor logits = (*model_)(data::pad(sequences, rows)),
                 labels_here = Tensor::from(here, {logits.size(0)});
    sum += cross_entropy(logits, labels_here, {.reduction = Reduction::sum}).item();
    const auto now = argmax(logits).to_vector<std::int64_t>();
    guesses.insert(guesses.end(), now.begin(), now.end());
    if (split == data::Split::test) add_classes(predictions, logits, labels_here, now);
    truths.insert(truths.end(), here.begin(), here.end());
  }
  for (std::size_t i = 0; i < guesses.size(); ++i) right += guesses[i] == truths[i] ? 1 : 0;
  Evaluation evaluation{.measured = count};
  evaluation.loss = sum / static_cast<double>(count);
  evaluation.figures = {{"accuracy", right / static_cast<double>(count)}};
  if (data_.f1) evaluation.figures.emplace_back("f1", f1_score(guesses, truths, data_.positive));
  if (data_.macro_f1)
    evaluation.figures.emplace_back("macro_f1",
                                    macro_f1_score(guesses, truths, std::ssize(data_.classes)));
  if (!predictions.empty() && data_.f1)
    predictions["positive"].assign(guesses.size(), static_cast<double>(data_.positive));
  evaluation.predictions = std::move(predictions);
  return evaluation;
}

}  // namespace weft::train
