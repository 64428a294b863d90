#include "train/config/model_defaults.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "train/config/config_sources.h"

namespace weft::train {

std::vector<std::string> models_of(const Schema& schema) {
  const std::vector<std::string> models = schema.make()->model.registry().names();
  return models.size() > 1 ? models : std::vector<std::string>{};
}

std::unique_ptr<RunConfig> defaults_for(const Schema& schema, const std::string& model,
                                        const std::string& optimizer) {
  Sources sources;
  sources.checked = false;
  if (!model.empty()) sources.flags.emplace_back("model", model);
  if (!optimizer.empty()) sources.flags.emplace_back("optimizer", optimizer);
  return resolve(schema, sources);
}

namespace {

struct AllDefaults {
  std::vector<std::pair<std::string, std::unique_ptr<RunConfig>>> by_model, by_optimizer;
};

/// Kept: every start of the program asks for them, field by field.
const AllDefaults& all_defaults(const Schema& schema) {
  static std::map<const Schema*, AllDefaults> kept;
  AllDefaults& all = kept[&schema];
  if (!all.by_model.empty()) return all;
  std::vector<std::string> models = models_of(schema);
  if (models.empty()) models = {""};
  for (const std::string& model : models)
    all.by_model.emplace_back(model, defaults_for(schema, model));
  for (const std::string& name : optimizers().names())
    all.by_optimizer.emplace_back(name, defaults_for(schema, "", name));
  return all;
}

}  // namespace

Defaults defaults_of(const Schema& schema, const Field& field) {
  Defaults defaults;
  const AllDefaults& all = all_defaults(schema);
  const bool of_optimizers = !optimizers().with_field(field.name).empty();
  for (const auto& [name, config] : of_optimizers ? all.by_optimizer : all.by_model) {
    if (field.name == "model" && !defaults.by_entry.empty()) break;
    const std::string because = schema.meaningless(*config, field.name);
    if (because.starts_with("model ") || because.starts_with("optimizer ")) {
      defaults.some = true;
      continue;
    }
    const std::string value = value_text(*config, *schema.find_field(*config, field.name));
    const auto same = std::find_if(defaults.by_entry.begin(), defaults.by_entry.end(),
                                   [&](const auto& one) { return one.first == value; });
    if (same != defaults.by_entry.end())
      same->second.push_back(name);
    else
      defaults.by_entry.push_back({value, {name}});
  }
  return defaults;
}

std::string defaults_text(const Defaults& defaults) {
  const auto& all = defaults.by_entry;
  const auto shown = [](const std::string& value) {
    return value.empty() ? std::string("none") : value;
  };
  if (all.size() == 1)
    return fmt::format("{} alone; default: {}", fmt::join(all.front().second, ", "),
                       shown(all.front().first));
  std::string text;
  for (const auto& [value, models] : all)
    text += fmt::format("{}{} {}", text.empty() ? "default: " : "; ", fmt::join(models, ", "),
                        shown(value));
  return text;
}

}  // namespace weft::train
