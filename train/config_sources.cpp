#include "train/config_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <toml++/toml.h>

#include "core/error.h"
#include "core/file.h"

namespace weft::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxFileBytes = 1 << 20;

template <class C>
const Field<C>& find_field(const C& config, const std::string& name, std::string_view where) {
  const auto& all = fields(config);
  const auto found = std::find_if(all.begin(), all.end(), [&](const Field<C>& field) { return field.name == name; });
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const Field<C>& field : all) names.push_back(field.name);
  const std::string near = nearest(name, names);
  fail<ConfigError>(where, "unknown key {}{}", name, near.empty() ? fmt::format(": a {} run has no such choice", task_name(config)) : "; did you mean " + near + "?");
}

const Preset& find_preset(const std::string& name, std::string_view task) {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) {
    if (preset.task != task) continue;
    if (preset.name == name) return preset;
    names.push_back(preset.name);
  }
  const std::string near = nearest(name, names);
  fail<ConfigError>("config", "there is no preset {} for {}{}; presets: {}", name, task, near.empty() ? "" : ": did you mean " + near + "?", fmt::join(names, ", "));
}

template <class C>
void apply_preset(C& config, const std::string& name) {
  for (const auto& [key, value] : find_preset(name, task_name(config)).values) set_from_text(config, find_field(config, key, name), value, name);
}

Json parse_json(const std::string& text, const std::string& where) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) fail<ConfigError>(where, "is not a JSON object");
  return json;
}

template <class C>
void apply_json(C& config, const std::string& text, const std::string& where) {
  const Json json = parse_json(text, where);
  if (json.contains("task") && json["task"] != task_name(config)) {
    fail<ConfigError>(where, "is the configuration of a {} run; use `weft train {}`", json["task"].dump(), json["task"] == "text" ? "text" : "vision");
  }
  for (const auto& [key, value] : json.items()) {
    if (key == "task") continue;
    const Field<C>& field = find_field(config, key, where);
    if (value.is_boolean()) set_value(config, field, value.template get<bool>(), where);
    else if (value.is_number_integer()) set_value(config, field, value.template get<std::int64_t>(), where);
    else if (value.is_number()) set_value(config, field, value.template get<double>(), where);
    else if (value.is_string()) set_value(config, field, value.template get<std::string>(), where);
    else fail<ConfigError>(where, "{} must be a number, a text, true or false", key);
  }
}

template <class C>
void apply_toml(C& config, const toml::table& table, const std::string& where) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (name == "preset") continue;
    const std::string line = fmt::format("{}:{}", where, key.source().begin.line);
    const Field<C>& field = find_field(config, name, line);
    if (const auto* truth = node.as_boolean()) set_value(config, field, truth->get(), line);
    else if (const auto* whole = node.as_integer()) set_value(config, field, whole->get(), line);
    else if (const auto* real = node.as_floating_point()) set_value(config, field, real->get(), line);
    else if (const auto* text = node.as_string()) set_value(config, field, text->get(), line);
    else fail<ConfigError>(line, "{} must be a number, a text, true or false", name);
  }
}

toml::table parse_toml(const std::string& text, const std::string& where) {
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    fail<ConfigError>(fmt::format("{}:{}", where, error.source().begin.line), "is not TOML: {}", error.description());
  }
}

/// Whether a choice does anything in this configuration, and if not, why.
template <class C>
std::string meaningless(const C& c, const std::string& name) {
  const auto is = [&](std::initializer_list<const char*> names) { return std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; }); };
  if (is({"muon_lr"}) && c.optimizer != "muon") return "optimizer " + c.optimizer;
  if (is({"momentum"}) && c.optimizer != "muon" && c.optimizer != "sgd") return "optimizer " + c.optimizer;
  if (is({"beta1", "beta2"}) && c.optimizer == "sgd") return "optimizer " + c.optimizer;
  if (is({"decay"}) && c.schedule != "wsd") return "schedule " + c.schedule;
  if (is({"final_lr"}) && c.schedule == "constant") return "schedule " + c.schedule;
  if constexpr (std::is_same_v<C, VisionConfig>) {
    const bool block_only = is({"heads", "kv_heads", "head_size", "norm", "norm_weight", "post_norm", "qk_norm", "mlp_ratio", "zero_init", "bias", "init", "init_std", "patch", "pool", "positions"});
    if (block_only && c.model != "vit") return "model " + c.model;
    if (is({"init_std"}) && c.init != "gpt2") return "init " + c.init;
    if (is({"layers", "activation"}) && c.model == "cnn") return "model " + c.model;
  }
  return "";
}

/// Sensible sizes of the models that are no transformers, where nothing else is said.
void start_from_model(TextConfig&, const TextConfig&) {}
void start_from_model(VisionConfig& c, const VisionConfig& wanted) {
  if (wanted.model == "vit") return;
  c.layers = 2;
  c.width = wanted.model == "mlp" ? 256 : 128;
  c.activation = "relu";
  c.lr = 1e-3;
}

template <class C>
C resolve(const Sources& sources) {
  std::string preset = sources.preset;
  std::optional<toml::table> table;
  std::string json;
  std::string where = sources.file.string();
  if (!where.empty()) {
    const fs::path file = fs::is_directory(sources.file) ? sources.file / "config.json" : sources.file;
    where = file.string();
    const std::string text = read_file(where, kMaxFileBytes);
    if (file.extension() == ".json") {
      json = text;
    } else {
      table = parse_toml(text, where);
      if (const auto* node = table->get("preset"); node != nullptr && preset.empty()) {
        const auto* name = node->as_string();
        if (name == nullptr) fail<ConfigError>(where, "preset must be a text in quotes");
        preset = name->get();
      }
    }
  }
  for (const auto& [name, text] : sources.flags) {
    for (const auto& [other, other_text] : sources.flags) {
      if (name == other && text != other_text) fail<ConfigError>("flags", "{} is said to be both {} and {}: drop one of the two", name, text, other_text);
    }
  }
  const auto apply_all = [&](C& config) {
    if (!preset.empty()) apply_preset(config, preset);
    if (table) apply_toml(config, *table, where);
    if (!json.empty()) apply_json(config, json, where);
    for (const Choice& choice : sources.choices) set_value(config, find_field(config, choice.name, choice.where), choice.value, choice.where);
    for (const auto& [name, text] : sources.flags) set_from_text(config, find_field(config, name, "flags"), text, "flags");
  };
  C wanted;
  apply_all(wanted);
  C config;
  start_from_model(config, wanted);
  apply_all(config);
  for (const auto& [name, text] : sources.flags) {
    const std::string because = meaningless(config, name);
    if (!because.empty()) fail<ConfigError>("flags", "{} {} means nothing with {}: drop one of the two", find_field(config, name, "flags").flag(), text, because);
  }
  if (sources.checked) check(config);
  return config;
}

template <class C>
std::string write_json(const C& config) {
  Json json;
  json["task"] = task_name(config);
  for (const Field<C>& field : fields(config)) {
    std::visit([&](auto member) { json[field.name] = config.*member; }, field.member);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <class C>
C read_json(const std::string& json, const std::string& where) {
  C config;
  apply_json(config, json, where);
  check(config);
  return config;
}

}  // namespace

TextConfig resolve_text(const Sources& sources) { return resolve<TextConfig>(sources); }
VisionConfig resolve_vision(const Sources& sources) { return resolve<VisionConfig>(sources); }

std::string to_json(const TextConfig& config) { return write_json(config); }
std::string to_json(const VisionConfig& config) { return write_json(config); }

TextConfig text_from_json(const std::string& json, const std::string& where) { return read_json<TextConfig>(json, where); }
VisionConfig vision_from_json(const std::string& json, const std::string& where) { return read_json<VisionConfig>(json, where); }

std::string task_of_json(const std::string& text, const std::string& where) {
  const Json json = parse_json(text, where);
  const std::string task = json.contains("task") && json["task"].is_string() ? json["task"].get<std::string>() : "";
  if (task != "text" && task != "vision") fail<ConfigError>(where, "names no task that this program knows (text, vision)");
  return task;
}

}  // namespace weft::train
