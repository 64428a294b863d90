#include "train/compare/looks.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "core/error.h"
#include "core/math.h"
#include "core/random.h"

namespace weft::compare {
namespace {

constexpr double kTie = 1e-12;  // sums of normalized differences that rounding alone tells apart

/// Sums up to each look, one pattern of signs after the other; the first is the one that was seen.
class Patterns {
 public:
  Patterns(Values values, const std::vector<Look>& looks, Tail tail, std::uint64_t seed)
      : looks_(looks), sums_(looks.size()) {
    const std::int64_t n = std::ssize(values);
    const bool exact = n <= kLooksExact;
    count_ = exact ? std::int64_t{1} << n : kSignFlipDraws + 1;
    Generator generator(seed, "looks");
    std::vector<std::uint32_t> flips(static_cast<std::size_t>((n + 31) / 32));
    for (std::int64_t pattern = 0; pattern < count_; ++pattern) {
      if (exact)
        flips[0] = static_cast<std::uint32_t>(pattern);
      else if (pattern > 0)
        for (std::uint32_t& word : flips) word = generator.next_u32();
      double sum = 0;
      std::size_t look = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const bool flip = (flips[static_cast<std::size_t>(i / 32)] >> (i % 32) & 1) != 0;
        const double value = values[static_cast<std::size_t>(i)];
        sum += flip ? -value : value;
        if (i + 1 == looks_[look].seeds)
          sums_[look++].push_back(tail == Tail::both ? std::abs(sum) : sum);
      }
    }
  }

  std::int64_t count() const { return count_; }
  /// The p-value that a look gives what was seen.
  double seen_p(std::size_t look) const {
    const double seen = sums_[look].front();
    const auto hits = std::count_if(sums_[look].begin(), sums_[look].end(),
                                    [&](double sum) { return sum >= seen - kTie; });
    return static_cast<double>(hits) / static_cast<double>(count_);
  }
  /// The share of patterns that have a p-value of at most `levels[k]` at any look k.
  double reached(const std::vector<double>& levels) const {
    std::vector<double> least;
    for (std::size_t look = 0; look < looks_.size(); ++look)
      least.push_back(least_sum(look, levels[look]));
    std::int64_t hits = 0;
    for (std::size_t pattern = 0; pattern < static_cast<std::size_t>(count_); ++pattern) {
      bool any = false;
      for (std::size_t look = 0; look < looks_.size(); ++look)
        any = any || sums_[look][pattern] >= least[look];
      hits += any ? 1 : 0;
    }
    return static_cast<double>(hits) / static_cast<double>(count_);
  }

 private:
  /// The least sum whose p-value is at most `level`; infinite where none has one.
  double least_sum(std::size_t look, double level) const {
    std::vector<double> sorted = sums_[look];
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    auto allowed = static_cast<std::size_t>(
        std::min(static_cast<double>(count_), level * static_cast<double>(count_) * (1 + 1e-9)));
    while (allowed > 0 && allowed < sorted.size() && sorted[allowed - 1] - sorted[allowed] <= kTie)
      --allowed;
    return allowed == 0 ? std::numeric_limits<double>::infinity() : sorted[allowed - 1] - kTie;
  }

  const std::vector<Look>& looks_;
  std::vector<std::vector<double>> sums_;  ///< by look, then pattern
  std::int64_t count_ = 0;
};

}  // namespace

std::vector<Look> looks_until(const std::vector<std::int64_t>& declared, std::int64_t seeds) {
  if (std::find(declared.begin(), declared.end(), seeds) == declared.end()) return {{seeds, 1}};
  std::vector<Look> looks;
  double before = 0;
  for (const std::int64_t look : declared) {
    if (look > seeds) break;
    const double t = static_cast<double>(look) / static_cast<double>(declared.back());
    const double spent = look == declared.back() ? 1 : math::log(1 + (std::numbers::e - 1) * t);
    looks.push_back({look, spent - before});
    before = spent;
  }
  return looks;
}

double sign_flip_p(Values differences, const std::vector<Look>& looks, Tail tail,
                   std::uint64_t seed) {
  if (looks.empty() || looks.back().seeds != std::ssize(differences))
    fail<ConfigError>("statistics", "the last look must be at all {} differences",
                      differences.size());
  if (looks.size() == 1)
    return std::min(1.0, sign_flip_p(differences, tail, seed) / looks.front().share);
  double largest = 0;
  for (const double value : differences) {
    if (!std::isfinite(value))
      fail<NumericError>("statistics", "expects finite values, got {}", value);
    largest = std::max(largest, std::abs(value));
  }
  if (largest == 0) return 1;
  std::vector<double> values(differences.begin(), differences.end());
  for (double& value : values) value /= largest;
  const Patterns patterns(values, looks, tail, seed);
  double statistic = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < looks.size(); ++k)
    statistic = std::min(statistic, patterns.seen_p(k) / looks[k].share);
  std::vector<double> levels;
  for (const Look& look : looks) levels.push_back(statistic * look.share);
  return patterns.reached(levels);
}

double equivalence_p(Values differences, double margin, const std::vector<Look>& looks,
                     std::uint64_t seed) {
  if (!(margin > 0)) return 1;
  std::vector<double> above(differences.begin(), differences.end()), below = above;
  for (double& value : above) value += margin;
  for (double& value : below) value = margin - value;
  return std::max(sign_flip_p(above, looks, Tail::greater, seed),
                  sign_flip_p(below, looks, Tail::greater, seed));
}

}  // namespace weft::compare
