#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/storage.h"
#include "train/config/run_config.h"

namespace weft::train {

void check_heads(const RunConfig& c) {
  if (c.head_size == 0 && c.width % c.heads != 0) {
    fail<ConfigError>("config",
                      "width must be divisible by heads: width {}, heads {}; choose a width of {}, "
                      "or a --head-size",
                      c.width, c.heads, std::max(c.heads, c.width / c.heads * c.heads));
  }
  if (c.kv_heads > 0 && c.heads % c.kv_heads != 0) {
    fail<ConfigError>("config", "heads must be divisible by kv_heads: heads {}, kv_heads {}",
                      c.heads, c.kv_heads);
  }
}

void check_positions(const RunConfig& c, const std::string& positions) {
  const std::int64_t head = c.head_size > 0 ? c.head_size : c.width / c.heads;
  if (positions == "rope" && head % 2 != 0)
    fail<ConfigError>(
        "config", "rope rotates pairs of features, so the head size must be even, got {}", head);
}

void check_common(const RunConfig& c) {
  if (c.norm == "layer" && !c.norm_weight && c.bias) {
    fail<ConfigError>("config",
                      "a layer norm without weights has no bias either: norm_weight no, bias yes; "
                      "add --no-bias, or --norm rms");
  }
}

void check_warmup(const RunConfig& c, std::int64_t steps) {
  if (c.warmup > steps)
    fail<ConfigError>("config", "warmup must not be longer than the run: warmup {}, steps {}",
                      c.warmup, steps);
}

void settle_common(RunConfig& c, std::int64_t steps, std::int64_t eval_every) {
  const auto settle = [&](const char* name, std::int64_t& choice, std::int64_t left,
                          std::int64_t value) {
    if (choice != left) return;
    choice = value;
    c.derived.emplace_back(name);
  };
  settle("kv_heads", c.kv_heads, 0, c.heads);
  settle("head_size", c.head_size, 0, c.width / c.heads);
  settle("warmup", c.warmup, -1, std::min<std::int64_t>(100, steps / 20));
  check_warmup(c, steps);
  settle("eval_every", c.eval_every, 0, std::max<std::int64_t>(1, eval_every));
  settle("save_every", c.save_every, 0, c.eval_every);
}

std::int64_t heads_granularity(const RunConfig& c, const std::string& positions) {
  if (c.head_size > 0) return 1;
  return c.heads * (positions == "rope" ? 2 : 1);
}

}  // namespace weft::train
