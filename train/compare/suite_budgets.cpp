// A suite that asks everything with several lengths of training.
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "train/compare/suite.h"

namespace weft::compare {
namespace {

std::string name_of(const std::string& task, double multiple) {
  return fmt::format("{}-x{:g}", task, multiple);
}

}  // namespace

void expand_budgets(Suite& suite, const std::string& where) {
  const std::vector<double>& multiples = suite.budgets;
  if (multiples.empty() || multiples.front() != 1 ||
      !std::is_sorted(multiples.begin(), multiples.end(), std::less_equal<>()))
    fail<ConfigError>(where, "budgets must begin with 1 and ascend: budgets = [1, 4]");
  if (suite.budget.amount && suite.budget.equal != Equal::parameters)
    fail<ConfigError>(
        where,
        "budgets are multiples of a length of training, and [budget] has an amount of "
        "{}: give a reference, or equal steps or parameters",
        name(suite.budget.equal));
  const std::vector<Task> tasks = suite.tasks;
  const std::vector<Contrast> contrasts = suite.contrasts;
  for (std::size_t k = 1; k < multiples.size(); ++k) {
    const double multiple = multiples[k];
    for (Task task : tasks) {
      task.base = task.name;
      task.name = name_of(task.base, multiple);
      task.multiple = multiple;
      const std::string en = fmt::format("{}{:g} times the training",
                                         task.about.en.empty() ? "" : ", ", multiple),
                        zh = fmt::format("{}训练量为 {:g} 倍", task.about.zh.empty() ? "" : "，",
                                         multiple);
      task.about = {task.about.en + en, task.about.zh + zh};
      suite.tasks.push_back(std::move(task));
    }
    for (Contrast contrast : contrasts) {
      contrast.task = name_of(contrast.task, multiple);
      contrast.question.en += fmt::format(" (At {:g} times the training.)", multiple);
      contrast.question.zh += fmt::format("（训练量为 {:g} 倍。）", multiple);
      suite.contrasts.push_back(std::move(contrast));
    }
  }
  const auto with_multiples = [&](std::vector<std::string>& names) {
    const std::vector<std::string> own = names;
    for (std::size_t k = 1; k < multiples.size(); ++k)
      for (const std::string& task : own) names.push_back(name_of(task, multiples[k]));
  };
  for (Arm& arm : suite.arms) with_multiples(arm.tasks);
  for (Control& control : suite.controls) with_multiples(control.tasks);
}

}  // namespace weft::compare
