// What is equal between the arms of a comparison, and how a model is brought to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "train/tasks/common/kind.h"

namespace weft::compare {

enum class Equal : std::uint8_t {
  none,        ///< unequal by declaration: labeled so wherever it appears
  parameters,  ///< by the width
  flops,       ///< training FLOPs, by the number of steps
  steps,       ///< optimizer steps
  seconds,     ///< of training
};

std::string_view name(Equal equal);  ///< "unequal", "parameters", ...

struct WidthSearch {
  double target = 0;             ///< parameters
  double tolerance = 0.02;       ///< how far off they may be, as a share of the target
  std::int64_t granularity = 1;  ///< only multiples of this are widths
  std::string where = "budget";  ///< of the error, as `suite.toml:12`
  std::string arm{};             ///< its name in the error
};

/// The width whose parameter count is nearest the target, in share; the narrower one of two that
/// are as near. `parameters(width)` must not fall with the width. Throws ConfigError when no width
/// comes within the tolerance, with the counts of the widths around the target, or when the count
/// does not depend on the width at all.
std::int64_t solve_width(const std::function<double(std::int64_t)>& parameters,
                         const WidthSearch& search);

/// The configuration with the width that has the target's parameters. For a configuration that has
/// not been settled. Throws as solve_width().
std::unique_ptr<train::RunConfig> with_width(const train::Kind& kind,
                                             const train::RunConfig& config,
                                             const train::DataFacts& data, WidthSearch search);

/// Steps whose training FLOPs come nearest the target. Throws ConfigError when the target is less
/// than half a step, or an endless number of them.
std::int64_t solve_steps(double flops_of_a_step, double target, std::string_view where,
                         std::string_view arm);

/// Throws ConfigError `[where] ...` where `spent` is off the budget by more than `tolerance` of it.
void require_spent(double spent, double budget, double tolerance, std::string_view what,
                   std::string_view where, std::string_view arm);

}  // namespace weft::compare
