// The kind of run called tokens: its choices, its rules, and how it begins.
#include <algorithm>

#include "autograd/ops/loss.h"
#include "autograd/ops/shape_ops.h"
#include "core/error.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/tokens/tokens_run.h"
#include "train/tasks/tokens/tokens_task.h"

namespace weft::train {
namespace {

struct TokenFacts : DataFacts {
  std::int64_t tokens = 1;
  std::int64_t features = 1;
};

/// Regression: the target of a table itself.
bool tells_numbers(const TokensConfig& c) { return !is_synthetic(c) && c.at_least == 0; }

Fields tokens_fields() {
  const auto of_table = [](const TokensConfig& c) {
    return is_synthetic(c) ? "" : "data " + c.data;
  };
  const auto made_up_rows = [](const TokensConfig& c) {
    return is_synthetic(c) ? "data " + c.data : "";
  };
  Fields all = {
      {"data", "Data", &TokensConfig::data,
       "additive, within, same, different, triple, random: what a label relates; wine; or a table, "
       "numbers separated by , or ; with the target last"},
      Field{"tokens", "Data", &TokensConfig::tokens, "tokens per synthetic row", 1, 65536}
          .idle_where<TokensConfig>(of_table),
      Field{"features", "Data", &TokensConfig::features, "features per synthetic token", 1, 65536}
          .idle_where<TokensConfig>(of_table),
      Field{"units", "Data", &TokensConfig::units,
            "the last feature of synthetic tokens is so many times larger than the first, those "
            "between "
            "in equal ratios",
            1, 1e12}
          .idle_where<TokensConfig>(of_table),
      {"standardize", "Data", &TokensConfig::standardize,
       "scale features to mean 0 and standard deviation 1 over the training rows"},
      Field{"at_least", "Data", &TokensConfig::at_least,
            "classify rows of a table by whether their target is at least this (0: predict the "
            "target itself)",
            -1e300, 1e300}
          .idle_where<TokensConfig>(made_up_rows),
      {"train", "Data", &TokensConfig::train,
       "training rows (0: 8192, or all of a table that are left)", 0, kMany},
      {"validation", "Data", &TokensConfig::validation,
       "rows to validate on (0: 2000, or a fifth of a table)", 0, kMany},
      {"test", "Data", &TokensConfig::test, "rows to test on (0: as validation)", 0, kMany},
      model_field(tokens_models()),
      {"steps", "Optimization", &TokensConfig::steps, "optimizer steps", 1, kMany},
  };
  for (const Field& field : optimizer_fields())
    all.push_back(field.name == "label_smoothing"
                      ? field.idle_where<TokensConfig>([](const TokensConfig& c) {
                          return tells_numbers(c) ? "a target that is a number" : "";
                        })
                      : field);
  append(all, run_fields());
  return all;
}

class TokensKind : public UsedAs<TokensRun, KindBySteps<TokensConfig>> {
 public:
  std::string name() const override { return "tokens"; }
  std::string about() const override {
    return "train attention, or what it is compared with, on real-valued tokens and tables";
  }
  std::string command(Use use) const override {
    return command_of(use) + (use == Use::eval ? " --split test" : "");
  }
  std::string example() const override {
    return "weft train tokens --data different --projections diagonal --no-embed --no-feed-forward "
           "--norm none --heads 1 --out runs/diagonal";
  }

  const Fields& own_fields() const override {
    static const Fields table = tokens_fields();
    return table;
  }

  void check(const RunConfig& config) const override {
    const TokensConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    check_target(c,
                 tells_numbers(c) ? std::vector<std::string>{"mse", "r2"}
                                  : std::vector<std::string>{"accuracy"},
                 name());
    if (!is_synthetic(c)) return;
    made_up(c).check();
    model_of(c).check_rows(c, rows_of(c, c.tokens, c.features));
  }

  std::vector<std::string> figures() const override { return {"accuracy", "mse", "r2"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    TokensConfig& c = own(*config);
    if (known.whole)
      fail<ConfigError>("eval",
                        "--data is not for tokens runs: the statistics that their columns were "
                        "standardized with are those of their own table");
    if (!is_synthetic(c)) c.data = absolute_data_path(c.data);
    data::TokenData data = load_tokens(c);
    const RowFacts rows = rows_of(c, data.tokens_per_row(), data.features());
    model_of(c).check_rows(c, rows);
    if (c.batch > data.size(data::Split::train))
      fail<ConfigError>("config", "batch is larger than the data: batch {}, {} training rows",
                        c.batch, data.size(data::Split::train));
    TokenFacts facts;
    facts.tokens = data.tokens_per_row();
    facts.features = data.features();
    check_fits(c, facts);
    settle(c);
    Prepared run;
    run.steps = c.steps;
    run.has_test = data.size(data::Split::test) > 0;
    run.notes = data.notes();
    run.task = std::make_unique<TokensTask>(c, std::move(data));
    run.config = std::move(config);
    return run;
  }

  bool tests_afresh(const RunConfig& config) const override { return is_synthetic(own(config)); }
  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    const TokensConfig& c = own(config);
    auto facts = std::make_unique<TokenFacts>();
    facts->tokens = c.tokens;
    facts->features = c.features;
    if (!is_synthetic(c)) {
      const data::TokenData data = load_tokens(c);
      facts->tokens = data.tokens_per_row();
      facts->features = data.features();
    }
    return facts;
  }
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const std::shared_ptr<nn::Model> model = build_model(own(config), seen_by(own(config), data));
    return {.model = model,
            .loss =
                [model](std::int64_t batch) {
                  const Tensor wanted = Tensor::empty({batch});
                  return mse_loss(reshape((*model)(model->example_input(batch)), {batch}), wanted);
                },
            .is_exact = true};
  }

 private:
  static RowFacts seen_by(const TokensConfig& c, const DataFacts& data) {
    const auto& facts = static_cast<const TokenFacts&>(data);
    return rows_of(c, facts.tokens, facts.features);
  }
};

}  // namespace

TokensConfig::TokensConfig() : RunConfig(tokens_models()) {
  batch = 64;
  lr = 3e-3;
  weight_decay = 0;
}

const Kind& kind_of(const TokensConfig&) {
  static const TokensKind kind;
  return kind;
}

}  // namespace weft::train
