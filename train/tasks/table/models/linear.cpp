#include "nn/models/mlp.h"
#include "train/tasks/table/table_model.h"

namespace weft::train {
namespace {

class TableLinearEntry : public EntryOf<TableModel, ModelOptions> {
 public:
  std::string name() const override { return "linear"; }
  std::string about() const override { return "linear or logistic regression"; }

  const Fields& fields() const override {
    static const Fields table;
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 1e-2; }

  std::unique_ptr<nn::Model> build(const TableConfig&, const TableFacts& facts) const override {
    return std::make_unique<nn::Mlp>(
        nn::MlpConfig{.input_shape = Shape{facts.width()}, .hidden = {}, .n_class = facts.outputs});
  }
};

}  // namespace

const Entry& linear_table_model() {
  static const TableLinearEntry entry;
  return entry;
}

}  // namespace weft::train
