// A model that text runs may choose: one file in train/tasks/text/models/ and one line in
// train/tasks/text/text_models.cpp.
#pragma once

#include <memory>

#include "nn/language_model.h"
#include "train/config/block_options.h"
#include "train/tasks/text/text_config.h"

namespace weft::train {

class TextModel : public Entry {
 public:
  /// Weights are drawn from the stream `init` of this thread. Of a configuration whose model is
  /// this one.
  virtual std::unique_ptr<nn::LanguageModel> build(const TextConfig& config,
                                                   std::int64_t vocabulary) const = 0;
};

template <class O>
using TextModelOf = EntryOf<TextModel, O>;

/// Of the model that is chosen.
std::unique_ptr<nn::LanguageModel> build_model(const TextConfig& config, std::int64_t vocabulary);

/// What is known of the data only when it is there. Throws ConfigError: context longer than the
/// data.
void check_data(const TextConfig& config, std::int64_t train_tokens, std::int64_t val_tokens);

}  // namespace weft::train
