// A text run that is used: it writes, and shows what it attends to.
#pragma once

#include <memory>
#include <string>

#include "data/text/text_dataset.h"
#include "nn/language_model.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/text_uses.h"
#include "train/tasks/text/text_config.h"

namespace weft::nn {
class Gpt;
}

namespace weft::train {

class TextRun final : public LoadedRun, public TextWriter, public TextAttention {
 public:
  /// Throws ConfigError for a run of another kind or a checkpoint that does not fit, IoError for a
  /// torn one.
  explicit TextRun(const RunFacts& run);

  nn::LanguageModel& model() const { return *model_; }  ///< in evaluation mode
  nn::Description layers() const override;

  std::int64_t write_text(WriteOptions options,
                          const std::function<bool(const std::string&)>& show) const override;

  Sizes attention_sizes() const override;
  std::string model_line() const override;
  const data::Tokenizer& tokenizer() const override { return *tokenizer_; }
  std::vector<Tensor> attention(const Tensor& ids) const override;
  Tensor token_table() const override;
  Tensor validation_ids() const override;

 private:
  /// Throws ConfigError for a model without attention.
  const nn::Gpt& gpt() const;

  TextConfig config_;
  std::shared_ptr<const data::Tokenizer> tokenizer_;
  std::unique_ptr<nn::LanguageModel> model_;
};

/// What Task::fingerprint() says of such data.
std::string fingerprint_of(const data::TextData& text);

}  // namespace weft::train
