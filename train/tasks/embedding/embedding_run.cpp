#include "train/tasks/embedding/embedding_run.h"

#include "train/config/block_options.h"

namespace weft::train {

EmbeddingRun::EmbeddingRun(const RunFacts& run)
    : LoadedRun(run),
      config_(config_from_json<EmbeddingConfig>(run.config_json, run.checkpoint.string())),
      tokenizer_(data::tokenizer_from_json(run.facts.data, run.checkpoint.string())),
      model_(std::make_unique<nn::SkipGram>(nn::SkipGramConfig{
          .vocab_size = tokenizer_->vocab_size(), .n_embd = width_of(config_)})) {
  load_weights(run.checkpoint, *model_);
  model_->eval();
}

}  // namespace weft::train
