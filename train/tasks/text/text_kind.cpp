// The kind of run called text: its choices, its rules, and how it begins.
#include <algorithm>

#include "autograd/ops/loss.h"
#include "core/error.h"
#include "train/tasks/common/assumed_data.h"
#include "train/tasks/common/eval_tokens.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/text/text_model.h"
#include "train/tasks/text/text_run.h"
#include "train/tasks/text/text_task.h"

namespace weft::train {
namespace {

struct TextFacts : DataFacts {
  std::int64_t vocabulary = 0;
};

Fields text_fields() {
  Fields all = {
      {"data", "Data", &TextConfig::data, "shakespeare, tang, or a text file in UTF-8"},
      {"tokenizer",
       "Data",
       &TextConfig::tokenizer,
       "what a token is: a character, a byte, or a piece of a word, learned from the training part "
       "by SentencePiece (bpe, unigram)",
       0,
       0,
       {"char", "byte", "bpe", "unigram"}},
      Field{"vocab_size", "Data", &TextConfig::vocab_size,
            "pieces that bpe or unigram learns, 256 bytes among them", 258, 1e6}
          .idle_where<TextConfig>([](const TextConfig& c) {
            if (!c.tokenizer_file.empty()) return "tokenizer_file " + c.tokenizer_file;
            return c.tokenizer == "bpe" || c.tokenizer == "unigram" ? std::string()
                                                                    : "tokenizer " + c.tokenizer;
          }),
      Field{
          "tokenizer_file", "Data", &TextConfig::tokenizer_file,
          "a SentencePiece model (tokenizer.model) to use with bpe or unigram instead of learning "
          "one"}
          .idle_where<TextConfig>([](const TextConfig& c) {
            return c.tokenizer == "bpe" || c.tokenizer == "unigram" ? std::string()
                                                                    : "tokenizer " + c.tokenizer;
          }),
      {"context", "Data", &TextConfig::context, "tokens that the model sees at once", 1, 1e6},
      test_share_field<TextConfig>(),
  };
  all.push_back(model_field(text_models()));
  append(all, {{"steps", "Optimization", &TextConfig::steps, "optimizer steps", 1, kMany}});
  append(all, optimizer_fields());
  append(all, run_fields());
  append(all, eval_token_fields<TextConfig>());
  return all;
}

class TextKind : public UsedAs<TextRun, KindBySteps<TextConfig>>, public ModelsOfAssumedData {
 public:
  std::string name() const override { return "text"; }
  std::string about() const override {
    return "train a model to predict the next character, byte or piece of a word";
  }
  std::string example() const override {
    return "weft train text --data tang --positions rope --norm rms --optimizer muon --steps 1000 "
           "--out runs/tang";
  }

  const Fields& own_fields() const override {
    static const Fields table = text_fields();
    return table;
  }

  void check(const RunConfig& config) const override {
    const TextConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    check_target(c, figures(), name());
  }

  std::vector<Preset> presets() const override { return text_presets(); }

  std::vector<std::string> figures() const override { return {"bits_per_byte"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    TextConfig& c = own(*config);
    settle(c);
    c.data = absolute_data_path(c.data);
    if (!c.tokenizer_file.empty()) c.tokenizer_file = absolute_data_path(c.tokenizer_file);
    data::TextOptions options{.tokenizer = c.tokenizer,
                              .vocab_size = c.vocab_size,
                              .tokenizer_file = c.tokenizer_file,
                              .test_share = known.whole ? 0 : c.test_share};
    if (!known.data.empty()) options.with_tokenizer = data::tokenizer_from_json(known.data);
    if (known.whole) options.train_fraction = 0;
    data::TextData data = data::load_text(c.data, options);
    if (!known.whole)
      check_data(c, data.size(data::Split::train),
                 c.test_share > 0
                     ? std::min(data.size(data::Split::validation), data.size(data::Split::test))
                     : data.size(data::Split::validation));
    TextFacts facts;
    facts.vocabulary = data.vocab_size();
    if (!known.whole) check_fits(c, facts);
    settle_eval_tokens(c, data.eval_tokens(data::Split::validation));
    if (c.format >= 3 && !known.whole && data.vocab_size() == 1)
      fail<ConfigError>(c.data, "all {} tokens are one and the same: there is nothing to learn",
                        data.size(data::Split::train));
    Prepared run;
    run.has_test = data.size(data::Split::test) > 0;
    run.task = std::make_unique<TextTask>(c, std::move(data));
    run.steps = c.steps;
    run.config = std::move(config);
    return run;
  }

  void keep_test_split(RunConfig& config) const override {
    TextConfig& c = own(config);
    if (c.test_share == 0) c.test_share = kComparedTestShare;
  }
  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    const TextConfig& c = own(config);
    auto facts = std::make_unique<TextFacts>();
    facts->vocabulary = data::load_text(c.data, {.tokenizer = c.tokenizer,
                                                 .vocab_size = c.vocab_size,
                                                 .tokenizer_file = c.tokenizer_file})
                            .vocab_size();
    return facts;
  }
  std::unique_ptr<nn::Model> model_for(const RunConfig& config,
                                       const AssumedData& data) const override {
    return build_model(own(config), data.vocabulary);
  }
  std::vector<std::string> sizes() const override { return {"--vocabulary"}; }
  std::vector<std::string> run_choices() const override { return {"context"}; }
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const TextConfig& c = own(config);
    const std::shared_ptr<nn::LanguageModel> model =
        build_model(c, static_cast<const TextFacts&>(data).vocabulary);
    return {.model = model,
            .loss =
                [model, context = c.context](std::int64_t batch) {
                  const Tensor ids = sketched_ids({batch, context});
                  return cross_entropy((*model)(ids), ids);
                },
            .is_exact = true};
  }
};

}  // namespace

void check_data(const TextConfig& c, std::int64_t train_tokens, std::int64_t val_tokens) {
  const std::int64_t shorter = std::min(train_tokens, val_tokens);
  if (c.context + 1 > shorter) {
    fail<ConfigError>("config",
                      "context is longer than the data: context {}, {} tokens to train and {} to "
                      "validate on; at most {} here",
                      c.context, train_tokens, val_tokens, std::max<std::int64_t>(0, shorter - 1));
  }
}

TextConfig::TextConfig() : RunConfig(text_models()) {}

const Kind& kind_of(const TextConfig&) {
  static const TextKind kind;
  return kind;
}

}  // namespace weft::train
