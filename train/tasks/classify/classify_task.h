// Classifying texts: fine-tuning a BERT, or logistic regression on words.
#pragma once

#include "train/loop/trainer.h"
#include "train/tasks/classify/classify_model.h"

namespace weft::train {

struct ClassifyData {
  EncoderData encoder;
  std::vector<std::int64_t> labels[3];
  std::vector<std::int32_t> bytes;  ///< of the training texts: what batches are made by, so that
                                    ///< they are the same whatever the tokenizer
  std::vector<std::string> classes;
  std::int64_t positive = 0;
  bool f1 =
      true;  ///< whether F1 of `positive` is measured: of two labels, and where it was asked for
  bool macro_f1 = false;  ///< of more than two
};
/// Texts, labels and, unless it is given, a vocabulary made of the training texts. Throws
/// ConfigError, IoError. `whole`: other texts, all of them in the validation split.
ClassifyData load_classify_data(const ClassifyConfig& config,
                                std::shared_ptr<const data::WordTokenizer> tokenizer,
                                bool whole = false);

/// Labels of other texts as the classes of a run, by their names; F1 is of config.positive, or of
/// the rarest where that is none. Throws ConfigError for a label that the run does not know.
void take_classes(ClassifyData& data, const std::vector<std::string>& classes,
                  const ClassifyConfig& config);

class ClassifyTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread, those of the encoder
  /// from `pretrained` where it is given.
  ClassifyTask(const ClassifyConfig& config, ClassifyData data, const nn::Bert* pretrained);

  nn::Model& model() override { return *model_; }
  std::string unit() const override { return "texts"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(BatchRecord& seen) override;
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  bool samples() const override { return sample_.size() < data_.encoder.sequences[1].size(); }
  Evaluation evaluate_sample(const std::function<bool(double)>& proceed) override {
    return measure(data::Split::validation, sample_, proceed);
  }
  bool whole_at_end() const override { return config_.whole_at_end; }
  double chance_loss() const override;
  std::string data_json() const override {
    return ClassifierFacts{data_.encoder.tokenizer, data_.classes}.to_json();
  }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  Evaluation measure(data::Split split, const std::vector<std::int64_t>& chosen,
                     const std::function<bool(double)>& proceed);

  ClassifyConfig config_;
  ClassifyData data_;
  std::unique_ptr<nn::Model> model_;
  const nn::Bert* bert_;  ///< the same model, where it is one
  data::EpochOrder order_;
  std::vector<std::int64_t> sample_;  ///< of the validation texts, those that evaluations look at
  std::string fingerprint_;
  std::int64_t next_ = 0;
};

}  // namespace weft::train
