// The kind of run called sequence: its choices, its rules, and how it begins.
#include <algorithm>

#include "core/error.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/sequence/sequence_run.h"
#include "train/tasks/sequence/sequence_task.h"

namespace weft::train {
namespace {

struct SequenceFacts : DataFacts {
  explicit SequenceFacts(const SequenceConfig& config) : rows(sequence_options(config)) {}
  data::SequenceData rows;
};

const data::SequenceData& sequence_rows(const DataFacts& data) {
  return static_cast<const SequenceFacts&>(data).rows;
}

Fields sequence_fields() {
  Fields all = {
      {"data", "Data", &SequenceConfig::data,
       "the rule: key-value recall (MQAR), induction, copying, reversal, or addition modulo a "
       "number",
       0, 0, data::sequence_rules()},
      {"symbols", "Data", &SequenceConfig::symbols,
       "number of symbols (of recall: keys and values together)", 1, 1e6},
      {"length", "Data", &SequenceConfig::length,
       "tokens per row; of copy and reverse: symbols to repeat", 1, 1e6},
      {"pairs", "Data", &SequenceConfig::pairs, "key-value pairs, of recall", 1, 1e6},
      {"modulus", "Data", &SequenceConfig::modulus, "modulus of modular_addition", 2, 2000},
      {"train_fraction", "Data", &SequenceConfig::train_fraction,
       "fraction of all sums of modular_addition to train on", kTiny, 1},
      {"held_out", "Data", &SequenceConfig::held_out, "rows to validate on, and as many to test on",
       1, 1e6},
      {"model",
       "Model",
       &SequenceConfig::model,
       "a decoder only, or an encoder-decoder, whose encoder reads what is to be copied, reversed "
       "or added",
       0,
       0,
       {"gpt", "encoder_decoder"}},
  };
  append(all, block_fields("transformer blocks; an encoder has as many"));
  append(all, {{"positions", "Model", &SequenceConfig::positions, "positional encoding", 0, 0,
                nn::choices<nn::Positions>()},
               {"tie", "Model", &SequenceConfig::tie, "the head shares the embedding's weights"},
               {"steps", "Optimization", &SequenceConfig::steps, "optimizer steps", 1, kMany}});
  append(all, optimizer_fields());
  append(all, run_fields());
  return all;
}

class SequenceKind : public UsedAs<SequenceRun, KindBySteps<SequenceConfig>> {
 public:
  std::string name() const override { return "sequence"; }
  std::string about() const override {
    return "train a transformer to recall, copy, reverse or add symbols by a known rule";
  }
  std::string command(Use use) const override {
    return command_of(use) + (use == Use::eval ? " --split test" : "");
  }
  std::string example() const override {
    return "weft train sequence --data recall --pairs 8 --attention lightning --steps 1000 --out "
           "runs/recall";
  }

  /// As it was first described.
  void start_from_model(RunConfig& c, const RunConfig& wanted) const override {
    if (own(wanted).model != "encoder_decoder") return;
    c.post_norm = true;
    c.activation = "relu";
    c.init = "torch";
    own(c).positions = "sinusoidal";
    own(c).tie = true;
  }

  const Fields& fields() const override {
    static const Fields table = sequence_fields();
    return table;
  }

  std::string meaningless(const RunConfig& config, const std::string& field) const override {
    const SequenceConfig& c = own(config);
    const bool adds = c.data == "modular_addition";
    if ((field == "modulus" || field == "train_fraction") && !adds) return "data " + c.data;
    if ((field == "symbols" || field == "length" || field == "held_out") && adds)
      return "data " + c.data;
    if (field == "pairs" && c.data != "recall") return "data " + c.data;
    return Kind::meaningless(config, field);
  }

  void check(const RunConfig& config) const override {
    const SequenceConfig& c = own(config);
    check_common(c);
    check_heads(c);
    check_warmup(c, c.steps);
    check_positions(c, c.positions);
    sequence_options(c).validate();
    if (c.model == "encoder_decoder" && (c.data == "recall" || c.data == "induction"))
      fail<ConfigError>("config",
                        "an encoder_decoder needs a source and a target, and rows of {} have none: "
                        "use copy, reverse or modular_addition, or model gpt",
                        c.data);
    check_target(c, figures(), name());
  }

  std::vector<Preset> presets() const override { return sequence_presets(); }

  std::vector<std::string> figures() const override { return {"accuracy", "exact"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    SequenceConfig& c = own(*config);
    if (known.whole) fail<ConfigError>("eval", "a sequence run makes its own data: remove --data");
    settle(c);
    check_fits(c, SequenceFacts(c));
    Prepared run;
    run.task = std::make_unique<SequenceTask>(c);
    run.steps = c.steps;
    run.has_test = true;
    run.config = std::move(config);
    return run;
  }

  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    return std::make_unique<SequenceFacts>(own(config));
  }
  Length length(const RunConfig& config, const DataFacts& data) const override {
    const SequenceConfig& c = own(config);
    const std::int64_t train = sequence_rows(data).size(data::Split::train);
    const std::int64_t rows = (train > 0 ? std::min(c.batch, train) : c.batch) * c.accumulate;
    return {.steps = c.steps, .samples = static_cast<double>(c.steps) * static_cast<double>(rows)};
  }
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    return sketch_sequence(own(config), sequence_rows(data));
  }
  std::int64_t width_granularity(const RunConfig& config) const override {
    return heads_granularity(config, own(config).positions);
  }
};

}  // namespace

SequenceConfig::SequenceConfig() {
  layers = 2;
  heads = 1;
  width = 64;
  batch = 64;
  beta2 = 0.98;
}

const Kind& kind_of(const SequenceConfig&) {
  static const SequenceKind kind;
  return kind;
}

}  // namespace weft::train
