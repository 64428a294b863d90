// An embedding run that is used: the vectors of its tokens.
#pragma once

#include <memory>
#include <string>

#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/text_uses.h"
#include "train/tasks/embedding/embedding_task.h"

namespace weft::train {

class EmbeddingRun final : public LoadedRun, public WordVectors {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit EmbeddingRun(const RunFacts& run);

  nn::Description layers() const override { return nn::describe(*model_); }
  const data::Tokenizer& tokenizer() const override { return *tokenizer_; }
  Tensor vectors() const override { return model_->table(); }
  std::string learned_from() const override { return config_.data; }

 private:
  EmbeddingConfig config_;
  std::shared_ptr<const data::Tokenizer> tokenizer_;
  std::unique_ptr<nn::SkipGram> model_;
};

}  // namespace weft::train
