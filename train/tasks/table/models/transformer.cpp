#include "core/error.h"
#include "nn/models/token_transformer.h"
#include "train/tasks/table/table_model.h"

namespace weft::train {
namespace {

constexpr std::int64_t kWidestColumn = 4096;

struct TableTransformerChoices : ModelOptions {
  std::int64_t layers = 2;
  std::int64_t heads = 4;
  std::int64_t width = 32;
  std::string attention = "softmax";
  std::string norm = "layer";
  std::string activation = "gelu_erf";
  double mlp_ratio = 2;
  double dropout = 0.1;

  std::int64_t width_granularity() const override { return heads; }
  std::int64_t row_blocks(const std::string& name) const override {
    if (activation == "swiglu" && name.ends_with("fc1.weight")) return 2;
    return ModelOptions::row_blocks(name);
  }
};

class TableTransformerEntry : public EntryOf<TableModel, TableTransformerChoices> {
 public:
  std::string name() const override { return "transformer"; }
  std::string about() const override {
    return "attention between columns that share one embedding, with a position vector each";
  }
  bool reads_tokens() const override { return true; }

  const Fields& fields() const override {
    using C = TableTransformerChoices;
    static const Fields table = {
        {"layers", "Model", &C::layers, "transformer blocks", 1, 1000},
        {"heads", "Model", &C::heads, "attention heads", 1, 10000},
        {"width", "Model", &C::width, "size of the vector that represents a column", 1, 100000},
        {"attention",
         "Model",
         &C::attention,
         "between tokens, with softmax or without (linear), or between channels (XCiT)",
         0,
         0,
         {"softmax", "linear", "channels"}},
        {"norm",
         "Model",
         &C::norm,
         "before attention and feed-forward layers",
         0,
         0,
         {"layer", "rms", "none"}},
        {"activation", "Model", &C::activation, "of the feed-forward layers", 0, 0,
         nn::choices<nn::Activation>()},
        {"mlp_ratio", "Model", &C::mlp_ratio, "feed-forward size, as a multiple of width", 0.01,
         1000},
        {"dropout", "Model", &C::dropout, "dropout: fraction of activations dropped in training", 0,
         0.99}};
    return table;
  }

  std::unique_ptr<nn::Model> build(const TableConfig& c, const TableFacts& facts) const override {
    const auto& o = c.model.as<TableTransformerChoices>();
    if (facts.widest() > kWidestColumn)
      fail<ConfigError>("config",
                        "model transformer takes columns of at most {} features, and one has {}: "
                        "lower --most-categories, or use ft",
                        kWidestColumn, facts.widest());
    return std::make_unique<nn::TokenTransformer>(nn::TokenTransformerConfig{
        .n_token = std::ssize(facts.widths),
        .n_feature = facts.widest(),
        .n_class = facts.outputs,
        .embed = true,
        .n_embd = o.width,
        .n_layer = o.layers,
        .n_head = o.heads,
        .mixer = o.attention == "linear"     ? nn::TokenMixer::linear
                 : o.attention == "channels" ? nn::TokenMixer::cross_covariance
                                             : nn::TokenMixer::full,
        .feed_forward = true,
        .mlp_ratio = o.mlp_ratio,
        .activation = nn::from_name<nn::Activation>(o.activation, "activation"),
        .norm = o.norm != "none",
        .norm_kind = o.norm == "rms" ? nn::NormKind::rms : nn::NormKind::layer,
        .dropout = o.dropout});
  }
};

}  // namespace

const Entry& transformer_table_model() {
  static const TableTransformerEntry entry;
  return entry;
}

}  // namespace weft::train
