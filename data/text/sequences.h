// Token sequences of different lengths: how they are ordered into batches, padded, and masked for
// BERT.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/tensor.h"
#include "data/split.h"
#include "data/text/word_tokenizer.h"

namespace weft::data {

using Sequence = std::vector<std::int32_t>;

/// [CLS] text [SEP], cut to `context` tokens: what is beyond is dropped, from the end. `whole`, if
/// wanted, becomes the tokens before that.
Sequence classify_sequence(const WordTokenizer& tokenizer, std::string_view text,
                           std::int64_t context, std::string_view where,
                           std::int64_t* whole = nullptr);
/// A long text as windows, each [CLS] context - 2 tokens [SEP]; the last may be shorter.
std::vector<Sequence> windows(const std::vector<std::int64_t>& ids, std::int64_t context);
/// Rows of ids (B, T), i64, as long as the longest, [PAD] behind the others.
Tensor pad(const std::vector<Sequence>& sequences, const std::vector<std::int64_t>& rows);

/// Tokens of each.
std::vector<std::int32_t> lengths_of(const std::vector<Sequence>& sequences);

/// Which rows make training batch k: a new permutation each epoch, of rows of like length together
/// so that little is padding, and the batches in random order. Depends on (seed, k, batch, lengths)
/// alone; lengths may be in any unit, such as bytes, which are the same for every tokenizer.
class EpochOrder {
 public:
  EpochOrder(std::vector<std::int32_t> lengths, std::int64_t batch, std::uint64_t seed);
  /// Batches in an epoch; the last of an epoch may be smaller.
  std::int64_t batches() const { return batches_; }
  /// Rows of batch k. Remembers the last epoch: one thread at a time.
  const std::vector<std::int64_t>& batch(std::int64_t k);

 private:
  void make(std::int64_t epoch);

  std::vector<std::int32_t> lengths_;
  std::int64_t batch_, batches_;
  std::uint64_t seed_;
  std::int64_t epoch_ = -1;
  std::vector<std::vector<std::int64_t>> rows_;
};

/// How tokens are hidden. Source: Devlin et al. 2018 (arXiv 1810.04805), section 3.1 and appendix
/// A.1; whole words: its published code.
struct MaskingOptions {
  double share = 0.15;       ///< of the tokens is to be predicted
  double mask = 0.8;         ///< of these become [MASK],
  double random = 0.1;       ///< these a random token; the rest stay as they are
  bool whole_words = false;  ///< all pieces of a word together
  /// Throws ConfigError.
  void validate() const;
};

/// inputs (B, T) with tokens hidden; targets (B, T): what stood there, kIgnoreIndex everywhere
/// else. At least one token of each row that has any is chosen.
struct MaskedBatch {
  Tensor inputs;
  Tensor targets;
};
/// Ids (B, T) -> inputs and targets (B, T), as MaskedBatch says.
MaskedBatch mask_tokens(const Tensor& ids, const WordTokenizer& tokenizer,
                        const MaskingOptions& options, Generator& generator);

}  // namespace weft::data
