// Where a configuration comes from: defaults, then a preset, then a file, then choices read elsewhere, then flags; the later wins.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "train/config_fields.h"

namespace weft::train {

/// One choice that somebody else read, from a part of a suite's file; `where` names the place in messages, as `suite.toml:12`.
struct Choice {
  std::string name;
  Value value;
  std::string where;
};

struct Sources {
  std::string preset;                                        ///< a name, or empty
  std::filesystem::path file;                                ///< a TOML file, a run's config.json, or a run's folder; or empty
  std::vector<std::pair<std::string, std::string>> flags{};  ///< field name and what was typed
  std::vector<Choice> choices{};                             ///< after the file and before the flags; the later wins
  bool checked = true;                                       ///< false: the caller will call check(), once it has filled in what it must
};

/// Throws ConfigError: an unknown preset, key or value (with the nearest known name, and the line in a file), a number out of its limits, a
/// configuration that check() refuses, or a flag that the others make meaningless; IoError for a file that cannot be read.
TextConfig resolve_text(const Sources& sources);
VisionConfig resolve_vision(const Sources& sources);

/// Every field, with "task", as config.json holds it.
std::string to_json(const TextConfig& config);
std::string to_json(const VisionConfig& config);

/// What to_json() wrote, for a run that is taken up again; keys that are missing keep their defaults. Throws ConfigError naming `where`.
TextConfig text_from_json(const std::string& json, const std::string& where);
VisionConfig vision_from_json(const std::string& json, const std::string& where);
/// "text" or "vision". Throws ConfigError.
std::string task_of_json(const std::string& json, const std::string& where);

/// A named set of choices.
struct Preset {
  std::string name;
  std::string task;
  std::string about;
  std::vector<std::pair<std::string, std::string>> values;
};
const std::vector<Preset>& presets();
/// Names and what they are, one a line, for help.
std::string preset_help(const std::string& task);

}  // namespace weft::train
