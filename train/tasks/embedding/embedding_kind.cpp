// The kind of run called embedding: its choices, its rules, and how it begins.
#include "core/error.h"
#include "train/config/block_options.h"
#include "train/tasks/common/eval_tokens.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/embedding/embedding_run.h"
#include "train/tasks/embedding/embedding_task.h"

namespace weft::train {
namespace {

struct EmbeddingFacts : DataFacts {
  std::int64_t vocabulary = 0;
};

class SkipGramEntry : public EntryOf<Entry, SkipGramChoices> {
 public:
  std::string name() const override { return "skip_gram"; }
  std::string about() const override { return "skip-gram with negative sampling"; }
  const Fields& fields() const override {
    static const Fields table = {
        {"width", "Model", &SkipGramChoices::width, "embedding dimension", 1, 1000000}};
    return table;
  }
};

const Registry& embedding_models() {
  static const SkipGramEntry entry;
  static const Registry all("model", {&entry});
  return all;
}

Fields embedding_fields() {
  using C = EmbeddingConfig;
  const auto chars = [](const C& c) { return c.tokenizer == "chars" ? "tokenizer chars" : ""; };
  Fields all = {
      {"data", "Data", &C::data,
       "shakespeare, tang, a text file in UTF-8, or synonyms: a corpus with planted synonyms"},
      {"tokenizer",
       "Data",
       &C::tokenizer,
       "what a token is: a word or a character",
       0,
       0,
       {"words", "chars"}},
      Field{"vocabulary", "Data", &C::vocabulary,
            "vocabulary size at most: the most frequent words", 6, 1e7}
          .idle_where<C>(chars),
      Field{"min_count", "Data", &C::min_count,
            "least number of occurrences of a word in the vocabulary", 1, 1e6}
          .idle_where<C>(chars),
      Field{"lowercase", "Data", &C::lowercase, "convert the text to lowercase"}.idle_where<C>(
          chars),
      {"window", "Data", &C::window, "words on each side that count as context, at most", 1, 1000},
      {"negatives", "Data", &C::negatives, "negative samples (noise words) per pair", 1, 1000},
      {"subsample", "Data", &C::subsample,
       "subsampling threshold: words more frequent than this are skipped at random (0: never)", 0,
       1},
      test_share_field<C>(),
      model_field(embedding_models()),
      {"steps", "Optimization", &C::steps, "optimizer steps", 1, kMany},
  };
  append(all, optimizer_fields("kind embedding"));
  append(all, run_fields());
  return all;
}

class EmbeddingKind : public UsedAs<EmbeddingRun, KindBySteps<EmbeddingConfig>> {
 public:
  std::string name() const override { return "embedding"; }
  std::string about() const override {
    return "train vectors for words or characters: skip-gram with negative sampling";
  }
  std::string example() const override {
    return "weft train embedding --data shakespeare --out runs/words\n  weft explain embedding "
           "runs/words --token king";
  }

  const Fields& own_fields() const override {
    static const Fields table = embedding_fields();
    return table;
  }
  void check(const RunConfig& config) const override {
    const EmbeddingConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    check_target(c, c.data == "synonyms" ? figures() : std::vector<std::string>{}, name());
  }
  std::vector<std::string> figures() const override { return {"synonyms"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    EmbeddingConfig& c = own(*config);
    settle(c);
    c.data = absolute_data_path(c.data);
    EmbeddingData data = load_embedding_data(c, known);
    EmbeddingFacts facts;
    facts.vocabulary = data.tokenizer->vocab_size();
    check_fits(c, facts);
    Prepared run;
    run.has_test = data.test != nullptr;
    run.task = std::make_unique<EmbeddingTask>(c, std::move(data));
    run.steps = c.steps;
    run.config = std::move(config);
    return run;
  }

  void keep_test_split(RunConfig& config) const override {
    EmbeddingConfig& c = own(config);
    if (c.test_share == 0) c.test_share = kComparedTestShare;
  }
  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    auto facts = std::make_unique<EmbeddingFacts>();
    facts->vocabulary = load_embedding_data(own(config)).tokenizer->vocab_size();
    return facts;
  }
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const auto model = std::make_shared<nn::SkipGram>(
        nn::SkipGramConfig{.vocab_size = static_cast<const EmbeddingFacts&>(data).vocabulary,
                           .n_embd = width_of(config)});
    return {.model = model,
            .loss =
                [model, ids = own(config).negatives + 2](std::int64_t batch) {
                  return nn::negative_sampling_loss((*model)(sketched_ids({batch, ids})));
                },
            .is_exact = true};
  }
};

}  // namespace

EmbeddingConfig::EmbeddingConfig() : RunConfig(embedding_models()) {
  batch = 512;
  lr = 3e-3;
  optimizer.begin_with({{"beta2", 0.999}});
  weight_decay = 0;
  clip = 0;
  schedule = "linear";
  final_lr = 0.05;
}

const Kind& kind_of(const EmbeddingConfig&) {
  static const EmbeddingKind kind;
  return kind;
}

}  // namespace weft::train
