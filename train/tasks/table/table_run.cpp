#include "train/tasks/table/table_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/check.h"

namespace weft::train {
namespace {

constexpr std::int64_t kRowsAtOnce = 500;

}  // namespace

TableRun::TableRun(const RunFacts& run)
    : LoadedRun(run),
      config_(config_from_json<TableConfig>(run.config_json, run.checkpoint.string())),
      known_(TableKnown::from_json(run.facts.data, run.checkpoint.string())),
      model_(build_model(config_, TableFacts::of(known_.schema))) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

RowGuesses TableRun::predict_rows(const std::string& file, bool skip_bad) const {
  const data::TableSchema& schema = known_.schema;
  const data::Records table = data::Records::read(
      file, {.header = schema.named ? data::HeaderRule::yes : data::HeaderRule::automatic,
             .skip_bad = skip_bad});
  const data::TableRows rows = data::read_rows(table, schema, false);
  RowGuesses guesses{.target = schema.target.name, .classes = schema.target.classes};
  if (table.skipped() > 0)
    guesses.notes.push_back(fmt::format("{}: left out {} line{} with too few or too many fields",
                                        file, table.skipped(), table.skipped() == 1 ? "" : "s"));
  if (rows.unknown > 0)
    guesses.notes.push_back(
        fmt::format("{}: {} cell{} a category that training rows did not have, or rarely", file,
                    rows.unknown, rows.unknown == 1 ? " holds" : "s hold"));
  const NoGrad no_grad;
  for (std::int64_t begin = 0; begin < rows.size(); begin += kRowsAtOnce) {
    std::vector<std::int64_t> some;
    for (std::int64_t row = begin; row < std::min(rows.size(), begin + kRowsAtOnce); ++row)
      some.push_back(row);
    const Tensor outputs = (*model_)(model_input(config_, rows, some, schema));
    nn::check_logits("predict", outputs.to_vector<double>());  // what has no order is not ranked
    for (const RowAnswer& answer : read_outputs(outputs, schema.target)) {
      if (schema.target.is_number()) {
        guesses.answers.push_back(fmt::format("{}", answer.guess));
        continue;
      }
      guesses.answers.push_back(schema.target.classes[static_cast<std::size_t>(answer.guess)]);
      guesses.probabilities.insert(guesses.probabilities.end(), answer.probabilities.begin(),
                                   answer.probabilities.end());
    }
  }
  return guesses;
}

}  // namespace weft::train
