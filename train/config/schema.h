// What may be chosen for the runs of one kind: names, help, limits, defaults and rules.
#pragma once

#include <memory>
#include <mutex>
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

  /// The kind's own table: its choices, and those of the model, the optimizer and the run.
  virtual const Fields& own_fields() const = 0;
  /// The choices that a configuration has, in the order of help and of config.json: the kind's own,
  /// and behind the choice of a model or an optimizer those that it has. A choice between one is
  /// none.
  std::vector<const Field*> fields(const RunConfig& config) const;
  /// One of them, or nullptr.
  const Field* find_field(const RunConfig& config, const std::string& name) const;
  /// The choices of the kind with all of its models and optimizers. Of those of one name that
  /// several have, only names and texts of help hold for all.
  const Fields& fields() const;
  /// A configuration of this kind with its defaults. All functions below get configurations of this
  /// kind.
  virtual std::unique_ptr<RunConfig> make() const = 0;
  virtual std::unique_ptr<RunConfig> copy(const RunConfig& config) const = 0;
  /// What a configuration begins with because of what is wanted, before presets, files and flags
  /// are applied (again) to it: the sizes of the run that it goes on from.
  virtual void begin(RunConfig& config, const RunConfig& wanted) const;
  /// Why a choice does nothing in this configuration ("model cnn"); empty where it does something.
  std::string meaningless(const RunConfig& config, const std::string& field) const;
  /// Throws ConfigError naming the first rule that a configuration breaks by itself: width and
  /// heads, limits, contradictions.
  virtual void check(const RunConfig& config) const = 0;
  /// Named recipes, in the order of help.
  virtual std::vector<Preset> presets() const { return {}; }

 private:
  mutable std::once_flag once_;
  mutable Fields all_;
};

}  // namespace weft::train
