#include "train/tasks/common/evaluate_run.h"

#include "core/error.h"
#include "train/config/config_sources.h"

namespace weft::train {
namespace {

data::Split split_of(const std::string& name) {
  return name == "train"  ? data::Split::train
         : name == "test" ? data::Split::test
                          : data::Split::validation;
}

Prepared own_data(const RunFacts& run) {
  return prepare_again(*run.kind,
                       config_from_json(*run.kind, run.config_json, run.checkpoint.string()),
                       run.facts, "eval",
                       "it would be evaluated partly on its training data, or with other words, "
                       "classes or positions; restore them, or name other data with --data");
}

/// All of them are the validation split.
Prepared other_data(const RunFacts& run, const std::string& name) {
  auto config = config_from_json(*run.kind, run.config_json, run.checkpoint.string());
  set_value(*config, *run.kind->find_field(*config, "data"), name, "eval");
  return run.kind->prepare(std::move(config), {.data = run.facts.data, .whole = true});
}

}  // namespace

Measured evaluate_run(const RunFacts& run, const EvalRequest& request,
                      const std::function<bool(double)>& proceed) {
  use_products_of(run);
  const bool others = !request.data.empty(), test_set = run.kind->has_test_set();
  if (others && !test_set && !request.split.empty())
    fail<ConfigError>("eval",
                      "--split is of the run's own data; data given with --data are evaluated in "
                      "full: remove one of the two");
  if (others && request.split == "validation")
    fail<ConfigError>("eval", "other images have no validation split: use --split test or train");
  const Prepared prepared = others ? other_data(run, request.data) : own_data(run);
  std::string split = request.split;
  if (split.empty())
    split = !test_set ? "validation" : prepared.has_test ? "test" : others ? "train" : "validation";
  if (split == "test" && !prepared.has_test)
    fail<ConfigError>("eval",
                      "the data of this {} run have no test split: use --split validation or train",
                      run.kind->name());
  load_weights(run.checkpoint, prepared.task->model());
  prepared.task->model().eval();
  return {.split = others && !test_set ? "all" : split,
          .figures = prepared.task->evaluate(split_of(split), proceed),
          .unit = prepared.task->unit(),
          .chance = prepared.task->chance_loss(),
          .notes = others ? prepared.notes : std::vector<std::string>()};
}

}  // namespace weft::train
