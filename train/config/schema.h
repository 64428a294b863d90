// What may be chosen for the runs of one kind: names, help, limits, defaults and rules.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/config/config_fields.h"

namespace weft::train {

/// A named set of choices.
struct Preset {
  std::string name;
  std::string about;
  std::vector<std::pair<std::string, std::string>> values;
};

class Schema {
 public:
  virtual ~Schema() = default;

  /// "text": the word after `weft train`, and "task" in config.json.
  virtual std::string name() const = 0;
  virtual std::string about() const = 0;    ///< one line of help
  virtual std::string example() const = 0;  ///< a command line

  /// Every choice, in the order of help and of config.json.
  virtual const Fields& fields() const = 0;
  /// A configuration of this kind with its defaults. All functions below get configurations of this
  /// kind.
  virtual std::unique_ptr<RunConfig> make() const = 0;
  virtual std::unique_ptr<RunConfig> copy(const RunConfig& config) const = 0;
  /// Sensible sizes of the model that is wanted, before presets, files and flags are applied
  /// (again) to `config`.
  virtual void start_from_model(RunConfig& config, const RunConfig& wanted) const;
  /// Why a choice does nothing in this configuration ("model cnn"); empty where it does something.
  virtual std::string meaningless(const RunConfig& config, const std::string& field) const;
  /// Throws ConfigError naming the first rule that a configuration breaks by itself: width and
  /// heads, limits, contradictions.
  virtual void check(const RunConfig& config) const = 0;
  /// Named recipes, in the order of help.
  virtual std::vector<Preset> presets() const { return {}; }
};

}  // namespace weft::train
