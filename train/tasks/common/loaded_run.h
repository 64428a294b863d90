// A run with its weights, to be used. Each kind has a class of its own (train/tasks/<kind>/), which
// nobody outside its folder names: Kind::load() makes it, and the interfaces that it implements
// (text_uses.h, image_uses.h, click_uses.h) say what it can do.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "nn/describe.h"
#include "train/tasks/common/evaluate_run.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/common/uses.h"

namespace weft::train {

class LoadedRun {
 public:
  virtual ~LoadedRun() = default;
  LoadedRun(const LoadedRun&) = delete;
  LoadedRun& operator=(const LoadedRun&) = delete;

  const RunFacts& run() const { return run_; }
  /// The model's layers with parameters and arithmetic of one sample.
  virtual nn::Description layers() const = 0;
  /// What `weft info RUN` prints: how far the run came, its configuration, its layers.
  std::string describe() const;
  /// What `weft eval RUN` measures; see evaluate_run().
  Measured evaluate(
      const EvalRequest& request = {},
      const std::function<bool(double)>& proceed = [](double) { return true; }) const;

 protected:
  explicit LoadedRun(const RunFacts& run) : run_(run) { use_products_of(run); }

 private:
  RunFacts run_;
};

/// A kind whose finished runs are objects of class `Run`, which is made of their RunFacts.
template <class Run, class Base>
class UsedAs : public Base {
 public:
  std::vector<Use> uses() const override { return uses_of<Run>(); }
  std::unique_ptr<LoadedRun> load(const RunFacts& run) const override {
    return std::make_unique<Run>(run);
  }
};

/// Throws ConfigError unless runs of this kind can be used so: which can, and what this one can.
void want_use(const RunFacts& run, Use use);

/// A run as one that can be used by an interface. Throws as want_use() and Kind::load().
template <class Interface>
std::shared_ptr<Interface> load_as(const RunFacts& run) {
  want_use(run, UseOf<Interface>::value);
  const std::shared_ptr<LoadedRun> loaded = run.kind->load(run);
  return {loaded, &dynamic_cast<Interface&>(*loaded)};
}

}  // namespace weft::train
