#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/storage.h"
#include "train/config/run_config.h"

namespace weft::train {

RunConfig::RunConfig() : RunConfig(no_models()) {}
RunConfig::RunConfig(const Registry& models) : model(models), optimizer(optimizers()) {}

void check_common(const RunConfig& c) {
  c.model.as<ModelOptions>().check();
  if (c.precision == "bf16" && c.products == "openblas")
    fail<ConfigError>("config",
                      "products in bf16 are weft's own: precision {}, products {}; leave one out",
                      c.precision, c.products);
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
  c.model.as<ModelOptions>().settle(c.derived);
  settle("warmup", c.warmup, -1, std::min<std::int64_t>(100, steps / 20));
  check_warmup(c, steps);
  settle("eval_every", c.eval_every, 0, std::max<std::int64_t>(1, eval_every));
  settle("save_every", c.save_every, 0, c.eval_every);
}

}  // namespace weft::train
