// What was found, in a sentence, in English and in Chinese: the same words in the terminal and in
// the report. Names of arms and tasks stand between backticks. Minus signs are U+2212.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/compare/spread.h"
#include "train/compare/suite.h"
#include "train/compare/verdict.h"

namespace weft::compare {

/// What came of the same contrast with another length of training.
struct OtherBudget {
  double multiple = 1;  ///< of the training of the contrast that it stands with
  Verdict verdict = Verdict::undecided;
  double mean = 0;
};

/// A declared contrast and what came of it.
struct Statement {
  std::string task;
  std::string a;
  std::string b;
  std::string metric;  ///< as in the suite: "test_accuracy"
  bool lower_is_better = false;
  double margin = 0;
  double alpha = 0.05;
  double power = 0.8;
  bool unequal = false;                    ///< the two had different budgets
  std::string grid_end_a{}, grid_end_b{};  ///< of the learning rates: ResultCell::grid_end
  std::int64_t repeated_looks = 0;         ///< repeated_looks() of the results
  Interval with_rows = kNoInterval;        ///< of the difference, over seeds and test rows
  std::int64_t test_rows = 0;              ///< as in ResultTask
  bool fresh_test = false;
  RunSpread runs_a{}, runs_b{};  ///< what single runs of each arm are like
  bool may_fail = false;         ///< the task says from which figure on a run has solved it
  std::vector<OtherBudget> other_budgets{};
  std::string both_at{};  ///< "chance" or "ceiling" where both arms are within the margin of it
  std::optional<Verdict> expected{};
  Finding finding{};  ///< of a against b
};

/// "`full` is better than `diagonal` on `different`: +0.31 accuracy (95 % interval 0.28 to 0.34,
/// adjusted p = 0.047, 8 seeds); as expected." An undecided one says what difference could have
/// been found; an expectation that was not met is said plainly.
Phrase verdict_sentence(const Statement& statement);

/// Whether a verdict of better, worse or equivalent is shown for the task, and not for the rows of
/// its one test set alone: the interval over seeds and rows says the same, or there are no such
/// rows.
bool holds_beyond_test_set(const Statement& statement);

/// Whether runs of an arm may fail to solve the task, so that a mean is not what a run is like.
bool speaks_of_typical_run(const Statement& statement);

/// What a reader must know before a verdict is believed, in sentences after it: a learning rate at
/// the end of what was tried, looks that were not declared. Empty where there is nothing.
Phrase cautions(const Statement& statement);

/// An arm that must sit at chance or at the ceiling on a task, if the suite measures what it claims
/// to.
struct ControlStatement {
  std::string task;
  std::string arm;
  std::string metric;
  Expect expect = Expect::ceiling;
  double limit = 0;  ///< chance or ceiling, in the metric's units
  double within = 0;
  double mean = 0;  ///< NaN: no run of it has a figure
  bool holds = false;
  std::int64_t lacking = 0;  ///< runs without a figure: with any, it cannot be judged
  std::int64_t runs = 0;     ///< that there are to be
  std::string against{};  ///< of a placebo: the arm that it stands for; `mean` is their difference
};

/// Whether a control was judged at all.
inline bool is_judged(const ControlStatement& control) {
  return control.lacking == 0 && std::isfinite(control.mean);
}

/// "`logistic` is at chance on `different`, as it must be: 0.502 accuracy (within 0.02 of 0.5)."
Phrase control_sentence(const ControlStatement& control);

/// A metric's name as one says it: "accuracy" for "test_accuracy". A name that is not known keeps
/// its own words.
Phrase metric_words(const std::string& metric);

/// Digits after the point, so that an uncertainty of this size shows one digit, or two where that
/// is below 3: 2 for 0.04, 3 for 0.02. For 0 or what is not finite: 3. From 0 to 6.
int decimals_for(double uncertainty);
/// Digits for the difference of a contrast: as its interval allows, and no finer than a tenth of
/// the margin wants.
int decimals_for(const Statement& statement);
/// "−0.125", with a plus where `sign`; "no figure" is a dash.
std::string figure(double value, int decimals, bool sign = false);
/// "= 0.047", "< 0.0001": two digits, none pretended.
std::string p_value(double p);
/// 0.02 as "0.02": no zeros at the end, six digits at most.
std::string plain(double value);

}  // namespace weft::compare
