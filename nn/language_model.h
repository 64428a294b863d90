// LanguageModel: a model that predicts the next token, and that can write.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/random.h"
#include "nn/model.h"

namespace weft::nn {

struct GenerateOptions {
  std::int64_t max_new_tokens = 100;
  double temperature = 1;  ///< 0: always the likeliest
  std::int64_t top_k = 0;  ///< only the k likeliest; 0: all
  double top_p = 1;  ///< only the likeliest that together reach p. Source: Holtzman et al. 2019
                     ///< (arXiv 1904.09751), section 3.1
  /// Tokens the model still sees once the context was full, computed anew so that their positions
  /// begin at 0 again; 0: half of it. context(): it slides token by token, and each token costs a
  /// whole context.
  std::int64_t keep = 0;
  std::vector<std::int64_t>
      forbidden{};  ///< ids that are never chosen: padding, masks, unknown words
  /// Throws ConfigError.
  void validate() const;
};

/// Base of Gpt and Lstm.
class LanguageModel : public Model {
 public:
  using Model::Model;

  /// What a model keeps of the tokens that it has seen: keys and values, or a hidden state.
  class Memory {
   public:
    virtual ~Memory() = default;
    virtual std::int64_t length() const = 0;  ///< tokens that it has seen
    virtual void clear() = 0;                 ///< forgets all of them
  };

  virtual std::int64_t vocab_size() const = 0;  ///< tokens that it knows
  virtual std::int64_t context() const = 0;     ///< tokens that it is trained to see at once
  /// A memory of no tokens.
  virtual std::unique_ptr<Memory> new_memory() const = 0;
  /// Of the token that follows `ids`, which follow those in `memory` and are added to it. Without
  /// gradients only. Shape: (1, T) -> (1, 1, V). `memory` is one of new_memory().
  virtual Tensor next_logits(const Tensor& ids, Memory& memory) const = 0;

  /// Continues `prompt`, and returns only what is new. The model sees from `keep` to context() of
  /// the last tokens, and remembers them. `on_token` hears of each token at once, and stops the
  /// generation by returning false. Draws from `generator`, by default the stream `sample`. Dropout
  /// is off meanwhile. Throws: ConfigError for an empty prompt or impossible options, IndexError
  /// for ids outside the vocabulary.
  std::vector<std::int64_t> generate(const std::vector<std::int64_t>& prompt,
                                     const GenerateOptions& options = {},
                                     const std::function<bool(std::int64_t)>& on_token = nullptr,
                                     Generator* generator = nullptr);
};

/// One id drawn from logits (V,) by the options. Throws ConfigError for a forbidden id that is
/// none, NumericError where nothing can be chosen.
std::int64_t sample_id(const Tensor& logits, const GenerateOptions& options, Generator& generator);

}  // namespace weft::nn
