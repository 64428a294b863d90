// Training pairs of skip-gram with negative sampling, and the corpus with planted synonyms that its
// embeddings are judged by.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace weft::data {

struct SkipGramOptions {
  std::int64_t window =
      5;  ///< words on each side at most: a width from 1 to it is drawn for each center
  std::int64_t negatives = 5;  ///< k noise words for each pair
  double power = 0.75;         ///< noise is drawn with frequency^power
  double subsample =
      1e-3;  ///< t: a word of frequency f is kept with probability min(1, sqrt(t / f)); 0: all are
  std::int64_t ignore =
      -1;  ///< an id that is neither center, nor context, nor noise: unknown words
  /// Throws ConfigError.
  void validate() const;
};

/// Source: Mikolov et al. 2013 (arXiv 1310.4546), eq. 3 to 5; drawn windows: Mikolov et al. 2013
/// (arXiv 1301.3781), section 3.2.
class SkipGramPairs {
 public:
  /// `ids`: the text in order. Throws ConfigError for options that cannot be and for a text of
  /// fewer than two words to learn from.
  SkipGramPairs(std::vector<std::int32_t> ids, std::int64_t vocab_size,
                const SkipGramOptions& options);

  /// Batch k, ids (B, 2 + negatives): center, context, noise. Depends on (seed, k, B) alone;
  /// batches are independent draws of positions, so that every one is a fair sample of the text.
  /// Noise may hit the context, as in the published code's table.
  Tensor batch(std::int64_t k, std::int64_t size, std::uint64_t seed) const;
  const std::vector<std::int64_t>& counts() const { return counts_; }  ///< occurrences of each id
  /// Probability of each id as noise.
  const std::vector<double>& noise() const { return noise_; }
  /// Probability of each id to be kept.
  const std::vector<double>& kept() const { return kept_; }

 private:
  std::int64_t draw_noise(std::uint64_t random_bits) const;

  std::vector<std::int32_t> ids_;
  std::vector<std::int64_t> counts_;
  std::vector<double> noise_, kept_;
  std::vector<double>
      threshold_;  ///< alias table (Walker 1977): with probability threshold_[i] it is i,
  std::vector<std::int32_t> alias_;  ///< else alias_[i]
  SkipGramOptions options_;
};

/// A text in which pairs of words are synonyms: `w12a` and `w12b` stand in the same places, each
/// time one of the two by the toss of a coin. Every concept has its own few companions, so that
/// what surrounds a word tells which concept it is.
struct SynonymCorpus {
  std::string text;
  std::vector<std::pair<std::string, std::string>> synonyms;
};
/// `sentences` sentences about `concepts` concepts. Throws ConfigError for sizes out of range.
SynonymCorpus planted_synonyms(std::int64_t concepts = 60, std::int64_t sentences = 20000,
                               std::uint64_t seed = 1);

}  // namespace weft::data
