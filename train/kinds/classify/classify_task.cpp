#include "train/kinds/classify/classify_task.h"

#include <fmt/format.h>

#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "core/phase.h"
#include "train/ranking.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalTexts = 64;

std::uint64_t fingerprint_of(const ClassifyData& data) {
  std::uint64_t hash = data.encoder.fingerprint();
  for (const auto& labels : data.labels) hash = data::batch_hash(Tensor::from(labels, {static_cast<std::int64_t>(labels.size())}), Tensor(), hash);
  return hash;
}

}  // namespace

ClassifyData load_classify_data(const ClassifyConfig& c, std::shared_ptr<const data::WordTokenizer> tokenizer) {
  const bool old_rules = c.format < 3;  // F1 of the rarest label, however many there are
  const data::LabelledData labelled = data::load_labelled(c.data, {.old_rules = old_rules});
  const Phase phase("cutting {} into tokens", labelled.source());
  ClassifyData result;
  result.classes = labelled.classes();
  result.positive = c.positive.empty() ? labelled.rarest() : labelled.label_of(c.positive);
  result.f1 = old_rules || result.classes.size() == 2 || !c.positive.empty();
  result.macro_f1 = !old_rules && result.classes.size() > 2;
  result.encoder.notes = labelled.notes();
  result.encoder.tokenizer = tokenizer ? std::move(tokenizer) : make_tokenizer(c, labelled.joined(data::Split::train), labelled.source());
  EncoderData::Cut cut;
  for (const auto split : {data::Split::train, data::Split::validation, data::Split::test}) {
    result.encoder.add(split, labelled.examples(split), c.context, labelled.source(), cut);
    for (const data::LabelledText& example : labelled.examples(split)) {
      result.labels[static_cast<int>(split)].push_back(example.label);
      if (split == data::Split::train) result.bytes.push_back(static_cast<std::int32_t>(std::min<std::size_t>(example.text.size(), 1 << 30)));
    }
  }
  result.encoder.note_cut(cut, c.context, labelled.source());
  return result;
}

ClassifyTask::ClassifyTask(const ClassifyConfig& config, ClassifyData data, const nn::Bert* pretrained)
    : config_(config), data_(std::move(data)),
      model_(build_classifier(config, data_.encoder.tokenizer->vocab_size(), static_cast<std::int64_t>(data_.classes.size()))),
      bert_(dynamic_cast<const nn::Bert*>(model_.get())),
      order_(data_.bytes, config.batch, static_cast<std::uint64_t>(config.seed)), fingerprint_(fmt::format("{:016x}", fingerprint_of(data_))) {
  if (pretrained != nullptr) take_encoder(dynamic_cast<nn::Bert&>(*model_), *pretrained);
}

Tensor ClassifyTask::next_loss(Seen& seen) {
  const std::int64_t k = next_++;
  const auto& rows = order_.batch(k);
  const Tensor ids = data::pad(data_.encoder.sequences[0], rows);
  std::vector<std::int64_t> labels;
  for (const std::int64_t row : rows) labels.push_back(data_.labels[0][static_cast<std::size_t>(row)]);
  const Tensor targets = Tensor::from(labels, {ids.size(0)});
  seen.add(ids.size(0), Tensor::from(rows, {ids.size(0)}), targets);  // which texts: how they are cut into tokens, or hidden, is the model's
  if (k < config_.pretrain * config_.accumulate) {
    const data::MaskedBatch batch = mask_batch(config_, *data_.encoder.tokenizer, ids, static_cast<std::uint64_t>(config_.seed), k);
    return masked_loss(*bert_, batch);
  }
  return cross_entropy((*model_)(ids), targets, {.label_smoothing = config_.label_smoothing});
}

Evaluation ClassifyTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const auto& sequences = data_.encoder.sequences[static_cast<int>(split)];
  const auto& labels = data_.labels[static_cast<int>(split)];
  const auto count = static_cast<std::int64_t>(sequences.size());
  double sum = 0, right = 0;
  std::vector<std::int64_t> guesses;
  for (std::int64_t begin = 0; begin < count; begin += kEvalTexts) {
    if (!proceed(static_cast<double>(begin) / static_cast<double>(count))) return {};
    std::vector<std::int64_t> rows, truths;
    for (std::int64_t r = begin; r < std::min(count, begin + kEvalTexts); ++r) {
      rows.push_back(r);
      truths.push_back(labels[static_cast<std::size_t>(r)]);
    }
    const Tensor logits = (*model_)(data::pad(sequences, rows));
    sum += cross_entropy(logits, Tensor::from(truths, {logits.size(0)}), {.reduction = Reduction::sum}).item();
    for (const std::int64_t guess : argmax(logits).to_vector<std::int64_t>()) guesses.push_back(guess);
  }
  for (std::size_t i = 0; i < guesses.size(); ++i) right += guesses[i] == labels[i] ? 1 : 0;
  Evaluation evaluation;
  evaluation.loss = sum / static_cast<double>(count);
  evaluation.figures = {{"accuracy", right / static_cast<double>(count)}};
  if (data_.f1) evaluation.figures.emplace_back("f1", f1_score(guesses, labels, data_.positive));
  if (data_.macro_f1)
    evaluation.figures.emplace_back("macro_f1",
                                    macro_f1_score(guesses, labels, std::ssize(data_.classes)));
  return evaluation;
}

}  // namespace weft::train
