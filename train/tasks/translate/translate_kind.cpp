// The kind of run called translate: its choices, its rules, and how it begins.
#include "autograd/ops/loss.h"
#include "core/error.h"
#include "train/tasks/common/eval_tokens.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/translate/translate_run.h"
#include "train/tasks/translate/translate_task.h"

namespace weft::train {
namespace {

struct TranslateFacts : DataFacts {
  std::int64_t vocabulary = 0;
};

class EncoderDecoderEntry : public EntryOf<Entry, TranslateChoices> {
 public:
  std::string name() const override { return "encoder_decoder"; }
  std::string about() const override { return "transformer of an encoder and a decoder"; }
  const Fields& fields() const override {
    static const Fields table = [] {
      Fields all = block_fields("blocks of the encoder, and of the decoder");
      append(all,
             {{"tie", "Model", &TranslateChoices::tie, "the head shares the embedding's weights"}});
      return all;
    }();
    return table;
  }
};

const Registry& translate_models() {
  static const EncoderDecoderEntry entry;
  static const Registry all("model", {&entry});
  return all;
}

Fields translate_fields() {
  Fields all = {
      {"data", "Data", &TranslateConfig::data,
       "tang (a quatrain's second couplet from its first), or a file of lines: a source, a tab, a "
       "target; or a .csv file"},
      {"context", "Data", &TranslateConfig::context,
       "longest source and longest target, in characters", 1, 1e6},
      {"skip_long", "Data", &TranslateConfig::skip_long,
       "leave out pairs with a text longer than the context, instead of refusing the file"},
  };
  all.push_back(model_field(translate_models()));
  append(all, {{"steps", "Optimization", &TranslateConfig::steps, "optimizer steps", 1, kMany}});
  append(all, optimizer_fields());
  append(all, run_fields());
  append(all, eval_token_fields<TranslateConfig>());
  return all;
}

class TranslateKind : public UsedAs<TranslateRun, KindBySteps<TranslateConfig>> {
 public:
  std::string name() const override { return "translate"; }
  std::string about() const override {
    return "train an encoder-decoder transformer to map one text to another";
  }
  std::string example() const override {
    return "weft train translate --data tang --out runs/couplets\n  weft predict runs/couplets "
           "--text 白日依山盡，黃河入海流。";
  }

  const Fields& own_fields() const override {
    static const Fields table = translate_fields();
    return table;
  }

  void check(const RunConfig& config) const override {
    const TranslateConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    check_target(c, figures(), name());
    encoder_decoder_config(c, 1).validate();
  }

  std::vector<std::string> figures() const override { return {"accuracy", "bits_per_byte"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    TranslateConfig& c = own(*config);
    settle(c);
    c.data = absolute_data_path(c.data);
    TranslateData data = load_translate_data(c, known);
    std::int64_t reference_tokens = 0;
    for (const data::Sequence& target : data.targets[1]) reference_tokens += std::ssize(target);
    settle_eval_tokens(c, reference_tokens);
    TranslateFacts facts;
    facts.vocabulary = data.vocabulary.size();
    check_fits(c, facts);
    Prepared run;
    run.notes = std::move(data.notes);
    run.task = std::make_unique<TranslateTask>(c, std::move(data));
    run.steps = c.steps;
    run.has_test = true;
    run.config = std::move(config);
    return run;
  }

  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    auto facts = std::make_unique<TranslateFacts>();
    facts->vocabulary = load_translate_data(own(config)).vocabulary.size();
    return facts;
  }
  /// Of pairs whose texts are as long as the context: what is padded or shorter is not taken off.
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const nn::EncoderDecoderConfig built = model_config(config, data);
    const auto model = std::make_shared<nn::EncoderDecoder>(built);
    return {.model = model, .loss = [model, built](std::int64_t batch) {
              const Tensor source = sketched_ids({batch, built.source_size}),
                           target = sketched_ids({batch, built.block_size}),
                           padding = Tensor::empty(source.shape(), DType::u8);
              return cross_entropy((*model)(source, target, padding), target);
            }};
  }

 private:
  static nn::EncoderDecoderConfig model_config(const RunConfig& config, const DataFacts& data) {
    return encoder_decoder_config(own(config), static_cast<const TranslateFacts&>(data).vocabulary);
  }
};

}  // namespace

TranslateConfig::TranslateConfig() : RunConfig(translate_models()) {
  batch = 64;
  optimizer.begin_with({{"beta2", 0.98}});
  label_smoothing = 0.1;
}

const Kind& kind_of(const TranslateConfig&) {
  static const TranslateKind kind;
  return kind;
}

}  // namespace weft::train
