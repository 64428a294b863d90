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

Fields tokens_fields() {
  const char* const model = "Model";
  Fields all = {
      {"data", "Data", &TokensConfig::data,
       "additive, within, same, different, triple, random: what a label relates; wine; or a table, "
       "numbers separated by , or ; with the target last"},
      {"tokens", "Data", &TokensConfig::tokens, "tokens per synthetic row", 1, 65536},
      {"features", "Data", &TokensConfig::features, "features per synthetic token", 1, 65536},
      {"units", "Data", &TokensConfig::units,
       "scale of the last feature of synthetic tokens relative to the first, with equal ratios in "
       "between",
       1, 1e12},
      {"standardize", "Data", &TokensConfig::standardize,
       "scale features to mean 0 and standard deviation 1 over the training rows"},
      {"at_least", "Data", &TokensConfig::at_least,
       "classify rows of a table by whether their target is at least this (0: predict the target "
       "itself)",
       -1e300, 1e300},
      {"train", "Data", &TokensConfig::train,
       "training rows (0: 8192, or all of a table that are left)", 0, kMany},
      {"validation", "Data", &TokensConfig::validation,
       "rows to validate on (0: 2000, or a fifth of a table)", 0, kMany},
      {"test", "Data", &TokensConfig::test, "rows to test on (0: as validation)", 0, kMany},
      {"model",
       model,
       &TokensConfig::model,
       "linear or logistic regression, factorization machine, perceptron, 1-D convolutions, "
       "attention over tokens, or over single features (ft)",
       0,
       0,
       {"linear", "fm", "mlp", "cnn", "transformer", "ft"}},
      {"one_token", model, &TokensConfig::one_token,
       "the model gets a row as one token of all features"},
      {"layers", model, &TokensConfig::layers,
       "transformer blocks, hidden layers of an mlp, convolutions of a cnn", 1, 1000},
      {"heads", model, &TokensConfig::heads, "attention heads", 1, 10000},
      {"width", model, &TokensConfig::width,
       "size of the vector that represents a token (with embed), hidden units, channels", 1,
       100000},
      {"embed", model, &TokensConfig::embed,
       "a linear layer takes a token's features to the width; without it attention works on the "
       "features as they are"},
      {"attention",
       model,
       &TokensConfig::attention,
       "between tokens, with softmax or without (linear), or between channels (XCiT)",
       0,
       0,
       {"softmax", "linear", "channels"}},
      {"projections",
       model,
       &TokensConfig::projections,
       "W_Q, W_K and W_V; diagonal ones mix no dimensions",
       0,
       0,
       {"full", "diagonal"}},
      {"feed_forward", model, &TokensConfig::feed_forward, "feed-forward layers after attention"},
      {"norm",
       model,
       &TokensConfig::norm,
       "before attention and feed-forward layers",
       0,
       0,
       {"none", "layer", "rms"}},
      {"positions",
       model,
       &TokensConfig::positions,
       "a learned vector added to each token, or none",
       0,
       0,
       {"learned", "none"}},
      {"activation", model, &TokensConfig::activation, "of feed-forward and hidden layers", 0, 0,
       nn::choices<nn::Activation>()},
      {"mlp_ratio", model, &TokensConfig::mlp_ratio, "feed-forward size, as a multiple of width",
       0.01, 1000},
      {"rank", model, &TokensConfig::rank, "factors of a feature in fm", 1, 100000},
      {"kernel", model, &TokensConfig::kernel, "tokens that a convolution sees at once, odd", 1,
       255},
      {"dropout", model, &TokensConfig::dropout,
       "dropout: fraction of activations dropped in training", 0, 0.99},
      {"steps", "Optimization", &TokensConfig::steps, "optimizer steps", 1, kMany},
  };
  append(all, optimizer_fields());
  append(all, run_fields());
  return all;
}

/// Regression: the target of a table itself.
bool tells_numbers(const TokensConfig& c) { return !is_synthetic(c) && c.at_least == 0; }

/// Models that a choice means something to; empty: all.
std::vector<std::string> models_with(const std::string& field) {
  if (field == "rank") return {"fm"};
  if (field == "kernel") return {"cnn"};
  if (field == "embed" || field == "attention" || field == "projections" ||
      field == "feed_forward" || field == "positions")
    return {"transformer"};
  if (field == "heads" || field == "norm" || field == "mlp_ratio") return {"transformer", "ft"};
  if (field == "activation" || field == "dropout") return {"mlp", "transformer", "ft"};
  if (field == "layers" || field == "width") return {"mlp", "cnn", "transformer", "ft"};
  if (field == "one_token") return {"cnn", "transformer"};
  return {};
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

  const Fields& fields() const override {
    static const Fields table = tokens_fields();
    return table;
  }

  void start_from_model(RunConfig& config, const RunConfig& wanted) const override {
    const std::string& model = own(wanted).model;
    if (model == "linear" || model == "fm") config.lr = 1e-2;
    if (model == "mlp" || model == "cnn") config.layers = 2, config.activation = "relu";
    if (model == "mlp") config.width = 128;
    if (model == "ft") config.mlp_ratio = 2;
  }

  std::string meaningless(const RunConfig& config, const std::string& field) const override {
    const TokensConfig& c = own(config);
    const std::vector<std::string> models = models_with(field);
    if (!models.empty() && std::find(models.begin(), models.end(), c.model) == models.end())
      return "model " + c.model;
    if (field == "width" && c.model == "transformer" && !c.embed) return "no embed";
    if ((field == "mlp_ratio" || field == "activation") && c.model == "transformer" &&
        !c.feed_forward)
      return "no feed_forward";
    if ((field == "tokens" || field == "features" || field == "units") && !is_synthetic(c))
      return "data " + c.data;
    if (field == "at_least" && is_synthetic(c)) return "data " + c.data;
    if (field == "label_smoothing" && tells_numbers(c)) return "a target that is a number";
    return Kind::meaningless(config, field);
  }

  void check(const RunConfig& config) const override {
    const TokensConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    check_target(c,
                 tells_numbers(c) ? std::vector<std::string>{"mse", "r2"}
                                  : std::vector<std::string>{"accuracy"},
                 name());
    if (c.projections == "diagonal" && c.attention != "softmax")
      fail<ConfigError>("config", "diagonal projections are for softmax attention, not {}",
                        c.attention);
    if (c.model == "ft" && c.norm == "none")
      fail<ConfigError>("config", "ft has norms: norm must be layer or rms, got none");
    if (!is_synthetic(c)) return;
    made_up(c).check();
    check_model(c, rows_of(c, c.tokens, c.features));
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
    check_model(c, rows);
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
  std::int64_t width_granularity(const RunConfig& config) const override {
    const TokensConfig& c = own(config);
    return c.model == "ft" || (c.model == "transformer" && c.embed) ? c.heads : 1;
  }

 private:
  static RowFacts seen_by(const TokensConfig& c, const DataFacts& data) {
    const auto& facts = static_cast<const TokenFacts&>(data);
    return rows_of(c, facts.tokens, facts.features);
  }
  static void check_model(const TokensConfig& c, const RowFacts& rows) {
    std::visit([](const auto& model) { model.validate(); }, tokens_model_config(c, rows));
  }
};

}  // namespace

TokensConfig::TokensConfig() {
  layers = 1;
  heads = 4;
  width = 32;
  batch = 64;
  lr = 3e-3;
  weight_decay = 0;
}

const Kind& kind_of(const TokensConfig&) {
  static const TokensKind kind;
  return kind;
}

}  // namespace weft::train
