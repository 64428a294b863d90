// From the runs of a comparison to what it found.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "train/compare/results.h"
#include "train/compare/run_results.h"

namespace weft::compare {

/// A figure by step, from a run's metrics.jsonl; lines that do not have it, or are torn, are passed
/// over.
std::map<std::int64_t, double> read_curve(const fs::path& run, const std::string& figure);

/// Reads what is there of the runs; nothing need be finished. Contrasts with missing runs are
/// undecided. A task whose arms saw different batches decides nothing either: see pairing_error().
/// What is not of the plan (version, machine, started, seconds, jobs) is left to the caller.
Results collect(const Plan& plan, const CompareFolder& folder, bool quick);

}  // namespace weft::compare
