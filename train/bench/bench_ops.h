// `weft bench ops`: the benchmark of every op sample, against what the machine can do.
#pragma once

#include <string>
#include <vector>

namespace weft::bench {

/// What this machine does at best with the threads in use: the best of several readings.
struct MachinePeak {
  double gflop_per_s = 0;  ///< sgemm of 1024 x 1024 matrices
  double gb_per_s = 0;     ///< read and written while copying 64 MiB
};

struct OpSpeed {
  std::string name;
  std::string label;
  double ms = 0;            ///< of one forward, gradients off; median
  double backward_ms = -1;  ///< of the backward alone; -1: the op has no gradient
  double gflop_per_s = 0;   ///< 0: the op computes nothing
  double gb_per_s = 0;      ///< 0: the op moves nothing
  double share = 0;  ///< of the peak of that which bounds it; above 1: its data come from the cache
};

MachinePeak measure_peak();
/// Throws ConfigError when no op has `pattern` in its name, in either case.
void check_pattern(const std::string& pattern);
/// The ops whose name holds `pattern`.
std::vector<OpSpeed> measure_ops(const std::string& pattern, const MachinePeak& peak);

std::string to_table(const MachinePeak& peak, const std::vector<OpSpeed>& speeds);
std::string to_json(const MachinePeak& peak, const std::vector<OpSpeed>& speeds);

}  // namespace weft::bench
