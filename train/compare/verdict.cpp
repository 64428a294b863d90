#include "train/compare/verdict.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "train/compare/intervals.h"
#include "train/compare/power.h"

namespace weft::compare {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kUnboundedInterval = std::numeric_limits<double>::infinity();

/// a - b of the seeds that have both.
std::vector<double> finite_differences(const Comparison& pair) {
  if (pair.a.size() != pair.b.size())
    fail<ShapeError>("verdict", "pairs need as many seeds of one arm as of the other: {} and {}",
                     pair.a.size(), pair.b.size());
  std::vector<double> differences;
  for (std::size_t k = 0; k < pair.a.size(); ++k) {
    if (std::isfinite(pair.a[k]) && std::isfinite(pair.b[k]))
      differences.push_back(pair.a[k] - pair.b[k]);
  }
  return differences;
}

void conclude(Finding& finding, const Comparison& contrast, double alpha) {
  const auto [low, high] = finding.difference.interval;
  const bool different = finding.p_adjusted <= alpha, excludes_zero = low > 0 || high < 0;
  const bool alike = finding.p_equivalence_adjusted <= alpha,
             inside = -contrast.margin < low && high < contrast.margin;
  if (finding.failed > 0) {
    finding.reason = Reason::failed_runs;
  } else if (finding.difference.seeds < kFewestSeeds) {
    finding.reason = Reason::too_few_seeds;
  } else if (different && excludes_zero && (low > 0) == (finding.difference.mean > 0)) {
    finding.verdict = (low > 0) != contrast.lower_is_better ? Verdict::better : Verdict::worse;
    finding.reason = Reason::different;
  } else if (alike && inside) {
    finding.verdict = Verdict::equivalent;
    finding.reason = Reason::within_margin;
  } else {
    finding.reason = different ? Reason::interval_of_zero
                     : alike   ? Reason::interval_of_margin
                               : Reason::not_significant;
  }
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::equivalent:
      return "equivalent";
    case Verdict::undecided:
      break;
  }
  return "undecided";
}

std::string_view name(Reason reason) {
  switch (reason) {
    case Reason::different:
      return "different";
    case Reason::within_margin:
      return "within_margin";
    case Reason::too_few_seeds:
      return "too_few_seeds";
    case Reason::failed_runs:
      return "failed_runs";
    case Reason::interval_of_zero:
      return "interval_of_zero";
    case Reason::interval_of_margin:
      return "interval_of_margin";
    case Reason::not_significant:
      break;
  }
  return "not_significant";
}

std::string_view explain(Reason reason) {
  switch (reason) {
    case Reason::different:
      return "the corrected sign-flip test and the interval agree on a difference";
    case Reason::within_margin:
      return "the corrected equivalence test and the interval agree that the difference is within "
             "the margin";
    case Reason::too_few_seeds:
      return "fewer than six seeds decide nothing";
    case Reason::failed_runs:
      return "not every seed has a figure of both arms";
    case Reason::interval_of_zero:
      return "the corrected sign-flip test sees a difference, but the interval holds zero";
    case Reason::interval_of_margin:
      return "the corrected equivalence test sees none, but the interval reaches beyond the margin";
    case Reason::not_significant:
      break;
  }
  return "neither a difference nor its absence could be shown";
}

Estimate estimate(Values values, const JudgeOptions& options) {
  std::vector<double> known;
  for (const double value : values) {
    if (std::isfinite(value)) known.push_back(value);
  }
  if (known.empty())
    return {.seeds = 0,
            .mean = kUnknown,
            .deviation = kUnknown,
            .interval = {-kUnboundedInterval, kUnboundedInterval}};
  return {.seeds = std::ssize(known),
          .mean = mean(known),
          .deviation = standard_deviation(known),
          .interval = seeds_interval(known, 1 - options.alpha)};
}

std::vector<Finding> judge(const std::vector<Comparison>& contrasts, const JudgeOptions& options) {
  if (!(options.alpha > 0 && options.alpha < 1))
    fail<ConfigError>("verdict", "alpha must lie between 0 and 1, got {}", options.alpha);
  const auto count = static_cast<double>(contrasts.size());
  std::vector<Finding> findings(contrasts.size());
  std::vector<double> p(contrasts.size()), p_equivalence(contrasts.size());
  for (std::size_t i = 0; i < contrasts.size(); ++i) {
    const Comparison& contrast = contrasts[i];
    if (!(contrast.margin >= 0))
      fail<ConfigError>("verdict", "a margin must be at least 0, got {}", contrast.margin);
    Finding& finding = findings[i];
    const std::vector<double> differences = finite_differences(contrast);
    finding.difference = estimate(differences, options);
    finding.failed = std::ssize(contrast.a) - std::ssize(differences);
    const std::vector<Look> looks = looks_until(options.looks, std::ssize(contrast.a));
    if (finding.failed == 0 && !differences.empty()) {
      finding.p = sign_flip_p(differences, looks, Tail::both, options.seed);
      finding.p_equivalence = equivalence_p(differences, contrast.margin, looks, options.seed);
    }
    p[i] = finding.p;
    p_equivalence[i] = finding.p_equivalence;
    finding.detectable =
        detectable_effect(finding.difference.seeds, finding.difference.deviation,
                          options.alpha * looks.back().share / count, options.power);
  }
  const std::vector<double> adjusted = holm(p), adjusted_equivalence = holm(p_equivalence);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    findings[i].p_adjusted = adjusted[i];
    findings[i].p_equivalence_adjusted = adjusted_equivalence[i];
    conclude(findings[i], contrasts[i], options.alpha);
  }
  return findings;
}

Estimate explore(const Comparison& pair, const JudgeOptions& options) {
  return estimate(finite_differences(pair), options);
}

}  // namespace weft::compare
