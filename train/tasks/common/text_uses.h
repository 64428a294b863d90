// What can be asked of a run that reads or writes text. Tasks implement these interfaces, commands
// and explanations use them.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "data/text/tokenizer.h"
#include "nn/models/gpt.h"

namespace weft::train {

struct WriteOptions {
  std::string prompt;        ///< empty: a new line
  std::int64_t chars = 500;  ///< characters to write, the prompt not counted
  std::int64_t seed = 1;
  nn::GenerateOptions generate{.temperature = 0.8};
};

/// A run that writes text: weft sample.
class TextWriter {
 public:
  virtual ~TextWriter() = default;
  /// Calls `show` with one or more whole characters at a time; it stops the text by returning
  /// false. Returns the number of characters. Throws ConfigError for options that cannot be or a
  /// prompt that the vocabulary cannot express.
  virtual std::int64_t write_text(WriteOptions options,
                                  const std::function<bool(const std::string&)>& show) const = 0;
};

struct TextQuestion {
  std::string text;
  int top = 3;   ///< answers shown
  int beam = 4;  ///< texts that a search keeps at a time
};

/// A run that has an answer to a text: weft predict --text.
class TextPredictor {
 public:
  virtual ~TextPredictor() = default;
  /// The answer's lines as they are printed; its figures go into `entry`, the question's object.
  /// Throws ConfigError `[predict] ...` for a text that has no answer.
  virtual std::string answer(const TextQuestion& question, nlohmann::ordered_json& entry) const = 0;
  /// Flags of weft predict that do nothing for texts of this run, each with what makes it so:
  /// {"--beam", "a bert run"}.
  virtual std::vector<std::pair<const char*, std::string>> unused_flags(bool json) const = 0;
};

/// A run whose attention to a text can be looked at: weft explain attention.
class TextAttention {
 public:
  struct Sizes {
    std::int64_t layers = 0, heads = 0, context = 0;
  };

  virtual ~TextAttention() = default;
  /// Throws ConfigError `[explain] ...` for a model that has no attention.
  virtual Sizes attention_sizes() const = 0;
  virtual std::string model_line() const = 0;  ///< "GPT, 4 layers, ..., step 100"
  virtual const data::Tokenizer& tokenizer() const = 0;
  /// (B, T) i64 -> each layer's weights (B, H, T, T).
  virtual std::vector<Tensor> attention(const Tensor& ids) const = 0;
  virtual Tensor token_table() const = 0;  ///< the embedding, (V, C)
  /// The ids of the run's own validation text. Throws IoError where it is not there, ConfigError
  /// where another is in its place.
  virtual Tensor validation_ids() const = 0;
};

/// A run that learned vectors for tokens: weft explain embedding.
class WordVectors {
 public:
  virtual ~WordVectors() = default;
  virtual const data::Tokenizer& tokenizer() const = 0;
  virtual Tensor vectors() const = 0;            ///< (V, C)
  virtual std::string learned_from() const = 0;  ///< the data's name
};

}  // namespace weft::train
