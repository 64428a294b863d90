// Whether a comparison came to what an earlier one found, on another machine or in another version.
#pragma once

#include <string>
#include <vector>

#include "train/compare/results.h"

namespace weft::compare {

enum class Agreement : std::uint8_t {
  same_bits,      ///< every run's figure is the same number
  same_verdicts,  ///< the same verdicts, and intervals that overlap
  different,
};

struct Reproduction {
  Agreement agreement = Agreement::same_bits;
  std::vector<std::string> differences{};  ///< sentences: what is other, or missing in one of them
};

/// Compares what was found, not what it cost: figures of runs by task, arm and seed, and contrasts.
/// Metrics that measure the machine (is_cost()) have no bits to compare.
Reproduction compare_results(const Results& now, const Results& then);

/// results.json without what is bound to a machine: times, memory, folders, the machine itself. It
/// can be committed beside a suite.
std::string results_without_machine(Results results);

}  // namespace weft::compare
