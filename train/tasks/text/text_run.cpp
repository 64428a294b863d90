#include "train/tasks/text/text_run.h"

#include "data/split.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/text/text_model.h"

namespace weft::train {

TextRun load_text_run(const RunFacts& run) {
  want_kind(run, "text");
  TextRun loaded;
  loaded.config = config_from_json<TextConfig>(run.config_json, run.checkpoint.string());
  loaded.tokenizer = data::tokenizer_from_json(run.facts.data, run.checkpoint.string());
  loaded.model =
      std::make_unique<nn::Gpt>(gpt_config(loaded.config, loaded.tokenizer->vocab_size()));
  load_weights(run.checkpoint, *loaded.model);
  loaded.model->eval();
  loaded.progress = run.facts.progress;
  return loaded;
}

std::string fingerprint_of(const data::TextData& text) {
  return hexadecimal(
      data::batch_hash(text.ids(data::Split::train), text.ids(data::Split::validation)));
}

data::TextData text_of_run(const TextRun& run, const CheckpointFacts& facts) {
  data::TextData text = data::load_text(run.config.data, {.with_tokenizer = run.tokenizer});
  check_unchanged(fingerprint_of(text), facts, run.config.data);
  return text;
}

}  // namespace weft::train
