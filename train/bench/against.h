// `--against`: ours and a peer in turn, each in a process of its own, so that what disturbs the
// machine disturbs both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/bench/plan.h"

namespace weft::bench {

/// What a program said of itself in its last line.
struct Reading {
  double median_ms = 0;
  double peak_mib = 0;    ///< 0: it did not say
  double efficiency = 0;  ///< 0: it did not say
  std::string json;       ///< the line
};

/// One reading of each a round, ours first.
struct Comparison {
  std::string command;
  std::vector<Reading> ours;
  std::vector<Reading> peer;
};

/// Throws ConfigError unless 1 <= rounds <= 1000; IoError, with what it printed, when a program
/// fails or its last line of stdout is no JSON object with a positive number `median_ms`.
Comparison run_against(const Plan& plan, const std::string& command, std::int64_t rounds);

/// Of several readings of one program: the middle, and the ends.
struct Spread {
  double median = 0, low = 0, high = 0;
};
Spread spread(const std::vector<double>& values);
/// How many times as long as ours the peer's step takes, round by round.
std::vector<double> ratios(const Comparison& comparison);

std::string to_table(const Comparison& comparison);
/// One line.
std::string to_json_line(const Comparison& comparison);

}  // namespace weft::bench
