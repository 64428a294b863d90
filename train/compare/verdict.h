// What may be concluded from the runs of declared contrasts, and what of all other pairs.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "train/compare/looks.h"
#include "train/compare/statistics.h"

namespace weft::compare {

enum class Verdict : std::uint8_t { better, worse, equivalent, undecided };

/// Why the verdict is what it is. A report may say it in its own words.
enum class Reason : std::uint8_t {
  different,      ///< adjusted p at most alpha, and the interval on the same side of 0
  within_margin,  ///< adjusted equivalence p at most alpha, and the interval within the margin
  too_few_seeds,  ///< under six pairs
  failed_runs,    ///< a seed has no figure of one of the arms; to leave it out would favor the arm
                  ///< that fails
  interval_of_zero,    ///< the test is significant, yet the interval holds 0
  interval_of_margin,  ///< the equivalence test is significant, yet the interval reaches beyond the
                       ///< margin
  not_significant,     ///< neither a difference nor its absence could be shown
};

inline constexpr Verdict kVerdicts[] = {Verdict::better, Verdict::worse, Verdict::equivalent,
                                        Verdict::undecided};
inline constexpr Reason kReasons[] = {Reason::different,        Reason::within_margin,
                                      Reason::too_few_seeds,    Reason::failed_runs,
                                      Reason::interval_of_zero, Reason::interval_of_margin,
                                      Reason::not_significant};

std::string_view name(Verdict verdict);  ///< "better", ...; as results.json has it
std::string_view name(Reason reason);    ///< "different", ...
/// An English clause: "the test and the interval agree".
std::string_view explain(Reason reason);

/// The figures of two arms on one task, seed k of one beside seed k of the other. NaN or infinity:
/// that run failed.
struct Comparison {
  std::vector<double> a;
  std::vector<double> b;
  bool lower_is_better = false;
  double margin =
      0;  ///< differences within +-margin are as good as none; 0: nothing is ever called equivalent
};

struct JudgeOptions {
  double alpha = 0.05;  ///< the interval has confidence 1 - alpha
  double power = 0.8;
  std::uint64_t seed = 0;
  std::vector<std::int64_t> looks{};  ///< declared, at so many seeds each; empty: one, at all
};

/// A mean over seeds and its interval.
struct Estimate {
  std::int64_t seeds = 0;  ///< that have a figure
  double mean = 0;         ///< NaN without any
  double deviation = 0;    ///< standard deviation
  Interval interval{};     ///< infinite for fewer than two seeds
};

struct Finding {
  Estimate difference;  ///< of a - b, in the metric's own direction, over the seeds that have both
  std::int64_t failed = 0;   ///< seeds without both figures
  double p = 1;              ///< sign-flip, two-sided
  double p_adjusted = 1;     ///< Holm's, over all contrasts
  double p_equivalence = 1;  ///< two one-sided sign-flip tests against the margin
  double p_equivalence_adjusted = 1;
  double detectable = 0;  ///< |mean difference| that so many seeds with this deviation find with
                          ///< the stated power at alpha / contrasts; may be infinite
  Verdict verdict = Verdict::undecided;  ///< of a against b
  Reason reason = Reason::not_significant;
};

/// The estimate alone: of an arm's figures, or of an exploratory pair's differences. Values that
/// are not finite are left out and not counted.
Estimate estimate(Values values, const JudgeOptions& options = {});

/// The verdict on every declared contrast of a suite; they must all be given at once, for the
/// correction counts them.
///
/// - better / worse: at least six pairs, none failed, Holm-adjusted sign-flip p <= alpha, and the
///   interval by seeds excludes 0 on the mean's side. The test decides; the interval can only veto,
///   so that a verdict never stands beside an interval that contradicts it.
/// - equivalent: neither of the two, at least six pairs, none failed, a margin, Holm-adjusted
/// equivalence p <= alpha, and the interval within the margin.
/// - undecided otherwise. A contrast with failed runs keeps its place in the correction with p = 1.
/// The chance that any contrast without a difference is called better or worse is at most alpha,
/// and so is the chance that any contrast whose difference is not within its margin is called
/// equivalent: Holm is applied to the two families apart. Throws ShapeError for a and b of
/// different lengths, ConfigError for an alpha or power outside (0, 1) or a margin below 0.
std::vector<Finding> judge(const std::vector<Comparison>& contrasts,
                           const JudgeOptions& options = {});

/// A pair that was not declared: its difference and interval, no p-value, never a verdict.
Estimate explore(const Comparison& pair, const JudgeOptions& options = {});

}  // namespace weft::compare
