// Where a configuration comes from: defaults, then a preset, then a file, then choices read
// elsewhere, then flags; the later wins.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/config/schema.h"

namespace weft::train {

/// One choice that somebody else read, from a part of a suite's file; `where` names the place in
/// messages, as `suite.toml:12`.
struct Choice {
  std::string name;
  Value value;
  std::string where;
};

struct Sources {
  std::string preset;          ///< a name, or empty
  std::filesystem::path file;  ///< a TOML file, a run's config.json, or a run's folder; or empty
  std::vector<std::pair<std::string, std::string>> flags{};  ///< field name and what was typed
  std::vector<Choice> choices{};  ///< after the file and before the flags; the later wins
  bool checked = true;  ///< false: the caller will call check(), once it has filled in what it must
};

/// Throws ConfigError: an unknown preset, key or value (with the nearest known name, and the line
/// in a file), a number out of its limits, a configuration that Schema::check() refuses, or a flag
/// that the others make meaningless; IoError for a file that cannot be read.
std::unique_ptr<RunConfig> resolve(const Schema& schema, const Sources& sources);
/// The same for a kind by the type of its configuration: resolve<TextConfig>(sources).
template <class C>
C resolve(const Sources& sources) {
  return static_cast<const C&>(*resolve(kind_of(C()), sources));
}

/// Every field, with "task" (the kind's name), as config.json holds it.
std::string to_json(const Schema& schema, const RunConfig& config);
template <class C>
std::string to_json(const C& config) {
  return to_json(kind_of(config), config);
}

/// What to_json() wrote, for a run that is taken up again; keys that are missing keep their
/// defaults. Throws ConfigError naming `where`.
std::unique_ptr<RunConfig> config_from_json(const Schema& schema, const std::string& json,
                                            const std::string& where);
template <class C>
C config_from_json(const std::string& json, const std::string& where) {
  return static_cast<const C&>(*config_from_json(kind_of(C()), json, where));
}

/// What "task" says in a config.json; empty where it says nothing. Throws ConfigError.
std::string task_of_json(const std::string& json, const std::string& where);

/// Names and what they are, one a line, for help.
std::string preset_help(const Schema& schema);

}  // namespace weft::train
