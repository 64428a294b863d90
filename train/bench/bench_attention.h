// `weft bench attention`: what attention costs as the sequence grows, by kind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/page/chart_page.h"

namespace weft::bench {

struct AttentionPlan {
  std::int64_t heads = 4;
  std::int64_t head_size = 64;
  std::int64_t batch = 1;
  std::vector<std::int64_t> lengths = {256, 512, 1024, 2048, 4096, 8192, 16384};
  std::int64_t rounds = 3;  ///< all kinds take turns
  int threads = 0;          ///< 0: one a core

  /// Throws ConfigError that names the flag, its value and what it may be.
  void validate() const;
};

/// Of one kind at one length: forward with what backward needs, and backward of all inputs;
/// medians.
struct AttentionCost {
  std::string kind;  ///< plain, flash, lightning, all causal; channels, which cannot be
  std::int64_t length = 0;
  bool measured = false;  ///< false: it does not fit in memory
  double forward_ms = 0;
  double backward_ms = 0;
  double cpu_ms = 0;    ///< of both, all threads together: what other programs do hardly touches it
  double peak_mib = 0;  ///< of tensors, beyond inputs, output and gradients
  double tokens_per_s = 0;
};

std::vector<AttentionCost> measure_attention(const AttentionPlan& plan);

std::string to_table(const AttentionPlan& plan, const std::vector<AttentionCost>& costs);
std::string to_json(const AttentionPlan& plan, const std::vector<AttentionCost>& costs);
/// Processor time and memory against length, a line a kind.
report::ChartPage to_page(const AttentionPlan& plan, const std::vector<AttentionCost>& costs);

}  // namespace weft::bench
