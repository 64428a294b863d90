// A model that classify runs may choose: one file in train/tasks/classify/models/ and one line in
// train/tasks/classify/classify_models.cpp. And the texts of such a run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/model.h"
#include "train/tasks/classify/classify_config.h"
#include "train/tasks/common/encoder.h"

namespace weft::train {

/// What a classifier must know of its texts.
struct ClassifierFacts {
  std::shared_ptr<const data::WordTokenizer> tokenizer;
  std::vector<std::string> classes;

  std::string to_json() const;
  /// Throws ConfigError, `[where] ...`.
  static ClassifierFacts from_json(const std::string& json, const std::string& where);
};

class ClassifyModel : public Entry {
 public:
  /// Weights are drawn from the stream `init` of this thread. Of a configuration whose model is
  /// this one.
  virtual std::unique_ptr<nn::Model> build(const ClassifyConfig& config, std::int64_t vocabulary,
                                           std::int64_t classes) const = 0;
};

template <class O>
using ClassifyModelOf = EntryOf<ClassifyModel, O>;

/// Whether it is a BERT, which can be pretrained.
inline bool is_bert(const ClassifyConfig& config) {
  return config.model.as_if<BertChoices>() != nullptr;
}
/// Of the model that is chosen.
std::unique_ptr<nn::Model> build_classifier(const ClassifyConfig& config, std::int64_t vocabulary,
                                            std::int64_t classes);
nn::BertConfig classifier_config(const ClassifyConfig& config, std::int64_t vocabulary,
                                 std::int64_t classes);
/// Copies the encoder of a pretrained model; the classifier keeps its first weights.
void take_encoder(nn::Bert& model, const nn::Bert& pretrained);
/// Throws ConfigError where `config` asks for other sizes than the run it begins with.
void check_same_encoder(const ClassifyConfig& config, const BertRunConfig& pretrained);

}  // namespace weft::train
