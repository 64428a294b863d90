// Text: a model that predicts the next token.
#pragma once

#include <memory>

#include "data/text/text_dataset.h"
#include "nn/language_model.h"
#include "train/loop/trainer.h"
#include "train/tasks/text/text_config.h"

namespace weft::train {

class TextTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  TextTask(const TextConfig& config, data::TextData data);

  nn::LanguageModel& model() override { return *model_; }
  std::string unit() const override { return "tokens"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(BatchRecord& seen) override;
  /// Loss over every token of the split but the first.
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  bool samples() const override {
    return config_.eval_tokens > 0 &&
           config_.eval_tokens < data_.eval_tokens(data::Split::validation);
  }
  Evaluation evaluate_sample(const std::function<bool(double)>& proceed) override;
  bool whole_at_end() const override { return config_.whole_at_end; }
  double chance_loss() const override;
  std::string data_json() const override { return data_.tokenizer().to_json(); }
  std::string fingerprint() const override { return fingerprint_; }
  const data::TextData& data() const { return data_; }

 private:
  TextConfig config_;
  data::TextData data_;
  std::unique_ptr<nn::LanguageModel> model_;
  std::string fingerprint_;
  std::int64_t next_ = 0;
};

/// Loss in nats and bits per byte of a model over a whole split, or over `most` tokens spread over
/// it.
Evaluation evaluate_text(const nn::LanguageModel& model, const data::TextData& data,
                         data::Split split, const std::function<bool(double)>& proceed,
                         std::int64_t most = 0);

}  // namespace weft::train
