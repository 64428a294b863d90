#include "data/text/skip_gram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/math.h"
#include "core/random.h"

namespace weft::data {
namespace {

constexpr int kMaxTries = 1000;  // positions tried for a pair, where subsampling refuses nearly all

/// Walker's alias method: n equal columns, each filled up by one other id.
void make_alias(const std::vector<double>& probability, std::vector<double>& threshold,
                std::vector<std::int32_t>& alias) {
  const std::size_t n = probability.size();
  threshold.assign(n, 1);
  alias.resize(n);
  std::iota(alias.begin(), alias.end(), 0);
  std::vector<double> scaled(n);
  std::vector<std::size_t> low, high;
  for (std::size_t i = 0; i < n; ++i) {
    scaled[i] = probability[i] * static_cast<double>(n);
    (scaled[i] < 1 ? low : high).push_back(i);
  }
  while (!low.empty() && !high.empty()) {
    const std::size_t l = low.back(), h = high.back();
    low.pop_back();
    threshold[l] = scaled[l];
    alias[l] = static_cast<std::int32_t>(h);
    scaled[h] -= 1 - scaled[l];
    if (scaled[h] < 1) {
      high.pop_back();
      low.push_back(h);
    }
  }
  // What rounding left over stays in its own column, unless its probability is exactly 0.
  for (const std::size_t i : low)
    if (probability[i] == 0)
      threshold[i] = 0,
      alias[i] = static_cast<std::int32_t>(
          std::max_element(probability.begin(), probability.end()) - probability.begin());
}

}  // namespace

void SkipGramOptions::validate() const {
  if (window < 1 || window > 1000)
    fail<ConfigError>("skip-gram", "window must be 1 to 1000, got {}", window);
  if (negatives < 1 || negatives > 1000)
    fail<ConfigError>("skip-gram", "negatives must be 1 to 1000, got {}", negatives);
  if (!(power >= 0 && power <= 10))
    fail<ConfigError>("skip-gram", "power must be 0 to 10, got {}", power);
  if (!(subsample >= 0 && subsample <= 1))
    fail<ConfigError>("skip-gram", "subsample must be 0 to 1, got {}", subsample);
}

SkipGramPairs::SkipGramPairs(std::vector<std::int32_t> ids, std::int64_t vocab_size,
                             const SkipGramOptions& options)
    : options_(options) {
  options.validate();
  counts_.assign(static_cast<std::size_t>(vocab_size), 0);
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= vocab_size)
      fail<IndexError>("skip-gram", "id {} is outside the vocabulary of {}", id, vocab_size);
    if (id == options.ignore) continue;
    ids_.push_back(id);
    ++counts_[static_cast<std::size_t>(id)];
  }
  if (ids_.size() < 2)
    fail<ConfigError>(
        "skip-gram",
        "a text of {} known words has no pairs: take a longer text, or a lower min_count",
        ids_.size());
  const double total = static_cast<double>(ids_.size());
  double norm = 0;
  for (const std::int64_t count : counts_)
    norm += count > 0 ? math::pow(static_cast<double>(count), options.power) : 0;
  for (const std::int64_t count : counts_) {
    const double frequency = static_cast<double>(count) / total;
    noise_.push_back(count > 0 ? math::pow(static_cast<double>(count), options.power) / norm : 0);
    kept_.push_back(options.subsample == 0 || frequency <= options.subsample
                        ? 1
                        : std::sqrt(options.subsample / frequency));
  }
  make_alias(noise_, threshold_, alias_);
}

std::int64_t SkipGramPairs::draw_noise(std::uint64_t random_bits) const {
  const double x =
      static_cast<double>(random_bits >> 11) * 0x1p-53 * static_cast<double>(threshold_.size());
  const auto column = std::min(static_cast<std::size_t>(x), threshold_.size() - 1);
  return x - static_cast<double>(column) < threshold_[column] ? static_cast<std::int64_t>(column)
                                                              : alias_[column];
}

Tensor SkipGramPairs::batch(std::int64_t k, std::int64_t size, std::uint64_t seed) const {
  if (k < 0 || size < 1)
    fail<ConfigError>("skip-gram", "batch {} of {} pairs does not exist", k, size);
  const Tensor ids = Tensor::empty({size, 2 + options_.negatives}, DType::i64);
  auto* out = ids.data<std::int64_t>();
  Generator generator(
      seed,
      fmt::format("pairs-{}", k));  // a stream a batch: how many numbers one needs is not known
  const auto last = static_cast<std::int64_t>(ids_.size()) - 1;
  const auto keep = [&](std::int32_t id) {
    return generator.next_uniform() < kept_[static_cast<std::size_t>(id)];
  };
  const auto word = [&](std::int64_t at) { return ids_[static_cast<std::size_t>(at)]; };
  for (std::int64_t row = 0; row < size; ++row) {
    std::int64_t center = 0, context = 0;
    for (int tries = 0; tries < kMaxTries; ++tries) {
      center = static_cast<std::int64_t>(generator.next_below(ids_.size()));
      if (!keep(word(center))) continue;
      // All pairs within a width drawn from 1 to the window: distance d falls into window - d + 1
      // of them. Words that subsampling drops are not there, so that the window reaches further.
      auto place = static_cast<std::int64_t>(generator.next_below(
          static_cast<std::uint64_t>(options_.window * (options_.window + 1) / 2)));
      std::int64_t steps = 1;
      for (; place >= options_.window - steps + 1; ++steps) place -= options_.window - steps + 1;
      const std::int64_t direction = (generator.next_u32() & 1U) != 0 ? 1 : -1;
      for (context = center + direction; context >= 0 && context <= last; context += direction)
        if (keep(word(context)) && --steps == 0) break;
      if (context >= 0 && context <= last) break;
      context = center == 0 ? 1 : center - 1;
    }
    *out++ = word(center);
    *out++ = word(context);
    for (std::int64_t n = 0; n < options_.negatives; ++n) {
      const std::uint64_t high = generator.next_u32(), low = generator.next_u32();
      *out++ = draw_noise(high << 32 | low);
    }
  }
  return ids;
}

SynonymCorpus planted_synonyms(std::int64_t concepts, std::int64_t sentences, std::uint64_t seed) {
  if (concepts < 4 || concepts > 100'000 || sentences < 1 || sentences > 10'000'000)
    fail<ConfigError>("synonyms",
                      "expects 4 to 100000 concepts and 1 to 10000000 sentences, got {} and {}",
                      concepts, sentences);
  constexpr std::int64_t kCompanions = 4;  // of its own; the fillers are everybody's
  constexpr std::uint64_t kFillers = 20;
  SynonymCorpus corpus;
  for (std::int64_t c = 0; c < concepts; ++c)
    corpus.synonyms.emplace_back(fmt::format("w{}a", c), fmt::format("w{}b", c));
  Generator generator(seed, "synonyms");
  for (std::int64_t s = 0; s < sentences; ++s) {
    const auto c =
        static_cast<std::int64_t>(generator.next_below(static_cast<std::uint64_t>(concepts)));
    const bool first = (generator.next_u32() & 1U) != 0;
    const auto companion = [&] {
      return fmt::format("c{}x{} ", c, generator.next_below(kCompanions));
    };
    const auto filler = [&] { return fmt::format("f{} ", generator.next_below(kFillers)); };
    const auto& pair = corpus.synonyms[static_cast<std::size_t>(c)];
    // Drawn from the last word to the first, each by itself: arguments of one expression are
    // evaluated in an order that compilers choose.
    const std::string fourth = filler(), third = companion(), second = companion(),
                      start = filler();
    corpus.text +=
        start + second + (first ? pair.first : pair.second) + " " + third + fourth + ".\n";
  }
  return corpus;
}

}  // namespace weft::data
