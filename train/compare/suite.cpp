#include "train/compare/suite.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "train/compare/expression.h"
#include "train/compare/power.h"
#include "train/config/block_options.h"
#include "train/loop/figures.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/kinds.h"

namespace weft::compare {
namespace {

using train::Choice;
using Names = std::vector<std::string>;

constexpr std::size_t kMostSuiteTasks = 100;
constexpr std::size_t kMostSuiteArms = 200;
constexpr std::size_t kMostSuiteContrasts = 1000;
constexpr std::size_t kMostSuiteSeeds = 1000;

bool among(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <class Part>
Names names_of(const std::vector<Part>& parts) {
  Names names;
  for (const Part& part : parts) names.push_back(part.name);
  return names;
}

template <class Part>
const Part& find_part(const std::vector<Part>& parts, const std::string& name, const char* what,
                      const std::string& where) {
  for (const Part& part : parts) {
    if (part.name == name) return part;
  }
  const std::string near = train::nearest(name, names_of(parts));
  fail<ConfigError>(where, "there is no {} {}{}", what, name,
                    near.empty() ? "" : "; did you mean " + near + "?");
}

template <class Part>
void check_names(const std::vector<Part>& parts, const char* what) {
  std::map<std::string, const Part*> seen;
  for (const Part& part : parts) {
    const auto [other, is_new] = seen.try_emplace(part.name, &part);
    if (!is_new)
      fail<ConfigError>(part.where, "two {}s are called {}; the first is at {}", what, part.name,
                        other->second->where);
  }
}

void check_count(const std::string& where, const char* what, std::size_t count, std::size_t least,
                 std::size_t most) {
  if (count < least)
    fail<ConfigError>(where, "a suite needs at least {} [[{}]], and has {}", least, what, count);
  if (count > most)
    fail<ConfigError>(where, "a suite has at most {} [[{}]], got {}", most, what, count);
}

/// Choices that an arm may not make, and why.
std::string refusal(const Suite& suite, const Arm& arm, const std::string& name) {
  const train::Fields& fields = train::find_kind(suite.kind, suite.file).fields();
  const bool of_data = std::any_of(fields.begin(), fields.end(), [&](const train::Field& field) {
    return field.name == name && decides_data(field);
  });
  if (of_data || among({"batch", "accumulate"}, name))
    return "every arm sees the same batches; set it in [base] or in a task";
  if (width_is_solved(suite, arm) && among({"width"}, name))
    return "the budget solves for it (equal parameters); leave it out, or label the arm: unequal = "
           "true";
  const Equal equal = is_equal(suite, arm) ? suite.budget.equal : Equal::none;
  if (among({"steps", "epochs"}, name) &&
      (equal == Equal::steps || equal == Equal::flops || equal == Equal::seconds))
    return fmt::format(
        "the budget makes the arms equal in {}; leave it out, or label the arm: unequal = true",
        compare::name(equal));
  return "";
}

void check_choices(const std::vector<Choice>& choices) {
  std::set<std::string> seen;
  for (const Choice& choice : choices) {
    if (among({"seed", "threads", "until", "other_init"}, choice.name))
      fail<ConfigError>(choice.where, "{} is set by the comparison; leave it out", choice.name);
    if (!seen.insert(choice.name).second)
      fail<ConfigError>(choice.where, "{} is set twice", choice.name);
  }
}

/// The whole configuration of a run, checked. A width that is solved for later is any that the
/// heads allow.
std::string resolved_json(const train::Kind& kind, const train::Sources& sources) {
  const std::unique_ptr<train::RunConfig> config = train::resolve(kind, sources);
  if (!sources.checked) {
    const std::int64_t unit = train::Kind::width_granularity(*config);
    train::set_width(*config, (train::width_of(*config) + unit - 1) / unit * unit);
    kind.check(*config);
  }
  return train::to_json(kind, *config);
}

/// A placebo is another arm, and is judged against it.
void check_placebos(const Suite& suite, const Task& task) {
  for (const Arm& arm : suite.arms) {
    if (!arm.placebo || !runs_on(arm, task.name)) continue;
    const Arm* const original = original_of(suite, task, arm);
    if (original == nullptr)
      fail<ConfigError>(arm.where,
                        "arm {} is a placebo, and its choices are no other arm's on task {}: give "
                        "it those of the arm that it stands for",
                        arm.name, task.name);
    const bool judged =
        std::any_of(suite.contrasts.begin(), suite.contrasts.end(), [&](const Contrast& c) {
          return c.task == task.name &&
                 std::set<std::string>{c.a, c.b} == std::set<std::string>{arm.name, original->name};
        });
    if (!judged)
      fail<ConfigError>(arm.where,
                        "arm {} is a placebo, and no [[contrast]] judges it against {} on task {}",
                        arm.name, original->name, task.name);
  }
}

/// Every run's configuration can be made, and no two arms are the same.
void check_models(const Suite& suite) {
  const train::Kind& kind = train::find_kind(suite.kind, suite.file);
  for (const Task& task : suite.tasks) {
    std::map<std::string, std::string> seen;
    bool has_placebo = false;
    for (const Arm& arm : suite.arms) {
      if (!runs_on(arm, task.name)) continue;
      std::string json;
      try {
        json = resolved_json(kind, sources(suite, task, arm));
      } catch (const ConfigError& error) {
        const std::string text = error.what();
        if (text.starts_with("[" + suite.file + ":"))
          throw;  // it names the line of the choice already
        fail<ConfigError>(
            arm.where, "arm {} on task {}: {}", arm.name, task.name,
            text.substr(text.find("] ") == std::string::npos ? 0 : text.find("] ") + 2));
      }
      const auto [other, is_new] = seen.try_emplace(json, arm.name);
      if (!is_new)
        fail<ConfigError>(
            arm.where,
            "arms {} and {} are the same model on task {}: there is nothing to compare; a placebo "
            "says so: placebo = true",
            other->second, arm.name, task.name);
      has_placebo = has_placebo || arm.placebo;
    }
    if (has_placebo) check_placebos(suite, task);
  }
}

void check_contrasts(const Suite& suite) {
  std::set<std::pair<std::string, std::set<std::string>>> asked;
  for (const Contrast& c : suite.contrasts) {
    find_part(suite.tasks, c.task, "task", c.where);
    if (c.a == c.b)
      fail<ConfigError>(c.where, "a contrast is between two arms, and both are {}", c.a);
    for (const std::string& name : {c.a, c.b}) {
      if (!runs_on(find_part(suite.arms, name, "arm", c.where), c.task))
        fail<ConfigError>(c.where, "arm {} does not run on task {}", name, c.task);
    }
    if (!asked.insert({c.task, {c.a, c.b}}).second)
      fail<ConfigError>(c.where, "{} against {} on {} is declared twice", c.a, c.b, c.task);
    if (c.expected == Verdict::equivalent && suite.task(c.task).margin <= 0)
      fail<ConfigError>(c.where,
                        "equivalence is expected, but task {} has no margin: say what difference "
                        "is as good as none",
                        c.task);
  }
}

/// Looks are declared in order.
void check_looks(const Suite& suite) {
  if (suite.looks.empty()) return;
  for (std::size_t k = 1; k < suite.looks.size(); ++k) {
    if (suite.looks[k] <= suite.looks[k - 1])
      fail<ConfigError>(suite.looks_where, "looks must be in ascending order: {} comes after {}",
                        suite.looks[k], suite.looks[k - 1]);
  }
  if (suite.looks.front() < kFewestSeeds)
    fail<ConfigError>(suite.looks_where,
                      "a look at {} seeds can decide nothing: under {} nothing is called better",
                      suite.looks.front(), kFewestSeeds);
}

void check_controls(const Suite& suite) {
  for (const Control& c : suite.controls) {
    for (const std::string& name : c.arms) find_part(suite.arms, name, "arm", c.where);
    bool any = false;
    for (const std::string& name : c.tasks) {
      const Task& task = find_part(suite.tasks, name, "task", c.where);
      const std::string_view what = compare::name(c.expect);
      if (!(c.expect == Expect::chance ? task.chance : task.ceiling))
        fail<ConfigError>(c.where, "task {} does not say what its {} is: {} = NUMBER", name, what,
                          what);
      any = any || std::any_of(c.arms.begin(), c.arms.end(), [&](const std::string& arm) {
              return runs_on(suite.arm(arm), name);
            });
    }
    if (!any) fail<ConfigError>(c.where, "none of these arms runs on any of these tasks");
  }
}

}  // namespace

std::string_view name(Expect expect) {
  return expect == Expect::chance ? "chance" : expect == Expect::ceiling ? "ceiling" : "placebo";
}

const std::vector<Metric>& cost_metrics() {
  static const std::vector<Metric> all = {{.name = "train_seconds"},
                                          {.name = "peak_mib"},
                                          {.name = "throughput", .lower_is_better = false}};
  return all;
}

bool is_cost(const std::string& metric) {
  return std::any_of(cost_metrics().begin(), cost_metrics().end(),
                     [&](const Metric& cost) { return cost.name == metric; });
}

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> all = [] {
    std::vector<Metric> metrics;
    for (const train::Figure& figure : train::known_figures())
      metrics.push_back({.name = "test_" + figure.name, .lower_is_better = figure.lower_is_better});
    for (const Metric& cost : cost_metrics()) metrics.push_back(cost);
    return metrics;
  }();
  return all;
}

const Task& Suite::task(const std::string& wanted) const {
  return find_part(tasks, wanted, "task", file);
}
const Arm& Suite::arm(const std::string& wanted) const {
  return find_part(arms, wanted, "arm", file);
}

namespace {

/// A figure that a kind never measures would make every run fail.
void check_metrics(const Suite& suite) {
  const train::Kind& kind = train::find_kind(suite.kind, suite.file);
  Names measured{"test_loss"};
  for (const std::string& figure : kind.figures()) measured.push_back("test_" + figure);
  for (const Metric& cost : cost_metrics()) measured.push_back(cost.name);
  Names parts = measured;
  for (const char* name : {"params", "steps"}) parts.emplace_back(name);
  check_names(suite.own_metrics, "metric");
  for (const Task& task : suite.tasks) {
    if (!task.metric.expression.empty()) {
      const Expression expression(task.metric.expression, task.where);
      for (const std::string& name : expression.names())
        if (!among(parts, name))
          fail<ConfigError>(task.where,
                            "the metric {} uses {}, which no {} run measures; it has {}",
                            task.metric.name, name, suite.kind, fmt::join(parts, ", "));
      continue;
    }
    if (!among(measured, task.metric.name))
      fail<ConfigError>(task.where, "task {} expects {}, which no {} run measures; it has {}",
                        task.name, task.metric.name, suite.kind, fmt::join(measured, ", "));
  }
}

}  // namespace

void check(const Suite& suite) {
  check_count(suite.file, "task", suite.tasks.size(), 1, kMostSuiteTasks);
  check_count(suite.file, "arm", suite.arms.size(), 2, kMostSuiteArms);
  check_count(suite.file, "contrast", suite.contrasts.size(), 1, kMostSuiteContrasts);
  check_names(suite.tasks, "task");
  check_metrics(suite);
  check_names(suite.arms, "arm");
  for (const Arm& arm : suite.arms) {
    for (const std::string& name : arm.tasks) find_part(suite.tasks, name, "task", arm.where);
  }
  if (suite.seeds.empty())
    fail<ConfigError>(suite.seeds_where, "the list of seeds is empty; write seeds = 8, or a list");
  if (suite.seeds.size() > kMostSuiteSeeds)
    fail<ConfigError>(suite.seeds_where, "at most {} seeds, got {}", kMostSuiteSeeds,
                      suite.seeds.size());
  if (std::set<std::int64_t>(suite.seeds.begin(), suite.seeds.end()).size() != suite.seeds.size())
    fail<ConfigError>(suite.seeds_where, "a seed is given twice");
  check_contrasts(suite);
  check_looks(suite);
  require_decidable(std::ssize(suite.seeds), std::ssize(suite.contrasts), suite.alpha,
                    suite.seeds_where);
  check_controls(suite);

  const Budget& budget = suite.budget;
  const bool solved = budget.equal == Equal::parameters || budget.equal == Equal::flops;
  if (solved && budget.amount.has_value() == !budget.reference.empty())
    fail<ConfigError>(budget.where,
                      "equal {} expects an amount, or the arm that is the reference, and not both",
                      name(budget.equal));
  if (budget.equal == Equal::seconds && !budget.amount)
    fail<ConfigError>(budget.where, "equal seconds expects an amount");
  if (!solved && !budget.reference.empty())
    fail<ConfigError>(budget.where,
                      "a reference is for equal parameters or flops; this budget is {}",
                      name(budget.equal));
  if ((budget.equal == Equal::steps || budget.equal == Equal::none) && budget.amount)
    fail<ConfigError>(budget.where,
                      "an amount has no effect with {}: [base] says how long all arms train",
                      name(budget.equal));
  if (!budget.reference.empty()) find_part(suite.arms, budget.reference, "arm", budget.where);

  check_choices(suite.choices);
  for (const Task& task : suite.tasks) check_choices(task.choices);
  for (const Arm& arm : suite.arms) {
    check_choices(arm.choices);
    for (const Choice& choice : arm.choices) {
      const std::string why = refusal(suite, arm, choice.name);
      if (!why.empty())
        fail<ConfigError>(choice.where, "an arm may not set {}: {}", choice.name, why);
    }
  }
  check_models(suite);
  if (!suite.looks.empty() && suite.looks.back() != std::ssize(suite.seeds))
    fail<ConfigError>(suite.looks_where,
                      "the last look is at {} seeds, and the suite has {}: they must be as many",
                      suite.looks.back(), suite.seeds.size());
  if (suite.quick) check(quick_form(suite));
}

const Arm* original_of(const Suite& suite, const Task& task, const Arm& placebo) {
  const train::Kind& kind = train::find_kind(suite.kind, suite.file);
  const auto json = [&](const Arm& arm) {
    return train::to_json(kind, *train::resolve(kind, sources(suite, task, arm)));
  };
  Arm plain = placebo;
  plain.placebo = false;
  const std::string wanted = json(plain);
  for (const Arm& arm : suite.arms) {
    if (!arm.placebo && runs_on(arm, task.name) && json(arm) == wanted) return &arm;
  }
  return nullptr;
}

Suite with_seeds(Suite suite, std::int64_t count) {
  if (count < 1 || count > static_cast<std::int64_t>(kMostSuiteSeeds))
    fail<ConfigError>("--seeds", "must be 1 to {}, got {}", kMostSuiteSeeds, count);
  if (suite.looks.empty()) suite.looks = {std::ssize(suite.seeds)};  // as it was declared
  const std::set<std::int64_t> own(suite.seeds.begin(), suite.seeds.end());
  std::int64_t next = suite.seeds.empty() ? 1 : suite.seeds.back() + 1;
  suite.seeds.resize(std::min(suite.seeds.size(), static_cast<std::size_t>(count)));
  for (; std::ssize(suite.seeds) < count; ++next)
    if (!own.contains(next)) suite.seeds.push_back(next);
  suite.seeds_where = "--seeds";
  require_decidable(count, std::ssize(suite.contrasts), suite.alpha, suite.seeds_where);
  return suite;
}

Suite quick_form(const Suite& suite) {
  if (!suite.quick)
    fail<ConfigError>(suite.file, "suite {} has no quick form: it has no [quick]", suite.name);
  const Quick& quick = *suite.quick;
  Suite short_form = suite;
  short_form.quick.reset();
  short_form.looks.clear();  // it is looked at once
  short_form.seeds = quick.seeds;
  short_form.seeds_where = quick.where;
  for (const std::string& name : quick.tasks) find_part(suite.tasks, name, "task", quick.where);
  for (const std::string& name : quick.arms) find_part(suite.arms, name, "arm", quick.where);
  const auto task_left = [&](const std::string& name) { return among(quick.tasks, name); };
  const auto arm_left = [&](const std::string& name) { return among(quick.arms, name); };
  const auto lost_task = [&](const std::string& name) { return !task_left(name); };
  const auto lost_arm = [&](const std::string& name) { return !arm_left(name); };

  std::erase_if(short_form.tasks, [&](const Task& task) { return !task_left(task.name); });
  for (Task& task : short_form.tasks) {
    for (const Choice& choice : quick.choices) {
      std::erase_if(task.choices, [&](const Choice& other) { return other.name == choice.name; });
      task.choices.push_back(choice);
    }
  }
  std::erase_if(short_form.arms, [&](const Arm& arm) { return !arm_left(arm.name); });
  for (Arm& arm : short_form.arms) std::erase_if(arm.tasks, lost_task);
  std::erase_if(short_form.arms, [&](const Arm& arm) { return arm.tasks.empty(); });
  std::erase_if(short_form.contrasts, [&](const Contrast& c) {
    return !task_left(c.task) || !arm_left(c.a) || !arm_left(c.b);
  });
  for (Control& control : short_form.controls) {
    std::erase_if(control.tasks, lost_task);
    std::erase_if(control.arms, lost_arm);
  }
  std::erase_if(short_form.controls,
                [](const Control& c) { return c.tasks.empty() || c.arms.empty(); });
  if (short_form.contrasts.empty())
    fail<ConfigError>(
        quick.where,
        "the quick form keeps no contrast: give it the task and both arms of at least one");
  if (!short_form.budget.reference.empty() && !arm_left(short_form.budget.reference))
    fail<ConfigError>(quick.where, "the quick form must keep arm {}, the reference of the budget",
                      short_form.budget.reference);
  return short_form;
}

bool decides_data(const train::Field& field) {
  return field.group == "Data" || field.group == "Simulation";
}

bool runs_on(const Arm& arm, const std::string& task) { return among(arm.tasks, task); }

bool is_equal(const Suite& suite, const Arm& arm) {
  return suite.budget.equal != Equal::none && !arm.unequal;
}

bool width_is_solved(const Suite& suite, const Arm& arm) {
  return suite.budget.equal == Equal::parameters && !arm.unequal &&
         arm.name != suite.budget.reference;
}

train::Sources sources(const Suite& suite, const Task& task, const Arm& arm) {
  train::Sources all{.preset = suite.preset, .file = {}};
  for (const auto* choices : {&suite.choices, &task.choices, &arm.choices})
    all.choices.insert(all.choices.end(), choices->begin(), choices->end());
  if (arm.placebo) all.choices.push_back({"other_init", true, arm.where});
  all.checked = !width_is_solved(suite, arm);
  return all;
}

bool holds(const Control& control, const Task& task, double mean) {
  if (control.expect == Expect::chance)
    return std::abs(mean - task.chance.value()) <= control.within;
  const double short_of =
      task.metric.lower_is_better ? mean - task.ceiling.value() : task.ceiling.value() - mean;
  return short_of <= control.within;
}

}  // namespace weft::compare
