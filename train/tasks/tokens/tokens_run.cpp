#include "train/tasks/tokens/tokens_run.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace weft::train {
namespace {

std::unique_ptr<nn::Model> model_of(const RunFacts& run) {
  const std::string where = run.checkpoint.string();
  const auto config = config_from_json<TokensConfig>(run.config_json, where);
  const auto json = nlohmann::ordered_json::parse(run.facts.data, nullptr, false);
  const auto size = [&](const char* name) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_number_integer();
    const std::int64_t value = there ? json[name].get<std::int64_t>() : 0;
    if (value < 1 || value > 1'000'000'000)
      fail<ConfigError>(where, "{} of the rows must be a number from 1 to 1000000000", name);
    return value;
  };
  return build_model(config, rows_of(config, size("tokens"), size("features")));
}

}  // namespace

TokensRun::TokensRun(const RunFacts& run) : LoadedRun(run), model_(model_of(run)) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

}  // namespace weft::train
