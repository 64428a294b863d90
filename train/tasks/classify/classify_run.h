// A classify run that is used: it names the class of a text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/tasks/classify/classify_model.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/text_uses.h"

namespace weft::train {

class ClassifyRun final : public LoadedRun, public TextPredictor {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit ClassifyRun(const RunFacts& run);

  nn::Description layers() const override { return nn::describe(*model_); }
  std::string answer(const TextQuestion& question, nlohmann::ordered_json& entry) const override;
  std::vector<std::pair<const char*, std::string>> unused_flags(bool json) const override;

  /// The probability of each class. Throws ConfigError for a text without a word.
  std::vector<double> probabilities(const std::string& text) const;

 private:
  ClassifyConfig config_;
  ClassifierFacts facts_;
  std::unique_ptr<nn::Model> model_;  ///< in evaluation mode
};

}  // namespace weft::train
