#include "train/tasks/table/table_model.h"

#include <algorithm>
#include <numeric>

namespace weft::train {
namespace {

const TableModel& model_of(const TableConfig& c) {
  return static_cast<const TableModel&>(c.model.entry());
}

}  // namespace

TableFacts TableFacts::of(const data::TableSchema& schema) {
  return {.widths = schema.widths(), .outputs = schema.target.outputs()};
}

std::int64_t TableFacts::width() const {
  return std::accumulate(widths.begin(), widths.end(), std::int64_t{0});
}

std::int64_t TableFacts::widest() const { return *std::max_element(widths.begin(), widths.end()); }

std::unique_ptr<nn::Model> build_model(const TableConfig& c, const TableFacts& facts) {
  return model_of(c).build(c, facts);
}

Tensor model_input(const TableConfig& c, const data::TableRows& from,
                   const std::vector<std::int64_t>& rows, const data::TableSchema& schema) {
  return model_of(c).reads_tokens() ? data::table_tokens(from, rows, schema)
                                    : data::table_features(from, rows, schema);
}

}  // namespace weft::train
