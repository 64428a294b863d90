// Pretraining: BERT fills in hidden words.
#pragma once

#include "train/loop/trainer.h"
#include "train/tasks/common/encoder.h"
#include "train/tasks/common/encoder_config.h"

namespace weft::train {

class BertTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  BertTask(const BertRunConfig& config, EncoderData data);

  nn::Bert& model() override { return model_; }
  std::string unit() const override { return "tokens"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(BatchRecord& seen) override;
  /// Loss and accuracy over hidden tokens, always the same ones.
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  bool samples() const override { return sample_.size() < data_.sequences[1].size(); }
  Evaluation evaluate_sample(const std::function<bool(double)>& proceed) override {
    return measure(data::Split::validation, sample_, proceed);
  }
  bool whole_at_end() const override { return config_.whole_at_end; }
  double chance_loss() const override;
  std::string data_json() const override { return data_.tokenizer->to_json(); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  void add_masked(Predictions& predictions, const data::MaskedBatch& batch) const;
  Evaluation measure(data::Split split, const std::vector<std::int64_t>& chosen,
                     const std::function<bool(double)>& proceed);

  BertRunConfig config_;
  EncoderData data_;
  nn::Bert model_;
  data::EpochOrder order_;
  std::vector<std::int64_t>
      sample_;  ///< of the validation sequences, those that evaluations look at
  std::string fingerprint_;
  std::int64_t next_ = 0;
};

}  // namespace weft::train
