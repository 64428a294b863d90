// A text as training data: ids in two splits, random crops to train on, every token once to
// evaluate on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/tensor.h"
#include "data/loader.h"
#include "data/split.h"
#include "data/text/tokenizer.h"

namespace weft::data {

/// inputs (B, T) and targets (B, T), i64: targets[b][t] is the token after inputs[b][t],
/// kIgnoreIndex for padding.
struct TextBatch {
  Tensor inputs;
  Tensor targets;
};

struct TextBatchOptions {
  std::int64_t batch = 12;       ///< B, crops in a batch
  std::int64_t block_size = 64;  ///< T, the context
  std::int64_t steps = 2000;     ///< batches in all
  std::uint64_t seed = 1;
  std::int64_t first_step =
      0;  ///< where to go on: batch k is the same whether or not those before it were made
  PrefetchOptions prefetch = {.threads = 0,
                              .ahead = 2};  ///< cropping takes microseconds: no thread by default
};

struct TextOptions {
  std::string tokenizer = "char";  ///< `char`, `byte`, `bpe` or `unigram`
  std::int64_t vocab_size = 1024;  ///< of bpe and unigram
  std::string tokenizer_file{};    ///< a SentencePiece model to use instead
  double train_fraction =
      0.9;                ///< the first int(fraction * tokens) tokens train, the rest validate
  double test_share = 0;  ///< of those that validate, the last such share is a test split instead
  std::shared_ptr<const Tokenizer>
      with_tokenizer{};  ///< an earlier run's tokenizer, instead of one made from this text
};

/// Copies share the ids. Everything is const and may be used from several threads at once.
class TextData {
 public:
  /// `text` in UTF-8 (any bytes for the byte tokenizer); a byte order mark is skipped. `where`
  /// names it in errors. Throws IoError for an empty text or one that is not UTF-8, ConfigError for
  /// options that cannot be.
  TextData(std::string_view text, const TextOptions& options, std::string where);

  std::int64_t vocab_size() const { return tokenizer_->vocab_size(); }  ///< number of ids
  const Tokenizer& tokenizer() const { return *tokenizer_; }  ///< what turns text into ids
  /// The same, to be kept longer than the data.
  const std::shared_ptr<const Tokenizer>& shared_tokenizer() const { return tokenizer_; }
  /// The file it came from.
  const std::string& source() const { return where_; }

  /// Tokens of a split. The test split is empty unless a test_share asks for one.
  std::int64_t size(Split split) const { return ids(split).numel(); }
  /// The tokens: (N,), u8 for vocabularies up to 256, else i32.
  const Tensor& ids(Split split) const;
  /// Mean bytes of the tokens that evaluation predicts (all but the split's first): bits per byte =
  /// loss in nats / (ln 2 * bytes_per_token).
  double bytes_per_token(Split split) const;

  /// Throws ConfigError unless a crop of `block_size` + 1 tokens fits the split.
  void check_block_size(Split split, std::int64_t block_size) const;

  /// Batch k of the training sequence: crops at places that depend on (seed, k, B, T, the text's
  /// size) alone.
  TextBatch train_batch(std::int64_t k, const TextBatchOptions& options) const;
  /// Batches first_step .. steps - 1: `for (auto [inputs, targets] : text.train_batches({.batch =
  /// 12}))`. The range may outlive this object. Throws ConfigError when the context does not fit
  /// the data.
  BatchRange<TextBatch> train_batches(const TextBatchOptions& options = {}) const;

  /// The split in order: windows of `block_size` tokens that predict every token but the first
  /// exactly once, in batches of at most `batch` rows that differ by one row at most (so that they
  /// reuse each other's memory). Only the last row may hold padding. A split of fewer than two
  /// tokens gives ConfigError; one shorter than the context gives one padded row. With `most` above
  /// 0 only as many windows as predict `most` tokens, spread evenly over the split: the same ones
  /// each time.
  BatchRange<TextBatch> eval_batches(Split split, std::int64_t batch, std::int64_t block_size,
                                     std::int64_t most = 0) const;
  /// Tokens that eval_batches predicts where it takes all: size - 1.
  std::int64_t eval_tokens(Split split) const;
  /// Bytes of the tokens with these ids. Ids below 0 count for nothing.
  std::int64_t bytes_of(const Tensor& ids) const;

 private:
  std::string where_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  Tensor train_;
  Tensor validation_;
  Tensor test_;
  double bytes_per_token_[3] = {0, 0, 1};
};

/// Loads a text file, or a shipped set by name (`shakespeare`, `tang`; see find_data_set).
/// Throws IoError when it is missing, empty, no regular file, larger than 2 GiB or not UTF-8.
TextData load_text(std::string_view name_or_path, const TextOptions& options = {});

}  // namespace weft::data
