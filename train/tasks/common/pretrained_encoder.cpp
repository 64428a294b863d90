#include "train/tasks/common/pretrained_encoder.h"

#include "train/tasks/common/encoder.h"
#include "train/tasks/common/run_facts.h"

namespace weft::train {

PretrainedEncoder load_pretrained_encoder(const RunFacts& run) {
  PretrainedEncoder loaded;
  loaded.config = config_from_json<BertRunConfig>(run.config_json, run.checkpoint.string());
  loaded.tokenizer = data::WordTokenizer::from_json(run.facts.data, run.checkpoint.string());
  loaded.model = std::make_unique<nn::Bert>(
      bert_config(loaded.config, loaded.tokenizer->vocab_size(), 0, true));
  load_weights(run.checkpoint, *loaded.model);
  loaded.model->eval();
  return loaded;
}

}  // namespace weft::train
