// A translate run that is used: it writes the text that belongs to one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/text_uses.h"
#include "train/tasks/translate/translate_task.h"

namespace weft::train {

struct Translation {
  std::string text;
  double log_probability = 0;  ///< of the whole text
};

class TranslateRun final : public LoadedRun, public TextPredictor {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit TranslateRun(const RunFacts& run);

  nn::Description layers() const override;
  std::string answer(const TextQuestion& question, nlohmann::ordered_json& entry) const override;
  std::vector<std::pair<const char*, std::string>> unused_flags(bool) const override { return {}; }

  /// The best targets that a beam search finds, best first. Throws ConfigError for a source that is
  /// empty, too long, or has a character that training never showed; and for a beam that cannot be.
  std::vector<Translation> translate(const std::string& source, std::int64_t beam) const;

 private:
  TranslateConfig config_;
  TranslateVocabulary vocabulary_;
  std::unique_ptr<nn::EncoderDecoder> model_;  ///< in evaluation mode
};

}  // namespace weft::train
