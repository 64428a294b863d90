// The kind of run called sequence: its choices, its rules, and how it begins.
#include <algorithm>

#include "autograd/ops/loss.h"
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
  using C = SequenceConfig;
  const auto sums = [](const C& c) { return c.data == "modular_addition" ? "data " + c.data : ""; };
  const auto no_sums = [](const C& c) {
    return c.data != "modular_addition" ? "data " + c.data : "";
  };
  const auto no_recall = [](const C& c) { return c.data != "recall" ? "data " + c.data : ""; };
  Fields all = {
      {"data", "Data", &C::data,
       "the rule: key-value recall (MQAR), induction, copying, reversal, or addition modulo a "
       "number",
       0, 0, data::sequence_rules()},
      Field{"symbols", "Data", &C::symbols,
            "number of symbols (of recall: keys and values together)", 1, 1e6}
          .idle_where<C>(sums),
      Field{"length", "Data", &C::length, "tokens per row; of copy and reverse: symbols to repeat",
            1, 1e6}
          .idle_where<C>(sums),
      Field{"pairs", "Data", &C::pairs, "key-value pairs, of recall", 1, 1e6}.idle_where<C>(
          no_recall),
      Field{"modulus", "Data", &C::modulus, "modulus of modular_addition", 2, 2000}.idle_where<C>(
          no_sums),
      Field{"train_fraction", "Data", &C::train_fraction,
            "fraction of all sums of modular_addition to train on", kTiny, 1}
          .idle_where<C>(no_sums),
      Field{"held_out", "Data", &C::held_out, "rows to validate on, and as many to test on", 1, 1e6}
          .idle_where<C>(sums),
      Field{"fresh_test", "Data", &C::fresh_test,
            "draw the rows to test on by the seed, so that no two runs are judged by the same"}
          .idle_where<C>(sums),
      model_field(sequence_models()),
      {"steps", "Optimization", &C::steps, "optimizer steps", 1, kMany},
  };
  append(all, optimizer_fields());
  append(all, run_fields());
  return all;
}

/// Whether rows are drawn one after the other, and not all there are split in three.
bool config_draws(const SequenceConfig& c) { return c.data != "modular_addition"; }

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

  const Fields& own_fields() const override {
    static const Fields table = sequence_fields();
    return table;
  }

  void check(const RunConfig& config) const override {
    const SequenceConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    sequence_options(c).validate();
    if (model_of(c).needs_source() && (c.data == "recall" || c.data == "induction"))
      fail<ConfigError>("config",
                        "an {} needs a source and a target, and rows of {} have none: use copy, "
                        "reverse or modular_addition, or model gpt",
                        c.model.name(), c.data);
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

  void keep_test_split(RunConfig& config) const override {
    own(config).fresh_test = config_draws(own(config));
  }
  /// The split of modular_addition is drawn by the seed.
  bool tests_afresh(const RunConfig& config) const override {
    return own(config).fresh_test || !config_draws(own(config));
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
    const data::SequenceData& rows = sequence_rows(data);
    const auto solver =
        std::make_shared<SequenceSolver>(model_of(own(config)).build(own(config), rows));
    return {.model = {solver, solver->model.get()},
            .loss =
                [solver, length = rows.length()](std::int64_t batch) {
                  const Tensor ids = sketched_ids({batch, length});
                  const Answers answers = solver->answer({ids, ids});
                  return cross_entropy(answers.logits, answers.targets);
                },
            .is_exact = true,
            .most_batch = rows.size(data::Split::train)};
  }
};

}  // namespace

SequenceConfig::SequenceConfig() : RunConfig(sequence_models()) {
  batch = 64;
  optimizer.begin_with({{"beta2", 0.98}});
}

const Kind& kind_of(const SequenceConfig&) {
  static const SequenceKind kind;
  return kind;
}

}  // namespace weft::train
