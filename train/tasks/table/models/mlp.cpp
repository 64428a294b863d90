#include "nn/models/mlp.h"
#include "train/tasks/table/table_model.h"

namespace weft::train {
namespace {

struct TableMlpChoices : ModelOptions {
  std::int64_t layers = 2;
  std::int64_t width = 128;
  std::string activation = "relu";
  double dropout = 0.1;
};

/// The first layer's weights of a category's ones and zeros are its embedding.
class TableMlpEntry : public EntryOf<TableModel, TableMlpChoices> {
 public:
  std::string name() const override { return "mlp"; }
  std::string about() const override { return "perceptron"; }

  const Fields& fields() const override {
    using C = TableMlpChoices;
    static const Fields table = {
        {"layers", "Model", &C::layers, "hidden layers", 1, 1000},
        {"width", "Model", &C::width, "hidden units of a layer", 1, 100000},
        {"activation", "Model", &C::activation, "of the hidden layers", 0, 0,
         nn::choices<nn::Activation>()},
        {"dropout", "Model", &C::dropout, "dropout: fraction of activations dropped in training", 0,
         0.99}};
    return table;
  }

  std::unique_ptr<nn::Model> build(const TableConfig& c, const TableFacts& facts) const override {
    const auto& o = c.model.as<TableMlpChoices>();
    return std::make_unique<nn::Mlp>(nn::MlpConfig{
        .input_shape = Shape{facts.width()},
        .hidden = std::vector<std::int64_t>(static_cast<std::size_t>(o.layers), o.width),
        .n_class = facts.outputs,
        .activation = nn::from_name<nn::Activation>(o.activation, "activation"),
        .dropout = o.dropout});
  }
};

}  // namespace

const Entry& mlp_table_model() {
  static const TableMlpEntry entry;
  return entry;
}

}  // namespace weft::train
