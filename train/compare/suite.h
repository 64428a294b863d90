// A suite: what is compared with what, under which budget, and what is asked. Read from a TOML file
// by load_suite(); nothing is run here. The form of the file, with every key, is in
// train/suites/README.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/compare/budget.h"
#include "train/compare/verdict.h"
#include "train/config/config_sources.h"

namespace weft::compare {

/// A sentence in both languages of the report; Chinese is the English where it was not given.
struct Phrase {
  std::string en;
  std::string zh;
};

/// A figure of a run's summary that arms can be compared by, or an expression over such.
struct Metric {
  std::string name;
  bool lower_is_better = true;
  std::string expression{};  ///< of a [[metric]] of the suite (expression.h); empty: measured
  std::string where{};       ///< file:line of such
};
const std::vector<Metric>& metrics();
/// Of these, what a run costs on the machine that it runs on, and not what it answers:
/// train_seconds (in steps), peak_mib, throughput (tokens, images, ... a second).
const std::vector<Metric>& cost_metrics();
bool is_cost(const std::string& metric);

struct Task {
  std::string name;
  Phrase about{};
  Metric metric{};
  double margin = 0;
  std::optional<double> chance{};
  std::optional<double> ceiling{};
  std::string base{};   ///< the task that it is with another length of training; its own name
  double multiple = 1;  ///< of that training
  std::optional<double> solved{};  ///< from which figure on a run has solved the task
  std::vector<train::Choice> choices{};
  std::string where{};  ///< file:line, here and below
};

struct Arm {
  std::string name;
  Phrase about{};
  std::vector<train::Choice> choices{};
  std::vector<std::string> tasks{};  ///< that it runs on
  bool unequal = false;              ///< outside the budget
  bool placebo = false;  ///< another arm, with other initial weights: there is no difference
  std::string where{};
};

struct Budget {
  Equal equal = Equal::none;  ///< none: an unequal comparison, asked for
  std::optional<double> amount{};
  std::string reference{};  ///< an arm, instead of an amount
  double tolerance = 0.02;  ///< by how much, as a share, what was spent may be off
  std::string where{};
};

struct Contrast {
  std::string task;
  std::string a;
  std::string b;
  Phrase question{};
  std::optional<Verdict> expected{};
  Phrase expectation{};
  std::string where{};
};

/// `placebo`: no difference from the arm that it stands for; not written as a [[control]].
enum class Expect : std::uint8_t { chance, ceiling, placebo };
inline constexpr Expect kExpects[] = {Expect::chance, Expect::ceiling, Expect::placebo};
std::string_view name(Expect expect);  ///< "chance", ...

struct Control {
  std::vector<std::string> arms;
  std::vector<std::string> tasks;
  Expect expect = Expect::ceiling;
  double within = 0;
  std::string where{};
};

struct Quick {
  std::vector<std::int64_t> seeds;
  std::vector<std::string> tasks;
  std::vector<std::string> arms;
  std::vector<train::Choice> choices{};
  std::string where{};
};

struct Suite {
  std::string name;
  Phrase question;
  std::string kind;
  std::vector<std::int64_t> seeds;
  double alpha = 0.05;
  std::vector<double> lr_factors{1};
  std::int64_t tuning_seeds = 3;  ///< that every learning rate is tried with
  /// At how many seeds verdicts may be read, in ascending order, the last with all; empty: once.
  std::vector<std::int64_t> looks;
  /// Multiples of the training at which everything is asked, 1 among them: each other one makes a
  /// task NAME-xMULTIPLE of every task, with its contrasts and controls.
  std::vector<double> budgets{1};
  Budget budget;
  std::string preset;
  std::vector<train::Choice> choices;  ///< of every arm and task
  std::vector<Metric> own_metrics;     ///< of [[metric]]
  std::vector<Task> tasks;
  std::vector<Arm> arms;
  std::vector<Contrast> contrasts;
  std::vector<Control> controls;
  std::optional<Quick> quick;
  std::string seeds_where;  ///< file:line
  std::string looks_where;
  std::string file;  ///< its name in messages
  std::string text;  ///< the file itself, to be kept with the results

  const Task& task(const std::string& name) const;  ///< Throws ConfigError
  const Arm& arm(const std::string& name) const;
};

/// Reads and checks a suite. Throws IoError, and ConfigError `[file:line] ...` for what is not
/// TOML, a key that is unknown (with the nearest known one), missing or of another type, and all
/// that check() refuses.
/// `data` and `init` that are relative paths mean what lies beside the suite, where there is such a
/// file.
Suite load_suite(const std::filesystem::path& file);
/// The same from a text; `file` names it in messages.
Suite parse_suite(const std::string& text, const std::string& file);

/// Throws ConfigError for names that are given twice, contrasts and controls of unknown or absent
/// tasks and arms, a contrast asked twice or of an arm with itself, seeds that can decide none of
/// the contrasts, choices that a configuration of this kind does not have or does not allow, two
/// arms that are the same model, choices that would break the pairing (data, batch, ...) or the
/// budget in an arm, and the same for the quick form.
void check(const Suite& suite);

/// The same suite with the first `count` of its seeds, or with as many more that follow them.
/// Throws ConfigError where they decide nothing.
Suite with_seeds(Suite suite, std::int64_t count);
/// The short form. Throws ConfigError where the suite has none.
Suite quick_form(const Suite& suite);

/// Makes the tasks, contrasts and controls of suite.budgets. Throws ConfigError for a list that
/// does not begin with 1 or ascend, and for budgets that are amounts of FLOPs or seconds.
void expand_budgets(Suite& suite, const std::string& where);

/// Whether a choice is of the data or their simulation, and so decides what the batches hold. Arms
/// may not make such choices.
bool decides_data(const train::Field& field);
bool runs_on(const Arm& arm, const std::string& task);
/// Whether the budget holds for an arm; where not, every figure of it is labeled unequal.
bool is_equal(const Suite& suite, const Arm& arm);
/// Whether an arm's width is left to the budget, so that solve_width() has to find it.
bool width_is_solved(const Suite& suite, const Arm& arm);

/// The arm that a placebo is, with other weights: the one whose choices it shares on a task, or
/// nullptr where there is none.
const Arm* original_of(const Suite& suite, const Task& task, const Arm& placebo);

/// All choices of a run in their order (base, task, arm), for train::resolve(); unchecked where
/// width_is_solved().
train::Sources sources(const Suite& suite, const Task& task, const Arm& arm);

/// Whether an arm's mean on a task is where a control says: within the distance of chance, or no
/// worse than that below the ceiling. Not where it is NaN.
bool holds(const Control& control, const Task& task, double mean);

}  // namespace weft::compare
