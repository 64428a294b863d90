#include "train/compare/budget.h"

#include <cmath>

#include "core/error.h"
#include "train/config/block_options.h"

namespace weft::compare {
namespace {

constexpr std::int64_t kWidestModel = std::int64_t{1} << 20;
constexpr double kMostSteps = 1e9;

/// 1234567 as "1,234,567".
std::string with_commas(double n) {
  std::string text = fmt::format("{:.0f}", n);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3)
    text.insert(static_cast<std::size_t>(place), ",");
  return text;
}

}  // namespace

std::string_view name(Equal equal) {
  switch (equal) {
    case Equal::parameters:
      return "parameters";
    case Equal::flops:
      return "flops";
    case Equal::steps:
      return "steps";
    case Equal::seconds:
      return "seconds";
    case Equal::none:
      break;
  }
  return "unequal";
}

std::int64_t solve_width(const std::function<double(std::int64_t)>& parameters,
                         const WidthSearch& search) {
  const std::int64_t unit = search.granularity;
  if (unit < 1 || unit > kWidestModel)
    fail<ConfigError>(search.where, "a width cannot be a multiple of {}", unit);
  if (!(search.target >= 1))
    fail<ConfigError>(search.where, "a budget expects at least 1 parameter, got {}", search.target);
  // The least multiple with at least the target's count lies in (low, high].
  std::int64_t low = 0, high = 1;
  while (parameters(high * unit) < search.target && 2 * high * unit <= kWidestModel) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (parameters(middle * unit) < search.target ? low : high) = middle;
  }
  const double above = parameters(high * unit);
  const double below = low > 0 ? parameters(low * unit) : above;
  const bool take_below = low > 0 && search.target - below <= std::abs(above - search.target);
  const std::int64_t width = (take_below ? low : high) * unit;
  if (std::abs((take_below ? below : above) - search.target) <= search.tolerance * search.target)
    return width;

  const std::string wanted = fmt::format("the {} parameters of the budget within {:.3g} %",
                                         with_commas(search.target), 100 * search.tolerance);
  const std::string who = search.arm.empty() ? "the model" : "arm " + search.arm;
  if (parameters(unit) == parameters(2 * unit)) {
    fail<ConfigError>(search.where,
                      "no width gives {} {}: it has {}, whatever its width; choose another target, "
                      "or label it: unequal = true",
                      who, wanted, with_commas(above));
  }
  std::string found = fmt::format("width {} has {}", high * unit, with_commas(above));
  if (low > 0) found = fmt::format("width {} has {}, {}", low * unit, with_commas(below), found);
  const char* mend = low == 0                ? "choose a larger target or fewer layers"
                     : above < search.target ? "choose a smaller target or more layers"
                                             : "choose a larger target or fewer heads";
  fail<ConfigError>(search.where, "no width gives {} {}: {}{}; {}, or label it: unequal = true",
                    who, wanted, found,
                    unit > 1 ? fmt::format(" (widths are multiples of {})", unit) : "", mend);
}

std::unique_ptr<train::RunConfig> with_width(const train::Kind& kind,
                                             const train::RunConfig& config,
                                             const train::DataFacts& data, WidthSearch search) {
  search.granularity = train::Kind::width_granularity(config);
  std::unique_ptr<train::RunConfig> wider = kind.copy(config);
  const auto parameters = [&](std::int64_t width) {
    train::set_width(*wider, width);
    return kind.parameters(*wider, data);
  };
  const std::int64_t width = solve_width(parameters, search);
  train::set_width(*wider, width);
  return wider;
}

std::int64_t solve_steps(double flops_of_a_step, double target, std::string_view where,
                         std::string_view arm) {
  const double steps = std::round(target / flops_of_a_step);
  if (!(flops_of_a_step > 0) || !(steps >= 1)) {
    fail<ConfigError>(
        where,
        "the budget of {:.3g} FLOPs is less than one step of arm {}, {:.3g}; give a larger one",
        target, arm, flops_of_a_step);
  }
  if (steps > kMostSteps)
    fail<ConfigError>(
        where,
        "the budget of {:.3g} FLOPs would be {:.3g} steps of arm {}; at most {:.0e} are possible",
        target, steps, arm, kMostSteps);
  return static_cast<std::int64_t>(steps);
}

void require_spent(double spent, double budget, double tolerance, std::string_view what,
                   std::string_view where, std::string_view arm) {
  if (std::abs(spent - budget) <= tolerance * budget) return;
  fail<ConfigError>(
      where,
      "arm {} would spend {:.4g} {} of the budget of {:.4g}, {:+.1f} %, and {:.3g} % "
      "are allowed; give a larger budget, a smaller batch, or label it: unequal = true",
      arm, spent, what, budget, 100 * (spent / budget - 1), 100 * tolerance);
}

}  // namespace weft::compare
