#include "train/tasks/embedding/embedding_task.h"

#include <algorithm>
#include <numbers>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"
#include "core/storage.h"
#include "data/find_data_set.h"
#include "data/split.h"
#include "data/text/word_tokenizer.h"
#include "train/config/block_options.h"
#include "train/metrics/neighbors.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {
namespace {

constexpr double kEmbeddingTrainFraction = 0.9;
constexpr std::int64_t kMaxEmbeddingTextBytes = std::int64_t{1} << 31;
constexpr std::int64_t kEvalBatches = 20, kEvalPairs = 1000;
constexpr std::uint64_t kEvalPairSeed = 0x5eed;  // of no run: every evaluation sees the same pairs

}  // namespace

EmbeddingData load_embedding_data(const EmbeddingConfig& c, const Known& known) {
  EmbeddingData result;
  std::string text, where = c.data;
  data::SynonymCorpus corpus;
  if (c.data == "synonyms") {
    corpus = data::planted_synonyms();
    text = corpus.text;
  } else {
    where = data::find_data_set(c.data);
    text = read_file(where, std::min(kMaxEmbeddingTextBytes, memory_limit()));
  }
  const Phase phase("tokenizing {} and making pairs", where);
  std::int64_t unknown = -1;
  if (!known.data.empty()) {
    result.tokenizer = data::tokenizer_from_json(known.data);
    if (c.tokenizer != "chars") unknown = data::kUnknownId;
  } else if (c.tokenizer == "chars") {
    result.tokenizer =
        std::make_shared<data::CharTokenizer>(data::CharTokenizer::of_text(text, where));
  } else {
    result.tokenizer = data::WordTokenizer::of_text(text,
                                                    {.vocab_size = c.vocabulary,
                                                     .min_count = c.min_count,
                                                     .lowercase = c.lowercase,
                                                     .pieces = false},
                                                    where);
    unknown = data::kUnknownId;
  }
  const std::vector<std::int64_t> all = result.tokenizer->encode(text, where);
  const std::vector<std::int32_t> ids(all.begin(), all.end());
  const auto first =
      known.whole
          ? 0
          : static_cast<std::ptrdiff_t>(kEmbeddingTrainFraction * static_cast<double>(ids.size()));
  const auto cut = known.whole ? std::ssize(ids) : first;  // whole: both have all
  const auto end =
      known.whole
          ? std::ssize(ids)
          : std::ssize(ids) - static_cast<std::ptrdiff_t>(
                                  c.test_share * static_cast<double>(std::ssize(ids) - first));
  const data::SkipGramOptions options{
      .window = c.window, .negatives = c.negatives, .subsample = c.subsample, .ignore = unknown};
  const std::int64_t vocabulary = result.tokenizer->vocab_size();
  result.train = std::make_unique<data::SkipGramPairs>(
      std::vector<std::int32_t>(ids.begin(), ids.begin() + cut), vocabulary, options);
  result.validation = std::make_unique<data::SkipGramPairs>(
      std::vector<std::int32_t>(ids.begin() + first, ids.begin() + end), vocabulary, options);
  if (end < std::ssize(ids))
    result.test = std::make_unique<data::SkipGramPairs>(
        std::vector<std::int32_t>(ids.begin() + end, ids.end()), vocabulary, options);
  for (const auto& [a, b] : corpus.synonyms) {
    const auto first = result.tokenizer->encode(a), second = result.tokenizer->encode(b);
    if (first.size() == 1 && second.size() == 1 && first[0] != unknown && second[0] != unknown)
      result.synonyms[0].emplace_back(first[0], second[0]);
  }
  // Which synonyms are found is asked of the vectors, whatever the split: each split asks for its
  // own, so that what is chosen by one is judged by the other.
  if (result.test) {
    auto& all = result.synonyms[0];
    const auto kept = std::ssize(all) -
                      static_cast<std::ptrdiff_t>(c.test_share * static_cast<double>(all.size()));
    result.synonyms[1].assign(all.begin() + kept, all.end());
    all.resize(static_cast<std::size_t>(kept));
  }
  result.fingerprint =
      data::batch_hash(Tensor::from(ids, {static_cast<std::int64_t>(ids.size())}), Tensor());
  return result;
}

EmbeddingTask::EmbeddingTask(const EmbeddingConfig& config, EmbeddingData data)
    : config_(config),
      data_(std::move(data)),
      model_({.vocab_size = data_.tokenizer->vocab_size(), .n_embd = width_of(config)}) {}

std::string EmbeddingTask::fingerprint() const { return data::hash_text(data_.fingerprint); }

Tensor EmbeddingTask::next_loss(BatchRecord& seen) {
  const Tensor ids =
      data_.train->batch(next_++, config_.batch, static_cast<std::uint64_t>(config_.seed));
  seen.add(ids.size(0), ids, Tensor(), ids.size(0));
  return nn::negative_sampling_loss(model_(ids));
}

/// Every pair is as likely to be a real one as not.
double EmbeddingTask::chance_loss() const {
  return static_cast<double>(1 + config_.negatives) * std::numbers::ln2;
}

Evaluation EmbeddingTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const data::SkipGramPairs& pairs = split == data::Split::train        ? *data_.train
                                     : split == data::Split::validation ? *data_.validation
                                                                        : *data_.test;
  const auto& synonyms = data_.synonyms[split == data::Split::test ? 1 : 0];
  double sum = 0;
  for (std::int64_t k = 0; k < kEvalBatches; ++k) {
    if (!proceed(static_cast<double>(k) / static_cast<double>(kEvalBatches))) return {};
    sum += nn::negative_sampling_loss(model_(pairs.batch(k, kEvalPairs, kEvalPairSeed))).item();
  }
  Evaluation evaluation{.measured = kEvalBatches * kEvalPairs};
  evaluation.loss = sum / static_cast<double>(kEvalBatches);
  if (synonyms.empty()) return evaluation;
  const explain::Neighbors neighbors(model_.table());
  double found = 0;
  const auto near = [&](std::int64_t a, std::int64_t b) {
    const auto nearest = neighbors.of(a, 3);
    return std::any_of(nearest.begin(), nearest.end(),
                       [&](const explain::Neighbor& n) { return n.id == b; });
  };
  for (const auto& [a, b] : synonyms) {
    const double here = (near(a, b) ? 1 : 0) + (near(b, a) ? 1 : 0);
    found += here;
    if (split != data::Split::test) continue;
    evaluation.predictions["row"].push_back(
        static_cast<double>(evaluation.predictions["found"].size()));
    evaluation.predictions["found"].push_back(here / 2);
  }
  evaluation.figures = {{"synonyms", found / (2 * static_cast<double>(synonyms.size()))}};
  return evaluation;
}

}  // namespace weft::train
