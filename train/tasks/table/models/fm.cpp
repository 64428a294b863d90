#include "core/error.h"
#include "nn/models/factorization_machine.h"
#include "train/tasks/table/table_model.h"

namespace weft::train {
namespace {

struct TableFmChoices : ModelOptions {
  std::int64_t rank = 8;
};

class TableFmEntry : public EntryOf<TableModel, TableFmChoices> {
 public:
  std::string name() const override { return "fm"; }
  std::string about() const override { return "factorization machine: of two classes or a number"; }

  const Fields& fields() const override {
    static const Fields table = {
        {"rank", "Model", &TableFmChoices::rank, "factors of a feature", 1, 100000}};
    return table;
  }

  void begin(RunConfig& c) const override { c.lr = 1e-2; }

  std::unique_ptr<nn::Model> build(const TableConfig& c, const TableFacts& facts) const override {
    if (facts.outputs != 1)
      fail<ConfigError>("config",
                        "model fm has one output, and the target has {} classes: use mlp, ft, "
                        "linear or transformer",
                        facts.outputs);
    return std::make_unique<nn::FactorizationMachine>(nn::FactorizationMachineConfig{
        .input_shape = Shape{facts.width()}, .n_factor = c.model.as<TableFmChoices>().rank});
  }
};

}  // namespace

const Entry& fm_table_model() {
  static const TableFmEntry entry;
  return entry;
}

}  // namespace weft::train
