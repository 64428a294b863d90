#include "core/error.h"
#include "nn/models/ft_transformer.h"
#include "train/tasks/table/table_model.h"

namespace weft::train {
namespace {

struct TableFtChoices : ModelOptions {
  std::int64_t layers = 2;
  std::int64_t heads = 4;
  std::int64_t width = 32;
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

class TableFtEntry : public EntryOf<TableModel, TableFtChoices> {
 public:
  std::string name() const override { return "ft"; }
  std::string about() const override {
    return "attention between columns, each a token of its own (FT-Transformer)";
  }

  const Fields& fields() const override {
    using C = TableFtChoices;
    static const Fields table = {
        {"layers", "Model", &C::layers, "transformer blocks", 1, 1000},
        {"heads", "Model", &C::heads, "attention heads", 1, 10000},
        {"width", "Model", &C::width, "size of the vector that represents a column", 1, 100000},
        {"norm",
         "Model",
         &C::norm,
         "before attention and feed-forward layers",
         0,
         0,
         {"layer", "rms"}},
        {"activation", "Model", &C::activation, "of the feed-forward layers", 0, 0,
         nn::choices<nn::Activation>()},
        {"mlp_ratio", "Model", &C::mlp_ratio, "feed-forward size, as a multiple of width", 0.01,
         1000},
        {"dropout", "Model", &C::dropout, "dropout: fraction of activations dropped in training", 0,
         0.99}};
    return table;
  }

  std::unique_ptr<nn::Model> build(const TableConfig& c, const TableFacts& facts) const override {
    const auto& o = c.model.as<TableFtChoices>();
    return std::make_unique<nn::FtTransformer>(nn::FtTransformerConfig{
        .input_shape = Shape{facts.width()},
        .groups = facts.widths,
        .n_class = facts.outputs,
        .n_layer = o.layers,
        .n_head = o.heads,
        .n_embd = o.width,
        .mlp_ratio = o.mlp_ratio,
        .activation = nn::from_name<nn::Activation>(o.activation, "activation"),
        .norm = o.norm == "rms" ? nn::NormKind::rms : nn::NormKind::layer,
        .dropout = o.dropout});
  }
};

}  // namespace

const Entry& ft_table_model() {
  static const TableFtEntry entry;
  return entry;
}

}  // namespace weft::train
