// Sequences of ids that follow a rule, some of whose positions are asked: what a model can and
// cannot do, with the truth known.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "data/loader.h"
#include "data/split.h"

namespace weft::data {

enum class SequenceRule : std::uint8_t {
  /// Multi-query associative recall: `pairs` keys, each followed by its value, then every key once
  /// more at a place drawn with weight 1 / distance to the
  /// pairs, where its value is asked; noise elsewhere. Keys are the lower half of the symbols;
  /// values and noise the upper.
  /// Source: Arora et al. 2023, Zoology (arXiv 2312.04927), section 4 and appendix; its weights are
  /// distance^-0.99, its noise any symbol of a vocabulary
  /// of 8,192, so large that noise is hardly ever a key.
  recall,
  /// Random symbols with a sign among them once, and again at the end, where the symbol that
  /// followed it is asked. Source: Fu et al. 2023 (arXiv
  /// 2212.14052), table 1.
  induction,
  /// `length` random symbols, a separator, then all of them again: each is asked. Source: Jelassi
  /// et al. 2024 (arXiv 2402.01032), section 3.
  copy,
  reverse,  ///< as copy, in the opposite order
  /// a, b, a sign, for all pairs of numbers below the modulus: (a + b) mod the modulus is asked.
  /// Source: Power et al. 2022 (arXiv 2201.02177).
  modular_addition,
};

const std::vector<std::string>& sequence_rules();  ///< names, in the order of the enum
/// Throws ConfigError.
SequenceRule sequence_rule(std::string_view name);

struct SequenceOptions {
  SequenceRule rule = SequenceRule::recall;
  std::int64_t symbols = 64;  ///< recall, induction, copy, reverse: different symbols
  std::int64_t length =
      64;  ///< recall, induction: tokens of a row; copy, reverse: symbols to be given back
  std::int64_t pairs = 4;     ///< recall
  std::int64_t modulus = 97;  ///< modular_addition
  double train_fraction =
      0.5;  ///< modular_addition: of all pairs of numbers; half of the others validate, half test
  std::int64_t held_out =
      1000;  ///< rows to validate on, and as many to test on, where rows are drawn afresh
  bool fresh_test = false;  ///< the rows to test on depend on the seed, too
  std::uint64_t seed = 1;   ///< of the training rows, and of the split of modular_addition

  /// Throws ConfigError that names the option, its value and what it may be.
  void validate() const;
};

/// inputs (B, T) and targets (B, T), i64; kIgnoreIndex where nothing is asked.
struct SequenceBatch {
  Tensor inputs;
  Tensor targets;
};

/// Everything is const and may be used from several threads at once. Rows are the same bits
/// everywhere: whole numbers from Philox streams. All rules but modular_addition draw every
/// training row afresh, from the seed and the row's number alone; the rows to validate and to test
/// on come from streams of their own, and are the same whatever the seed; those to test on only
/// without `fresh_test`.
class SequenceData {
 public:
  /// Throws ConfigError from options.validate().
  explicit SequenceData(const SequenceOptions& options);

  const SequenceOptions& options() const { return options_; }  ///< as it was made
  std::int64_t vocab_size() const;                             ///< number of ids
  std::int64_t length() const;                                 ///< T, tokens of a row
  std::int64_t source_length() const;  ///< the tokens that an encoder would read: all before the
                                       ///< sign or separator; 0 where rows have no such part
  std::int64_t asked() const;          ///< positions asked in each row
  /// Rows of a split; 0 for training rows that are drawn without end.
  std::int64_t size(Split split) const;

  /// Training batch k. Of modular_addition: all pairs of the split in a fixed order when `batch` is
  /// at least their number, else a part of an epoch of them in random order (the odd ones out sit
  /// the epoch out).
  SequenceBatch train_batch(std::int64_t k, std::int64_t batch) const;
  /// Every row of the validation or test split once, in order; of modular_addition also those
  /// trained on.
  BatchRange<SequenceBatch> eval_batches(Split split, std::int64_t batch) const;

 private:
  /// Row number `row` of a split, T ids each.
  void write_row(Split split, std::int64_t row, std::int64_t* inputs, std::int64_t* targets) const;
  SequenceBatch rows(Split split, const std::vector<std::int64_t>& which) const;

  SequenceOptions options_;
  std::array<std::vector<std::int64_t>, 3> pairs_;  ///< modular_addition: a * modulus + b, by split
};

}  // namespace weft::data
