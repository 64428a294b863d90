// Skip-gram with negative sampling on a text.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/text/skip_gram.h"
#include "data/text/tokenizer.h"
#include "nn/models/skip_gram.h"
#include "train/loop/trainer.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/embedding/embedding_config.h"

namespace weft::train {

struct EmbeddingData {
  std::shared_ptr<const data::Tokenizer> tokenizer;
  std::unique_ptr<data::SkipGramPairs> train,
      validation,  ///< the first nine tenths of the text, and the rest
      test;        ///< the end of that rest, where a test_share wants it; or null
  /// Of the planted corpus, all of them; where there is a test split, those that are asked for on
  /// validation (0) and on test data (1).
  std::vector<std::pair<std::int64_t, std::int64_t>> synonyms[2];
  std::uint64_t fingerprint = 0;
};
/// `known`: as Kind::prepare(). Throws ConfigError, IoError.
EmbeddingData load_embedding_data(const EmbeddingConfig& config, const Known& known = {});

class EmbeddingTask : public Task {
 public:
  /// Makes the model; its weights come from the stream `init` of this thread.
  EmbeddingTask(const EmbeddingConfig& config, EmbeddingData data);

  nn::SkipGram& model() override { return model_; }
  std::string unit() const override { return "pairs"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(BatchRecord& seen) override;
  /// Loss over pairs of the split, always the same ones; of the planted corpus also the share of
  /// words whose synonym is among their three nearest.
  Evaluation evaluate(data::Split split, const std::function<bool(double)>& proceed) override;
  double chance_loss() const override;
  std::string data_json() const override { return data_.tokenizer->to_json(); }
  std::string fingerprint() const override;

 private:
  EmbeddingConfig config_;
  EmbeddingData data_;
  nn::SkipGram model_;
  std::int64_t next_ = 0;
};

}  // namespace weft::train
