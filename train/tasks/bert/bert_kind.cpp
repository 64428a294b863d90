// The kind of run called bert: its choices, its rules, and how it begins.
#include "core/error.h"
#include "train/tasks/bert/bert_run.h"
#include "train/tasks/bert/bert_task.h"
#include "train/tasks/common/eval_tokens.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {
namespace {

struct BertFacts : DataFacts {
  std::int64_t vocabulary = 0;
};

class BertEntry : public EntryOf<Entry, BertChoices> {
 public:
  std::string name() const override { return "bert"; }
  std::string about() const override { return "encoder of a transformer"; }
  const Fields& fields() const override {
    static const Fields table = bert_fields();
    return table;
  }
};

const Registry& bert_models() {
  static const BertEntry entry;
  static const Registry all("model", {&entry});
  return all;
}

Fields bert_run_fields() {
  using C = BertRunConfig;
  Fields all = {
      {"data", "Data", &C::data,
       "shakespeare, tang, sms-spam, a text file in UTF-8, or a .tsv file of labeled lines"}};
  all.push_back(test_share_field<C>());
  append(all, encoder_fields());
  all.push_back(model_field(bert_models()));
  append(all, {{"steps", "Optimization", &C::steps, "optimizer steps", 1, kMany}});
  append(all, optimizer_fields("kind bert"));
  append(all, run_fields());
  append(all, eval_token_fields<C>());
  return all;
}

class BertKind : public UsedAs<BertRun, KindBySteps<BertRunConfig>> {
 public:
  std::string name() const override { return "bert"; }
  std::string about() const override {
    return "pretrain a BERT by masked language modeling: it fills in hidden words";
  }
  std::string command(Use use) const override {
    return use == Use::predict_text ? "weft predict RUN --text \"TEXT with a [MASK]\""
                                    : command_of(use);
  }
  std::string example() const override {
    return "weft train bert --data sms-spam --steps 2000 --out runs/bert\n  weft predict runs/bert "
           "--text \"call me [MASK] you get home\"";
  }

  const Fields& own_fields() const override {
    static const Fields table = bert_run_fields();
    return table;
  }
  void check(const RunConfig& config) const override {
    check_encoder(own(config));
    check_target(config, figures(), name());
  }
  std::vector<std::string> figures() const override { return {"accuracy"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    BertRunConfig& c = own(*config);
    settle(c);
    c.data = absolute_data_path(c.data);
    std::shared_ptr<const data::WordTokenizer> tokenizer;
    if (!known.data.empty()) tokenizer = data::WordTokenizer::from_json(known.data, "checkpoint");
    EncoderData data = load_encoder_data(c, std::move(tokenizer), known.whole, c.test_share);
    settle_eval_tokens(c, data.tokens(data::Split::validation));
    BertFacts facts;
    facts.vocabulary = data.tokenizer->vocab_size();
    check_fits(c, facts);
    Prepared run;
    run.notes = data.notes;
    run.has_test = c.test_share > 0 && !data.sequences[2].empty();
    run.task = std::make_unique<BertTask>(c, std::move(data));
    run.steps = c.steps;
    run.config = std::move(config);
    return run;
  }

  void keep_test_split(RunConfig& config) const override {
    BertRunConfig& c = own(config);
    if (c.test_share == 0) c.test_share = kComparedTestShare;
  }
  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    auto facts = std::make_unique<BertFacts>();
    facts->vocabulary = load_encoder_data(own(config)).tokenizer->vocab_size();
    return facts;
  }
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const auto model = std::make_shared<nn::Bert>(
        bert_config(own(config), static_cast<const BertFacts&>(data).vocabulary, 0, true));
    return {.model = model, .loss = [model, c = own(config)](std::int64_t batch) {
              return sketched_masked_loss(*model, c, batch);
            }};
  }
};

}  // namespace

BertRunConfig::BertRunConfig() : EncoderConfig(bert_models()) {}

const Kind& kind_of(const BertRunConfig&) {
  static const BertKind kind;
  return kind;
}

}  // namespace weft::train
