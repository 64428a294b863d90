#include "train/cli/gradcheck_command.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "autograd/sample.h"
#include "core/phase.h"

namespace weft::cli {
namespace {

using samples::Entry;

/// Of an input, where there is more than one seed.
constexpr std::int64_t kElementsASeed = 4;

/// The worst of a sample's cases; a failure is worse than any agreement.
struct Row {
  std::string name, kind;
  double worst_error = 0;
  bool passed = true;
  std::int64_t cases = 0;             ///< checked
  std::int64_t without_gradient = 0;  ///< of these, cases of a function without gradient
  std::int64_t failed = 0;            ///< of these
  std::int64_t checked = 0, skipped = 0;
  std::string where, message;
};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// Every case at one seed, added to the row.
void check_entry(const Entry& entry, std::uint64_t seed, std::int64_t seeds, Row& row) {
  samples::set_sample_seed(seed);
  const std::string suffix = seed == 0 ? "" : fmt::format(" (--seed {})", seed);
  try {
    const samples::Sample sample = entry.make();
    for (samples::Case one : sample.cases) {
      row.where = one.label;
      const bool odd = seed % 2 == 1;  // many seeds: a few elements each, with strides or with
                                       // gradients of gradients in turn
      if (seeds > 1) {
        one.check.max_elements = one.check.max_elements > 0
                                     ? std::min(one.check.max_elements, kElementsASeed)
                                     : kElementsASeed;
        one.check.noncontiguous = odd;
      }
      const GradcheckResult result =
          samples::check_case(one, entry.kind == samples::Kind::op && (seeds == 1 || !odd));
      ++row.cases;
      row.without_gradient += !one.gradients;
      row.checked += result.checked;
      row.skipped += result.skipped;
      row.failed += !result.passed;
      const bool worse = !result.passed || result.worst_error >= row.worst_error;
      if (row.passed && worse) {
        row.worst_error = result.worst_error;
        row.passed = result.passed;
        row.message = fmt::format("[{}] {}{}", one.label, result.message, suffix);
      }
    }
    if (sample.cases.empty()) row.passed = false, row.message = "the sample has no case";
  } catch (const std::exception& error) {
    ++row.failed;
    row.passed = false;
    row.worst_error = INFINITY;
    row.message = fmt::format("[{}] threw {}{}", row.where, error.what(), suffix);
  }
  samples::set_sample_seed(0);
}

void print_table(const std::vector<Row>& rows, std::int64_t seeds) {
  std::size_t width = 4;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  fmt::print("{:<{}}  {:<6}  {:>5}  {:>8}  {:>7}  {:>11}  result\n", "name", width, "kind", "cases",
             "elements", "skipped", "worst error");
  int failed = 0;
  std::int64_t cases = 0, failed_cases = 0, checked = 0;
  for (const Row& row : rows) {
    const bool no_gradient = row.passed && row.without_gradient == row.cases;
    const std::string error = no_gradient ? "-" : fmt::format("{:.2e}", row.worst_error);
    fmt::print("{:<{}}  {:<6}  {:>5}  {:>8}  {:>7}  {:>11}  {}\n", row.name, width, row.kind,
               row.cases, row.checked, row.skipped, error,
               !row.passed   ? "FAILED " + row.message
               : no_gradient ? "no gradient"
                             : "ok");
    failed += !row.passed;
    cases += row.cases;
    failed_cases += row.failed;
    checked += row.checked;
  }
  if (failed > 0)
    fmt::print("{} of {} failed\n", failed, rows.size());
  else
    fmt::print("all {} passed\n", rows.size());
  if (seeds > 1)
    fmt::print("{} seeds: {} checks of {} elements in all, {} of them failed\n", seeds, cases,
               checked, failed_cases);
}

void print_json(const std::vector<Row>& rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const Row& row : rows) {
    // JSON has no infinity: a check that threw has no worst error.
    const nlohmann::json error =
        std::isfinite(row.worst_error) ? nlohmann::json(row.worst_error) : nlohmann::json(nullptr);
    list.push_back({{"name", row.name},
                    {"kind", row.kind},
                    {"worst_error", error},
                    {"passed", row.passed},
                    {"cases", row.cases},
                    {"failed_cases", row.failed},
                    {"checked", row.checked},
                    {"skipped", row.skipped},
                    {"message", row.message}});
  }
  fmt::print("{}\n", list.dump(2));
}

}  // namespace

int run_gradcheck(const GradcheckCommand& command) {
  std::vector<const Entry*> chosen;
  for (const Entry& entry : samples::all())
    if (lower(entry.name).find(lower(command.pattern)) != std::string::npos &&
        (command.kind.empty() || command.kind == samples::name(entry.kind)))
      chosen.push_back(&entry);
  if (command.seeds < 1)
    fail<ConfigError>("gradcheck", "seeds must be at least 1, got {}", command.seeds);
  if (chosen.empty() && !command.kind.empty())
    fail<ConfigError>("gradcheck", "no {} has `{}` in its name", command.kind, command.pattern);
  if (chosen.empty())
    fail<ConfigError>("gradcheck", "no op, module or model has `{}` in its name", command.pattern);
  const bool shows_progress = isatty(STDERR_FILENO) != 0;
  const Phase phase("checking the gradients of {} ops, modules and models", chosen.size());
  std::vector<Row> rows;
  for (const Entry* entry : chosen) {
    if (shows_progress)
      std::fputs(
          fmt::format("\r\033[K{}/{} {}", rows.size() + 1, chosen.size(), entry->name).c_str(),
          stderr);
    rows.push_back({.name = entry->name,
                    .kind = std::string(samples::name(entry->kind)),
                    .where = "",
                    .message = ""});
    for (std::int64_t i = 0; i < command.seeds; ++i)
      check_entry(*entry, command.seed + static_cast<std::uint64_t>(i), command.seeds, rows.back());
  }
  if (shows_progress) std::fputs("\r\033[K", stderr);
  command.json ? print_json(rows) : print_table(rows, command.seeds);
  return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.passed; }) ? 0 : 1;
}

}  // namespace weft::cli
