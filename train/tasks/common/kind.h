// A kind of run: what `weft train KIND` trains. Everything that is particular to it stands behind
// this one interface, in train/tasks/<kind>/, so that training, resuming, evaluating and comparing
// are written once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "train/config/schema.h"
#include "train/loop/memory_estimate.h"
#include "train/loop/prepared.h"
#include "train/loop/target.h"
#include "train/loop/trainer.h"
#include "train/tasks/common/sketch.h"
#include "train/tasks/common/uses.h"

namespace weft::train {

class LoadedRun;
struct RunFacts;

/// What a kind must know of its data to size a model: the vocabulary, the image's shape, ...
struct DataFacts {
  virtual ~DataFacts() = default;
};

/// What a run that is there already knows of its data, to read them as it did: by the vocabulary
/// and the statistics that it learned with.
struct Known {
  std::string data;  ///< Task::data_json() of its checkpoint; empty: the run is new, and makes all
                     ///< that from its data
  bool whole = false;  ///< the data are not those it learned from: all of them are to be measured,
                       ///< as the validation split
};

/// How long a run is.
struct Length {
  std::int64_t steps = 0;
  double samples = 0;  ///< that all steps see together, in the unit of forward_flops()
};

class Kind : public Schema {
 public:
  /// What a finished run can be used for; this and load() come from UsedAs (loaded_run.h).
  virtual std::vector<Use> uses() const = 0;
  bool can(Use use) const;
  /// The command that uses a run so, as one would type it.
  virtual std::string command(Use use) const { return command_of(use); }
  /// All of them: "weft sample RUN, weft eval RUN".
  std::string commands() const;
  /// A run with its weights. Throws ConfigError for a checkpoint that does not fit, IoError for a
  /// torn one.
  virtual std::unique_ptr<LoadedRun> load(const RunFacts& run) const = 0;
  /// Whether data sets of this kind come with a test set that all measure by, as sets of images do:
  /// then evaluations look at it unless told otherwise, also that of other data.
  virtual bool has_test_set() const { return false; }
  /// Names in an evaluation beside the loss.
  virtual std::vector<std::string> figures() const = 0;
  /// Loads the data, settles the configuration, builds the model; its weights come from the stream
  /// `init` of this thread. Throws ConfigError, IoError. With `known` of an earlier run its data
  /// are read as that run read them. A kind that cannot read other data whole refuses: [eval] ...
  virtual Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known = {}) const = 0;

  /// For budgets. Nothing is trained.
  virtual std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const = 0;
  virtual Length length(const RunConfig& config, const DataFacts& data) const = 0;
  /// The model and its loss, of shapes alone: what the next four ask. `data` outlives the sketch.
  virtual Sketch sketch(const RunConfig& config, const DataFacts& data) const = 0;
  double parameters(const RunConfig& config, const DataFacts& data) const;
  double forward_flops(const RunConfig& config, const DataFacts& data) const;  ///< of one sample
  /// A training step of `batch` samples: its products, and the memory that it needs.
  nn::StepDescription describe_step(const RunConfig& config, const DataFacts& data,
                                    std::int64_t batch) const;
  /// Throws ConfigError where a step of the configuration surely is more than the memory there is.
  void check_fits(const RunConfig& config, const DataFacts& data) const;
  /// What a width must be a multiple of.
  static std::int64_t width_granularity(const RunConfig& config) {
    return config.model.as<ModelOptions>().width_granularity();
  }
  /// Keeps data for a test split where they have none of their own, as comparisons want it: what
  /// learning rates are chosen by is not what arms are judged by.
  virtual void keep_test_split(RunConfig&) const {}
  /// Whether every seed is judged by test data of its own, so that how figures vary between seeds
  /// is how they vary between seeds and test data.
  virtual bool tests_afresh(const RunConfig&) const { return false; }
  /// Puts the number of steps into a configuration.
  virtual void set_steps(RunConfig& config, std::int64_t steps, const DataFacts& data) const = 0;
};

/// The part that follows from the type of the configuration alone.
template <class C>
class KindOf : public Kind {
 public:
  std::unique_ptr<RunConfig> make() const override { return std::make_unique<C>(); }
  std::unique_ptr<RunConfig> copy(const RunConfig& config) const override {
    return std::make_unique<C>(own(config));
  }

 protected:
  static const C& own(const RunConfig& config) { return static_cast<const C&>(config); }
  static C& own(RunConfig& config) { return static_cast<C&>(config); }
};

/// A kind whose runs are as long as their choice `steps` says.
template <class C>
class KindBySteps : public KindOf<C> {
 public:
  Length length(const RunConfig& config, const DataFacts&) const override {
    const C& c = this->own(config);
    return {.steps = c.steps,
            .samples = static_cast<double>(c.steps) * static_cast<double>(c.batch) *
                       static_cast<double>(c.accumulate)};
  }
  void set_steps(RunConfig& config, std::int64_t steps, const DataFacts&) const override {
    this->own(config).steps = steps;
  }

 protected:
  /// settle_common() with so many evaluations, but at least so many steps between them.
  static void settle(C& c, std::int64_t evaluations = 10, std::int64_t fewest_steps = 100) {
    settle_common(c, c.steps, std::min(c.steps, std::max(fewest_steps, c.steps / evaluations)));
  }
};

/// What such a run will take, found out by making a few steps of it.
MemoryNeed estimate_memory(const Kind& kind, const RunConfig& config);

/// A whole run: data, model, training, files. `config` comes from resolve(), for a new run into
/// options.out. Throws ConfigError, IoError, NumericError, MemoryError; nothing is left behind by
/// what is found out before the first step.
Summary train_run(const Kind& kind, const RunConfig& config, const RunOptions& options);
/// The run of a checkpoint with its own data, for whoever goes on with it or measures it; its
/// weights are not loaded. Throws ConfigError where the data are not those that it learned from;
/// `mend` says what can be done about it.
Prepared prepare_again(const Kind& kind, std::unique_ptr<RunConfig> config,
                       const CheckpointFacts& facts, const std::string& where,
                       const std::string& mend);
/// Throws ConfigError unless a task's data are those of a checkpoint.
void check_same_data(const Task& task, const CheckpointFacts& facts, const std::string& where,
                     const std::string& mend);
/// The same for a configuration whose type says its kind.
template <class C>
Summary train_run(const C& config, const RunOptions& options) {
  return train_run(kind_of(config), config, options);
}

}  // namespace weft::train
