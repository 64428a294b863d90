// A bert run that is used: it fills in hidden words.
#pragma once

#include <string>

#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/pretrained_encoder.h"
#include "train/tasks/common/text_uses.h"

namespace weft::train {

class BertRun final : public LoadedRun, public TextPredictor {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit BertRun(const RunFacts& run) : LoadedRun(run), encoder_(load_pretrained_encoder(run)) {}

  nn::Description layers() const override { return nn::describe(*encoder_.model); }
  std::string answer(const TextQuestion& question, nlohmann::ordered_json& entry) const override;
  std::vector<std::pair<const char*, std::string>> unused_flags(bool) const override {
    return {{"--beam", "a bert run"}};
  }

 private:
  PretrainedEncoder encoder_;
};

}  // namespace weft::train
