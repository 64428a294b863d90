// A model that sequence runs may choose: one file in train/tasks/sequence/models/ and one line in
// train/tasks/sequence/sequence_models.cpp.
#pragma once

#include <functional>
#include <memory>

#include "data/synthetic/sequence_data.h"
#include "nn/module.h"
#include "train/config/block_options.h"
#include "train/tasks/sequence/sequence_config.h"

namespace weft::train {

/// Logits and targets of the positions that a model answers.
struct Answers {
  Tensor logits;
  Tensor targets;
};

/// A model, and how it is asked.
struct SequenceSolver {
  std::unique_ptr<nn::Module> model;
  std::function<Answers(const data::SequenceBatch&)> answer;
};

class SequenceModel : public Entry {
 public:
  /// Weights are drawn from the stream `init` of this thread. Of a configuration whose model is
  /// this one.
  virtual SequenceSolver build(const SequenceConfig& config,
                               const data::SequenceData& data) const = 0;
  /// Whether it needs rows that are a source and a target.
  virtual bool needs_source() const { return false; }
};

template <class O>
using SequenceModelOf = EntryOf<SequenceModel, O>;

inline const SequenceModel& model_of(const SequenceConfig& config) {
  return static_cast<const SequenceModel&>(config.model.entry());
}

}  // namespace weft::train
