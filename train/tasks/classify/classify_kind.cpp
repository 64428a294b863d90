// The kind of run called classify: its choices, its rules, and how it begins.
#include <algorithm>
#include <optional>

#include "autograd/ops/loss.h"
#include "core/error.h"
#include "train/config/article.h"
#include "train/tasks/classify/classify_run.h"
#include "train/tasks/classify/classify_task.h"
#include "train/tasks/common/eval_tokens.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/pretrained_encoder.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {
namespace {

struct ClassifyFacts : DataFacts {
  std::int64_t vocabulary = 0, classes = 0;
};

/// Choices of a BERT's run that are no choices of the model itself.
std::string no_bert(const ClassifyConfig& c) { return is_bert(c) ? "" : "model " + c.model.name(); }
std::string no_masks(const ClassifyConfig& c) {
  if (const std::string because = no_bert(c); !because.empty()) return because;
  return c.pretrain == 0 ? "pretrain 0" : "";
}
std::string own_vocabulary(const ClassifyConfig& c) {
  return c.from.empty() ? "" : "init " + c.from;
}

/// The encoder's choices, some of which do nothing here.
Fields tokens_of_texts() {
  Fields all;
  for (const Field& field : encoder_fields()) {
    if (field.name == "mask_share" || field.name == "whole_words") {
      const auto also = field.idle;
      all.push_back(field.idle_where<ClassifyConfig>([also](const ClassifyConfig& c) {
        const std::string because = no_masks(c);
        return because.empty() && also ? also(c) : because;
      }));
    } else if (field.name == "context") {
      all.push_back(field);
    } else {
      all.push_back(field.idle_where<ClassifyConfig>(own_vocabulary));
    }
  }
  return all;
}

Fields classify_fields() {
  using C = ClassifyConfig;
  Fields all = {{"data", "Data", &C::data,
                 "sms-spam, or a file of lines: a label, a tab, a text; or a .csv file; a first "
                 "line may name the columns"},
                {"positive", "Data", &C::positive,
                 "the label that F1 measures (default: the rarer of two; with more labels it is "
                 "macro-F1, the mean over all)"}};
  append(all, tokens_of_texts());
  append(all,
         {Field{"init", "Model", &C::from,
                "a bert run (its folder or checkpoint) whose encoder and vocabulary this one "
                "begins with; layers, heads, width, mlp_ratio, context, tokenizer, vocabulary and "
                "lowercase are then that run's"}
              .idle_where<ClassifyConfig>(no_bert),
          model_field(classify_models()),
          {"steps", "Optimization", &C::steps, "optimizer steps", 1, kMany},
          Field{"pretrain", "Optimization", &C::pretrain,
                "of these, the first steps that pretrain by filling in hidden words of the "
                "training texts",
                0, kMany}
              .idle_where<ClassifyConfig>(no_bert)});
  append(all, optimizer_fields());
  append(all, run_fields());
  append(all, eval_token_fields<C>());
  return all;
}

class ClassifyKind : public UsedAs<ClassifyRun, KindBySteps<ClassifyConfig>> {
 public:
  std::string name() const override { return "classify"; }
  std::string about() const override {
    return "train a text classifier: BERT, fine-tuned or from scratch, or logistic regression on "
           "words";
  }
  std::string example() const override {
    return "weft train classify --data sms-spam --init runs/bert --out runs/spam\n  weft predict "
           "runs/spam --text \"WINNER! Call 09061701461 now\"";
  }

  const Fields& own_fields() const override {
    static const Fields table = classify_fields();
    return table;
  }

  void begin(RunConfig& config, const RunConfig& wanted) const override {
    ClassifyConfig& c = own(config);
    if (own(wanted).from.empty() || !is_bert(own(wanted))) return;
    const auto before =
        config_from_json<BertRunConfig>(bert_run(own(wanted)).config_json, own(wanted).from);
    auto& model = c.model.as<BertChoices>();
    const auto& same = before.model.as<BertChoices>();
    model.layers = same.layers;
    model.heads = same.heads;
    model.width = same.width;
    model.mlp_ratio = same.mlp_ratio;
    c.context = before.context;
    c.tokenizer = before.tokenizer;
    c.vocabulary = before.vocabulary;
    c.lowercase = before.lowercase;
  }

  void check(const RunConfig& config) const override {
    const ClassifyConfig& c = own(config);
    check_encoder(c);
    check_target(c, figures(), name());
    if (c.pretrain >= c.steps)
      fail<ConfigError>("config",
                        "pretrain must leave steps to learn the classes in: pretrain {}, steps {}",
                        c.pretrain, c.steps);
  }

  std::vector<std::string> figures() const override { return {"accuracy", "f1", "macro_f1"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    ClassifyConfig& c = own(*config);
    settle(c, 10, 50);
    c.data = absolute_data_path(c.data);
    std::optional<PretrainedEncoder> before;
    std::shared_ptr<const data::WordTokenizer> tokenizer;
    std::optional<ClassifierFacts> facts;
    if (!known.data
             .empty()) {  // whose weights and vocabulary are its own by now, wherever they began
      facts = ClassifierFacts::from_json(known.data, "checkpoint");
      tokenizer = facts->tokenizer;
    } else if (!c.from.empty()) {
      c.from = absolute_data_path(c.from);
      before = load_pretrained_encoder(bert_run(c));
      check_same_encoder(c, before->config);
      tokenizer = before->tokenizer;
    }
    ClassifyData data = load_classify_data(c, std::move(tokenizer), known.whole);
    if (known.whole) take_classes(data, facts->classes, c);
    settle_eval_tokens(c, data.encoder.tokens(data::Split::validation));
    ClassifyFacts sizes;
    sizes.vocabulary = data.encoder.tokenizer->vocab_size();
    sizes.classes = static_cast<std::int64_t>(data.classes.size());
    check_fits(c, sizes);
    Prepared run;
    run.notes = data.encoder.notes;
    name_f1(c, data, run.notes);
    run.task =
        std::make_unique<ClassifyTask>(c, std::move(data), before ? before->model.get() : nullptr);
    run.steps = c.steps;
    run.has_test = true;
    run.config = std::move(config);
    return run;
  }

  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    const ClassifyConfig& c = own(config);
    const auto data = load_classify_data(
        c, c.from.empty() ? nullptr : load_pretrained_encoder(bert_run(c)).tokenizer);
    auto facts = std::make_unique<ClassifyFacts>();
    facts->vocabulary = data.encoder.tokenizer->vocab_size();
    facts->classes = static_cast<std::int64_t>(data.classes.size());
    return facts;
  }
  /// Of texts as long as the context: what is padded or shorter is not taken off.
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const auto& facts = static_cast<const ClassifyFacts&>(data);
    const ClassifyConfig& c = own(config);
    const std::shared_ptr<nn::Model> model = build_classifier(c, facts.vocabulary, facts.classes);
    Sketch result{
        .model = model, .loss = [model, context = c.context](std::int64_t batch) {
          return cross_entropy((*model)(sketched_ids({batch, context})), sketched_ids({batch}));
        }};
    const auto bert = std::dynamic_pointer_cast<nn::Bert>(model);
    if (!bert || c.pretrain == 0) return result;
    result.first_loss = [bert, c](std::int64_t batch) {
      return sketched_masked_loss(*bert, c, batch);
    };
    result.first_share = static_cast<double>(c.pretrain) / static_cast<double>(c.steps);
    return result;
  }

 private:
  /// Says whose F1 it is, in config.json and to who trains; refuses to wait for one that is not
  /// measured.
  static void name_f1(ClassifyConfig& c, const ClassifyData& data,
                      std::vector<std::string>& notes) {
    if (c.format < 3) return;
    const std::string wanted = parse_target(c.until).figure;
    if (wanted == "f1" && !data.f1)
      fail<ConfigError>("config",
                        "with {} labels there is no F1 without --positive LABEL: use until "
                        "val_macro_f1, or name the label",
                        data.classes.size());
    if (wanted == "macro_f1" && !data.macro_f1)
      fail<ConfigError>("config", "with two labels there is no macro-F1: use until val_f1");
    const std::string& positive = data.classes[static_cast<std::size_t>(data.positive)];
    if (data.f1 && c.positive.empty()) {
      c.positive = positive;
      c.derived.emplace_back("positive");
    }
    if (data.f1) notes.push_back(fmt::format("F1 is of the label \"{}\"", positive));
    if (data.macro_f1)
      notes.push_back(fmt::format("macro-F1 is the mean of the F1 of each of the {} labels",
                                  data.classes.size()));
  }
  static RunFacts bert_run(const ClassifyConfig& c) {
    RunFacts run = read_run(c.from);
    if (run.kind->name() != "bert")
      fail<ConfigError>("config", "init must be a bert run; {} is {} run", c.from,
                        with_article(run.kind->name()));
    return run;
  }
};

}  // namespace

ClassifyConfig::ClassifyConfig() : EncoderConfig(classify_models()) {
  data = "sms-spam";
  steps = 700;
  vocabulary = 3000;
  context = 96;
}

const Kind& kind_of(const ClassifyConfig&) {
  static const ClassifyKind kind;
  return kind;
}

}  // namespace weft::train
