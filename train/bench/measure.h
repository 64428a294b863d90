// Times training steps, and what stands beside them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/bench/plan.h"

namespace weft::bench {

/// Where a step's time goes: all uses of one op together.
struct OpTime {
  std::string op;
  double forward_ms = 0;
  double backward_ms = 0;
};

struct Measurement {
  double median_ms = 0;  ///< of a step: forward, loss, backward, update
  double min_ms = 0;
  double items_per_s = 0;  ///< tokens, images, ...
  std::int64_t parameters = 0;
  int threads = 0;
  double loss = 0;      ///< of the last timed step
  double floor_ms = 0;  ///< median of a round of the bare products; 0, and so the next two: not
                        ///< known for this model
  double floor_gflop = 0;
  double efficiency = 0;  ///< floor / median
  double allocator_peak_mib = 0;
  double system_peak_mib =
      0;  ///< resident, of the process, as it trains (the products' buffers come later)
  std::int64_t system_allocations =
      0;  ///< blocks that the caching allocator took from the system during the timed steps
  double heap_allocations = 0;  ///< operator new, per timed step
  std::vector<OpTime> ops;      ///< dearest first; medians over further steps, timed op by op
};

/// Steps to warm up, then timed steps with a round of the products after every few, then steps
/// timed op by op. Throws ConfigError as Plan::validate(), MemoryError.
Measurement measure(const Plan& plan);

}  // namespace weft::bench
