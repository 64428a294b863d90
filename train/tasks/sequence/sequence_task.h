// Sequences: a model that answers what it is asked at some positions.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "data/synthetic/sequence_data.h"
#include "nn/models/encoder_decoder.h"
#include "nn/models/gpt.h"
#include "train/loop/trainer.h"
#include "train/tasks/common/sketch.h"
#include "train/tasks/sequence/sequence_config.h"

namespace weft::train {

data::SequenceOptions sequence_options(const SequenceConfig& config);
nn::GptConfig gpt_config(const SequenceConfig& config, const data::SequenceData& data);
/// The encoder reads what comes before the sign or separator.
nn::EncoderDecoderConfig encoder_decoder_config(const SequenceConfig& config,
                                                const data::SequenceData& data);
Sketch sketch_sequence(const SequenceConfig& config, const data::SequenceData& data);

class SequenceTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  explicit SequenceTask(const SequenceConfig& config);

  nn::Module& model() override { return *model_; }
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
  /// Logits and targets of the positions that the model answers.
  struct Answers {
    Tensor logits;
    Tensor targets;
  };

  SequenceConfig config_;
  data::SequenceData data_;
  std::unique_ptr<nn::Module> model_;
  std::function<Answers(const data::SequenceBatch&)> answer_;
  std::int64_t next_ = 0;
};

}  // namespace weft::train
