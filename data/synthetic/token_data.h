// Sequences of real-valued tokens with one target each, and tasks made from a seed that ask for one
// relation between features each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "data/loader.h"
#include "data/split.h"

namespace weft::data {

/// tokens (B, T, F) f32; targets (B,) f32: 0 or 1; or a real number, f64 where the data have it in
/// f64.
struct TokenBatch {
  Tensor tokens;
  Tensor targets;
};

struct TokenBatchOptions {
  std::int64_t batch = 64;
  std::int64_t steps = 1;  ///< batches in all
  std::uint64_t seed = 1;
  std::int64_t first_step = 0;  ///< where to go on
};

/// Mean and standard deviation of numbers; 1 for a deviation that is 0.
struct MeanStd {
  double mean = 0;
  double std = 1;
};

/// Three splits of sequences. Copies share the numbers. Everything is const and may be used from
/// several threads at once.
class TokenData {
 public:
  struct Part {
    Tensor tokens;   ///< (N, T, F) f32 or f64
    Tensor targets;  ///< (N,) f32 or f64
  };

  /// `binary`: targets are 0 or 1, and to be told apart. With `standardize` each of the T x F
  /// features of all splits is shifted and scaled to mean 0 and deviation 1 over the training
  /// split, whose statistics alone are used. Statistics are those of the numbers as they are given;
  /// f64 tokens become f32 only then, and f64 targets stay what they are, so that a column of large
  /// numbers that differ by little keeps its digits. Throws ShapeError for parts that do not fit
  /// together, ConfigError for a training split without rows and binary targets that are neither 0
  /// nor 1.
  TokenData(Part train, Part validation, Part test, bool binary, bool standardize,
            std::string source);

  std::int64_t tokens_per_row() const { return parts_[0].tokens.size(1); }  ///< T
  std::int64_t features() const { return parts_[0].tokens.size(2); }        ///< F
  bool binary() const { return binary_; }                ///< two classes, 0 and 1
  const std::string& source() const { return source_; }  ///< where the data are from
  std::int64_t size(Split split) const { return part(split).targets.numel(); }  ///< rows
  const Tensor& tokens(Split split) const { return part(split).tokens; }        ///< (N, T, F)
  const Tensor& targets(Split split) const { return part(split).targets; }      ///< (N,)
  /// Of the training split's targets.
  const MeanStd& target_statistics() const { return target_statistics_; }
  /// What whoever trains on them should know, in sentences.
  const std::vector<std::string>& notes() const { return notes_; }
  void add_note(std::string text) { notes_.push_back(std::move(text)); }  ///< one more of notes()

  /// Batch number `step`: of every epoch's rows in an order of its own, the last ones that fill no
  /// batch left out. Depends on (seed, step, B, the split's size) alone. Throws ConfigError for a
  /// batch that is larger than the training split.
  TokenBatch train_batch(std::int64_t step, const TokenBatchOptions& options) const;
  /// Batches first_step to steps - 1. The range may outlive this object.
  BatchRange<TokenBatch> train_batches(const TokenBatchOptions& options) const;
  /// The split in order, each row once.
  BatchRange<TokenBatch> eval_batches(Split split, std::int64_t batch) const;

 private:
  class Order;
  const Part& part(Split split) const { return parts_[static_cast<int>(split)]; }
  template <class T>
  void round_to_f32(bool standardize);

  Part parts_[3];
  bool binary_;
  std::string source_;
  std::vector<std::string> notes_;
  MeanStd target_statistics_;
  std::shared_ptr<Order> order_;
};

// ---- tasks with a known answer ----

/// What a label asks of the features x[token][dimension]. With a = x[0][0] and b the last dimension
/// F - 1:
enum class TokenTask : std::uint8_t {
  additive,   ///< sign(a + x[1][F-1] + x[2][F/2]): three features, added
  within,     ///< sign(a x[0][F-1]): two dimensions of one token
  same,       ///< sign(a x[1][0]): one dimension of two tokens
  different,  ///< sign(a x[1][F-1]): a dimension of one token and another dimension of another
              ///< token
  triple,     ///< sign(a x[1][F-1] x[2][F/2]): the parity of the same three
  random,     ///< a coin
};
/// `additive within same different triple random`.
const std::vector<std::string>& token_tasks();
std::string_view name(TokenTask task);  ///< "additive", "within", ...
/// Throws ConfigError `[data] ...` that lists the names.
TokenTask token_task(std::string_view name);

struct SyntheticTokens {
  TokenTask task = TokenTask::different;
  std::int64_t tokens = 4;    ///< T
  std::int64_t features = 8;  ///< F
  std::int64_t train = 8192;  ///< rows of each split
  std::int64_t validation = 2000;
  std::int64_t test = 2000;
  double units =
      1;  ///< dimension k comes in a unit that makes its numbers units^(k / (F - 1)) times larger
  bool standardize = false;
  std::uint64_t seed = 1;

  /// Throws ConfigError for sizes out of range, a task that needs more tokens or dimensions, and
  /// units below 1 or above 1e12.
  void check() const;
};

/// Every feature is a random sign times a magnitude that is uniform in [0.5, 1.5), so that the sign
/// of a product can be told as surely as the signs of its factors. A split's rows depend on (seed,
/// its name, T, F) alone: neither on the task nor on the sizes, of which smaller ones give the
/// first rows of larger ones. Throws ConfigError from options.check().
TokenData synthetic_tokens(const SyntheticTokens& options);

}  // namespace weft::data
