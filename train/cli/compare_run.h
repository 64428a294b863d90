// A comparison from beginning to end, as `weft compare` and the demo have it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "train/compare/plan.h"
#include "train/compare/results.h"

namespace weft::cli {

struct CompareRequest {
  std::string suite = "cross-dimension";  ///< a shipped suite's name, or a file
  std::string out;                        ///< empty: runs/SUITE
  std::int64_t seeds = 0;                 ///< 0: the suite's own
  int jobs = 0;                           ///< 0: one a core
  bool quick = false;
  bool retry = false;
};

struct CompareOutcome {
  compare::Plan plan;
  compare::Results results{};
  std::filesystem::path folder{};
  std::string json{};
  double seconds = 0;  ///< in all sessions
  bool whole = false;  ///< false: it was stopped
};

/// Throws ConfigError for an unknown suite, with the nearest name.
compare::Suite find_suite(const std::string& name);
compare::Plan plan_of(const CompareRequest& request);

/// Runs what is left to run, shows how it goes on, and writes results.json, results.csv and
/// report.html. Throws as run_plan().
std::unique_ptr<CompareOutcome> compare_suite(const CompareRequest& request);

/// The verdicts, the controls that do not hold, and the runs that failed, in sentences.
std::string findings_text(const compare::Results& results);

}  // namespace weft::cli
