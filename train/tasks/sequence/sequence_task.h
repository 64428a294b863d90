// Sequences: a model that answers what it is asked at some positions.
#pragma once

#include <string>

#include "data/synthetic/sequence_data.h"
#include "train/loop/trainer.h"
#include "train/tasks/sequence/sequence_model.h"

namespace weft::train {

data::SequenceOptions sequence_options(const SequenceConfig& config);

class SequenceTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  explicit SequenceTask(const SequenceConfig& config);

  nn::Module& model() override { return *solver_.model; }
  std::string unit() const override { return "tokens"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(BatchRecord& seen) override;
  /// Loss and accuracy over the asked positions; `exact`: rows with every answer right, which is
  /// what greedy decoding gets right from beginning to end.
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  double chance_loss() const override;
  std::string data_json() const override { return "{}"; }
  std::string fingerprint() const override;
  /// One row through the model: what its layers are described by.
  void answer_one_row() const;

 private:
  SequenceConfig config_;
  data::SequenceData data_;
  SequenceSolver solver_;
  std::int64_t next_ = 0;
};

}  // namespace weft::train
