#include "train/config/model_defaults.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "train/config/config_sources.h"

namespace weft::train {

std::vector<std::string> models_of(const Schema& schema) {
  const Fields& fields = schema.fields();
  const auto model = std::find_if(fields.begin(), fields.end(),
                                  [](const Field& field) { return field.name == "model"; });
  if (model == fields.end()) return {};
  std::vector<std::string> models = model->choices;
  const auto first = std::find(models.begin(), models.end(), value_text(*schema.make(), *model));
  if (first != models.end()) std::rotate(models.begin(), first, first + 1);
  return models;
}

std::unique_ptr<RunConfig> defaults_for(const Schema& schema, const std::string& model) {
  Sources sources;
  sources.checked = false;
  if (!model.empty()) sources.flags = {{"model", model}};
  return resolve(schema, sources);
}

namespace {

using ModelDefaults = std::vector<std::pair<std::string, std::unique_ptr<RunConfig>>>;

/// Kept: every start of the program asks for them, field by field.
const ModelDefaults& all_defaults(const Schema& schema) {
  static std::map<const Schema*, ModelDefaults> kept;
  ModelDefaults& all = kept[&schema];
  if (!all.empty()) return all;
  std::vector<std::string> models = models_of(schema);
  if (models.empty()) models = {""};
  for (const std::string& model : models) all.emplace_back(model, defaults_for(schema, model));
  return all;
}

}  // namespace

Defaults defaults_of(const Schema& schema, const Field& field) {
  Defaults defaults;
  for (const auto& [model, config] : all_defaults(schema)) {
    if (field.name == "model" && !defaults.models.empty()) break;
    if (schema.meaningless(*config, field.name).starts_with("model ")) {
      defaults.some = true;
      continue;
    }
    const std::string value = value_text(*config, field);
    const auto same = std::find_if(defaults.models.begin(), defaults.models.end(),
                                   [&](const auto& one) { return one.first == value; });
    if (same != defaults.models.end())
      same->second.push_back(model);
    else
      defaults.models.push_back({value, {model}});
  }
  return defaults;
}

std::string defaults_text(const Defaults& defaults) {
  const auto& all = defaults.models;
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
