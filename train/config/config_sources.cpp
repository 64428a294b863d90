#include "train/config/config_sources.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/io/file.h"
#include "train/config/article.h"
#include "train/config/schema.h"
#include "train/config/utf8_text.h"

namespace weft::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxFileBytes = 1 << 20;

[[noreturn]] void refuse_key(const Schema& schema, const std::string& name,
                             std::string_view where) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) names.push_back(field.name);
  const std::string near = nearest(name, names);
  fail<ConfigError>(where, "unknown key {}{}", name,
                    near.empty()
                        ? fmt::format(": {} run has no such choice", with_article(schema.name()))
                        : "; did you mean " + near + "?");
}

std::string flag_of(const std::string& name) {
  return Field(name, "", &RunConfig::seed, "").flag();
}

/// Which choices are made. What else there is to choose depends on the model and the optimizer, so
/// that these come first, from all sources.
enum class Round { entries, rest };

/// Makes one choice. One that only another model or optimizer has is checked, and left at that.
template <class Set>
void choose(const Schema& schema, RunConfig& config, const std::string& typed,
            std::string_view where, Round round, const Set& set) {
  const std::string name = current_name(typed);
  if (const Field* const field = schema.find_field(config, name)) {
    if (field->names_entry == (round == Round::entries)) set(config, *field);
    return;
  }
  if (round == Round::entries) return;
  for (Chosen RunConfig::*const chosen : {&RunConfig::model, &RunConfig::optimizer}) {
    const auto others = (config.*chosen).registry().with_field(name);
    if (others.empty()) continue;
    for (const Entry* other : others) {
      const std::unique_ptr<RunConfig> scratch = schema.make();
      (*scratch).*chosen = other->name();
      try {
        set(*scratch, *schema.find_field(*scratch, name));
        return;
      } catch (const ConfigError&) {
        if (other == others.back()) throw;
      }
    }
  }
  refuse_key(schema, typed, where);
}

Preset find_preset(const Schema& schema, const std::string& name) {
  std::vector<std::string> names;
  for (const Preset& preset : schema.presets()) {
    if (preset.name == name) return preset;
    names.push_back(preset.name);
  }
  const std::string near = nearest(name, names);
  fail<ConfigError>("config", "there is no preset {} for {}{}; presets: {}", name, schema.name(),
                    near.empty() ? "" : ": did you mean " + near + "?", fmt::join(names, ", "));
}

void apply_preset(const Schema& schema, RunConfig& config, const std::string& name, Round round) {
  for (const auto& [key, value] : find_preset(schema, name).values)
    choose(schema, config, key, name, round, [&, text = value](RunConfig& c, const Field& field) {
      set_from_text(c, field, text, name);
    });
}

Json parse_json(const std::string& text, const std::string& where) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) fail<ConfigError>(where, "is not a JSON object");
  return json;
}

/// Files of earlier versions are read (one without a number is the first); a later one may mean
/// things that this program does not know.
std::int64_t format_of(const Json& json, const std::string& where) {
  const auto format = json.contains("format") && json["format"].is_number_integer()
                          ? json["format"].get<std::int64_t>()
                          : 1;
  if (format > kConfigFormat)
    fail<ConfigError>(where, "was written by a newer weft: format {}, this one reads up to {}",
                      format, kConfigFormat);
  if (format < 1) fail<ConfigError>(where, "format is {}, which no weft has written", format);
  return format;
}

/// Names of choices that the program made itself in a configuration that was written, and that
/// nobody has changed in it since.
std::vector<std::string> derived_in(const Json& json, const std::string& where) {
  std::vector<std::string> names;
  if (!json.contains("derived")) return names;
  if (!json["derived"].is_object())
    fail<ConfigError>(where, "derived must hold choices and what they were");
  for (const auto& [name, value] : json["derived"].items())
    if (json.contains(name) && json[name] == value) names.push_back(name);
  return names;
}

/// What a run of an earlier format does not say, because there was one way only.
void apply_old_rules(const Schema& schema, RunConfig& config) {
  if (config.format >= 3) return;
  if (const Field* const field = schema.find_field(config, "validation_rule"))
    set_value(config, *field, std::string("last"), "config");
}

/// Formats up to this one wrote the choices of all models and optimizers.
constexpr std::int64_t kLastWithAllChoices = 3;

/// What a file says. `anew`: for another run, to which what was left to the program is left again.
void apply_json(const Schema& schema, RunConfig& config, const std::string& text,
                const std::string& where, bool anew, Round round) {
  const Json json = parse_json(text, where);
  const std::vector<std::string> derived = derived_in(json, where);
  if (!anew) config.derived = derived;
  if (json.contains("task") && json["task"] != schema.name()) {
    if (!json["task"].is_string()) fail<ConfigError>(where, "task must be a text");
    const auto other = json["task"].get<std::string>();
    fail<ConfigError>(where, "is the configuration of {} run; use `weft train {}`",
                      with_article(other), other);
  }
  const std::int64_t format = format_of(json, where);
  if (!anew) {
    config.format = format;
    apply_old_rules(schema, config);
  }
  for (const auto& [key, value] : json.items()) {
    if (key == "task" || key == "format" || key == "derived") continue;
    if (anew && std::find(derived.begin(), derived.end(), key) != derived.end()) continue;
    choose(schema, config, key, where, round,
           [&, &key = key, &value = value](RunConfig& c, const Field& field) {
             if (value.is_boolean())
               set_value(c, field, value.template get<bool>(), where);
             else if (value.is_number_integer())
               set_value(c, field, value.template get<std::int64_t>(), where);
             else if (value.is_number())
               set_value(c, field, value.template get<double>(), where);
             else if (value.is_string())
               set_value(c, field, value.template get<std::string>(), where);
             else
               fail<ConfigError>(where, "{} must be a number, a text, true or false", key);
           });
    if (round == Round::rest && format > kLastWithAllChoices &&
        schema.find_field(config, current_name(key)) == nullptr)
      fail<ConfigError>(where, "{} has no effect with {}: leave it out", key,
                        schema.meaningless(config, key));
  }
}

void apply_toml(const Schema& schema, RunConfig& config, const toml::table& table,
                const std::string& where, Round round) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (name == "preset") continue;
    const std::string line = fmt::format("{}:{}", where, key.source().begin.line);
    choose(schema, config, name, line, round, [&, &node = node](RunConfig& c, const Field& field) {
      if (const auto* truth = node.as_boolean())
        set_value(c, field, truth->get(), line);
      else if (const auto* whole = node.as_integer())
        set_value(c, field, whole->get(), line);
      else if (const auto* real = node.as_floating_point())
        set_value(c, field, real->get(), line);
      else if (const auto* text = node.as_string())
        set_value(c, field, text->get(), line);
      else
        fail<ConfigError>(line, "{} must be a number, a text, true or false", name);
    });
  }
}

toml::table parse_toml(const std::string& text, const std::string& where) {
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    fail<ConfigError>(fmt::format("{}:{}", where, error.source().begin.line), "is not TOML: {}",
                      error.description());
  }
}

}  // namespace

std::unique_ptr<RunConfig> resolve(const Schema& schema, const Sources& sources) {
  std::string preset = sources.preset;
  std::optional<toml::table> table;
  std::string json;
  std::string where = sources.file.string();
  if (!where.empty()) {
    std::error_code ignored;
    const fs::path file =
        fs::is_directory(sources.file, ignored) ? sources.file / "config.json" : sources.file;
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
  for (std::size_t i = 0; i < sources.flags.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto& [name, text] = sources.flags[i];
      if (name == sources.flags[j].first)
        fail<ConfigError>("flags", "{} is given twice, as {} and as {}: remove one of the two",
                          flag_of(name), sources.flags[j].second, text);
    }
  }
  const auto apply_round = [&](RunConfig& config, Round round) {
    if (!preset.empty()) apply_preset(schema, config, preset, round);
    if (table) apply_toml(schema, config, *table, where, round);
    if (!json.empty()) apply_json(schema, config, json, where, true, round);
    for (const Choice& choice : sources.choices)
      choose(schema, config, choice.name, choice.where, round,
             [&](RunConfig& c, const Field& field) {
               set_value(c, field, choice.value, choice.where);
             });
    for (const auto& [name, text] : sources.flags)
      choose(schema, config, name, "flags", round,
             [&, &typed = text](RunConfig& c, const Field& field) {
               set_from_text(c, field, typed, "flags");
             });
  };
  const std::unique_ptr<RunConfig> wanted = schema.make();
  apply_round(*wanted, Round::entries);
  apply_round(*wanted, Round::rest);
  std::unique_ptr<RunConfig> config = schema.make();
  config->model = wanted->model.name();
  config->optimizer = wanted->optimizer.name();
  config->model.entry().begin(*config);
  config->optimizer.entry().begin(*config);
  schema.begin(*config, *wanted);
  apply_round(*config, Round::rest);
  for (const auto& [name, text] : sources.flags) {
    const std::string because = schema.meaningless(*config, name);
    if (!because.empty())
      fail<ConfigError>("flags", "{} {} has no effect with {}: remove one of the two",
                        flag_of(name), text, because);
  }
  if (sources.checked) schema.check(*config);
  return config;
}

std::string to_json(const Schema& schema, const RunConfig& config) {
  Json json;
  json["format"] = config.format;
  json["task"] = schema.name();
  for (const Field* const each : schema.fields(config)) {
    const Field& field = *each;
    const Value value = value_of(config, field);
    // Also of a path that was made absolute since it was typed.
    if (const auto* text = std::get_if<std::string>(&value))
      require_utf8(field.name, *text, "config");
    std::visit([&](const auto& one) { json[field.name] = one; }, value);
  }
  for (const std::string& name : config.derived)
    if (json.contains(name))
      json["derived"][name] = json[name];  // settling fills in what not every kind has
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::unique_ptr<RunConfig> config_from_json(const Schema& schema, const std::string& json,
                                            const std::string& where) {
  std::unique_ptr<RunConfig> config = schema.make();
  for (const Round round : {Round::entries, Round::rest})
    apply_json(schema, *config, json, where, false, round);
  schema.check(*config);
  return config;
}

std::string task_of_json(const std::string& text, const std::string& where) {
  const Json json = parse_json(text, where);
  return json.contains("task") && json["task"].is_string() ? json["task"].get<std::string>() : "";
}

std::string preset_help(const Schema& schema) {
  std::string text;
  for (const Preset& preset : schema.presets())
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", preset.name, preset.about);
  return text;
}

}  // namespace weft::train
