#include "train/tasks/text/text_model.h"

#include "train/loop/build_optimizer.h"

namespace weft::train {

nn::GptConfig gpt_config(const TextConfig& c, std::int64_t vocabulary) {
  nn::GptConfig gpt;
  gpt.vocab_size = vocabulary;
  gpt.block_size = c.context;
  set_blocks(gpt, c, c.positions);
  gpt.tie_weights = c.tie;
  gpt.logit_cap = c.logit_cap;
  return gpt;
}

}  // namespace weft::train
