#include "train/compare/plan.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "train/tasks/common/kinds.h"

namespace weft::compare {
namespace {

/// All that may decide what is known of the data, as a key: every choice but those of a model and
/// an optimizer and of how long and how a run is optimized. (What a token is, or a run that another
/// begins with, is chosen by arms, and makes another vocabulary.)
std::string data_key(const train::Kind& kind, const train::RunConfig& config) {
  std::string key;
  for (const train::Field* const field : kind.fields(config)) {
    const bool of_entry = field->of || field->names_entry;
    if (!of_entry && field->group != "Optimization" && field->group != "Run")
      key += field->name + "=" + train::value_text(config, *field) + "\n";
  }
  return key;
}

void count(const train::Kind& kind, Cell& cell) {
  const train::Length length = kind.length(*cell.config, *cell.data);
  cell.steps = length.steps;
  cell.parameters = kind.parameters(*cell.config, *cell.data);
  cell.forward_flops = kind.forward_flops(*cell.config, *cell.data);
  cell.training_flops = train::training_flops(cell.forward_flops, length.samples);
}

double target_of(const Plan& plan, const Cell& cell, double Cell::*figure) {
  const Budget& budget = plan.suite.budget;
  if (budget.amount) return *budget.amount;
  const auto reference = plan.find(plan.task(cell).name, budget.reference);
  if (!reference)
    fail<ConfigError>(budget.where,
                      "the reference {} does not run on task {}; add it there, or give an amount",
                      budget.reference, plan.task(cell).name);
  return plan.cells[*reference].*figure;
}

void solve_parameters(Plan& plan) {
  for (Cell& cell : plan.cells) {
    if (!width_is_solved(plan.suite, plan.arm(cell))) continue;
    const Budget& budget = plan.suite.budget;
    cell.config = with_width(*plan.kind, *cell.config, *cell.data,
                             {.target = target_of(plan, cell, &Cell::parameters),
                              .tolerance = budget.tolerance,
                              .where = budget.where,
                              .arm = plan.arm(cell).name});
    plan.kind->check(*cell.config);
  }
}

void solve_flops(Plan& plan) {
  for (Cell& cell : plan.cells) {
    if (!cell.equal || plan.arm(cell).name == plan.suite.budget.reference) continue;
    const double of_a_step =
        cell.training_flops / static_cast<double>(std::max<std::int64_t>(1, cell.steps));
    const std::int64_t steps = solve_steps(of_a_step, target_of(plan, cell, &Cell::training_flops),
                                           plan.suite.budget.where, plan.arm(cell).name);
    plan.kind->set_steps(*cell.config, steps, *cell.data);
  }
}

/// What every arm would spend of the budget, whoever solved for it, is the budget.
void check_spent(const Plan& plan) {
  const Budget& budget = plan.suite.budget;
  if (budget.equal != Equal::parameters && budget.equal != Equal::flops) return;
  double Cell::*const figure =
      budget.equal == Equal::parameters ? &Cell::parameters : &Cell::training_flops;
  for (const Cell& cell : plan.cells) {
    if (cell.equal)
      require_spent(cell.*figure, target_of(plan, cell, figure), budget.tolerance,
                    budget.equal == Equal::parameters ? "parameters" : "FLOPs", budget.where,
                    fmt::format("{} on task {}", plan.arm(cell).name, plan.task(cell).name));
  }
}

/// Numbers that no seed of the comparison has, the same however many of its seeds are run.
std::vector<std::int64_t> seeds_to_tune_with(const Suite& suite) {
  constexpr std::int64_t kAfterZero = 1001;  // after those that a count of seeds stands for
  std::vector<std::int64_t> all;
  for (std::int64_t seed = 0; std::ssize(all) < suite.tuning_seeds;
       seed = seed == 0 ? kAfterZero : seed + 1) {
    if (std::find(suite.seeds.begin(), suite.seeds.end(), seed) == suite.seeds.end())
      all.push_back(seed);
  }
  return all;
}

/// Arms of a budget that leaves the length to the suite must really train for as many steps.
void check_steps(const Plan& plan) {
  if (plan.suite.budget.equal != Equal::steps && plan.suite.budget.equal != Equal::parameters)
    return;
  std::map<std::size_t, const Cell*> first;
  for (const Cell& cell : plan.cells) {
    if (!cell.equal) continue;
    const auto [other, is_new] = first.try_emplace(cell.task, &cell);
    if (!is_new && other->second->steps != cell.steps)
      fail<ConfigError>(plan.arm(cell).where,
                        "arm {} trains {} steps on task {}, arm {} {}: give them the same, or "
                        "label one: unequal = true",
                        plan.arm(cell).name, cell.steps, plan.task(cell).name,
                        plan.arm(*other->second).name, other->second->steps);
  }
}

}  // namespace

std::optional<std::size_t> Plan::find(const std::string& task_name,
                                      const std::string& arm_name) const {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (task(cells[i]).name == task_name && arm(cells[i]).name == arm_name) return i;
  }
  return std::nullopt;
}

std::int64_t Plan::runs() const { return std::ssize(cells) * std::ssize(suite.seeds); }

std::int64_t Plan::tries() const {
  return tunes() ? std::ssize(cells) * std::ssize(suite.lr_factors) * std::ssize(tuning_seeds) : 0;
}

Plan make_plan(Suite suite) {
  Plan plan{.suite = std::move(suite), .kind = nullptr, .cells = {}};
  plan.kind = &train::find_kind(plan.suite.kind, plan.suite.file);
  plan.tuning_seeds = seeds_to_tune_with(plan.suite);
  std::map<std::string, std::shared_ptr<const train::DataFacts>> known;
  for (std::size_t task = 0; task < plan.suite.tasks.size(); ++task) {
    for (std::size_t arm = 0; arm < plan.suite.arms.size(); ++arm) {
      if (!runs_on(plan.suite.arms[arm], plan.suite.tasks[task].name)) continue;
      Cell cell{.task = task,
                .arm = arm,
                .config = train::resolve(
                    *plan.kind, sources(plan.suite, plan.suite.tasks[task], plan.suite.arms[arm]))};
      plan.kind->keep_test_split(*cell.config);
      auto& data = known[data_key(*plan.kind, *cell.config)];
      if (!data) data = plan.kind->inspect_data(*cell.config);
      cell.data = data;
      if (const double multiple = plan.suite.tasks[task].multiple; multiple != 1) {
        const auto steps =
            static_cast<double>(plan.kind->length(*cell.config, *cell.data).steps) * multiple;
        plan.kind->set_steps(*cell.config, std::llround(steps), *cell.data);
      }
      cell.equal = is_equal(plan.suite, plan.suite.arms[arm]);
      if (!width_is_solved(plan.suite, plan.suite.arms[arm])) count(*plan.kind, cell);
      plan.cells.push_back(std::move(cell));
    }
  }
  solve_parameters(plan);
  if (plan.suite.budget.equal == Equal::flops) solve_flops(plan);
  for (Cell& cell : plan.cells) count(*plan.kind, cell);
  check_steps(plan);
  check_spent(plan);
  return plan;
}

void set_pace(const Plan& plan, Cell& cell, double seconds_of_a_step) {
  const double steps = std::round(plan.suite.budget.amount.value() / seconds_of_a_step);
  if (!(steps >= 1 && steps <= 1e9))
    fail<ConfigError>(plan.suite.budget.where,
                      "{} seconds are {:.3g} steps of arm {} on task {}; give another amount",
                      *plan.suite.budget.amount, steps, plan.arm(cell).name, plan.task(cell).name);
  plan.kind->set_steps(*cell.config, static_cast<std::int64_t>(steps), *cell.data);
  count(*plan.kind, cell);
}

}  // namespace weft::compare
