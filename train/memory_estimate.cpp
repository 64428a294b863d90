#include "train/memory_estimate.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/random.h"
#include "core/storage.h"
#include "train/build.h"

namespace weft::train {
namespace {

constexpr double kBytesPerMiB = 1024.0 * 1024.0;
constexpr std::int64_t kFewExamples = 6;  // more than the kernels for a handful of rows take

/// What the process holds now, in MiB; 0 where the system does not say.
double resident_mib() {
  std::ifstream file("/proc/self/statm");
  std::int64_t all = 0, resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / kBytesPerMiB;
}

/// MiB that tensors take at their most, and that the allocator takes from the system for them: blocks kept for reuse are of sizes that do not always fit.
struct Taken {
  double tensors = 0;
  double held = 0;
};

struct Trial {
  Taken step;
  Taken evaluation;
  double beside = 0;  ///< what the process holds that no tensor does: the program, the data's own buffers, scratch space of the kernels
};

Trial try_batch(const Kind& kind, const RunConfig& config, std::int64_t batch) {
  const std::unique_ptr<RunConfig> small = kind.copy(config);
  small->batch = batch;
  small->accumulate = 1;
  small->warmup = 0;
  random::seed(static_cast<std::uint64_t>(config.seed));
  release_cached_memory();
  const std::int64_t before = memory_stats().current;
  reset_peak_memory();
  const auto taken = [&] {
    const MemoryStats stats = memory_stats();
    return Taken{static_cast<double>(stats.peak - before) / kBytesPerMiB, static_cast<double>(stats.current + stats.cached - before) / kBytesPerMiB};
  };
  const Prepared run = kind.prepare(kind.copy(*small));
  const auto optimizer = build_optimizer(*run.config, run.task->model());
  run.task->model().train();
  run.task->start(0);
  for (int step = 0; step < 3; ++step) {  // the optimizer's buffers appear with the first, beside the gradients of the second
    Seen seen;
    optimizer->zero_grad();
    run.task->next_loss(seen).backward();
    optimizer->step();
  }
  const MemoryStats now = memory_stats();
  Trial trial{.step = taken(), .evaluation = {}, .beside = resident_mib() - static_cast<double>(now.current + now.cached) / kBytesPerMiB};
  release_cached_memory();
  reset_peak_memory();
  run.task->model().eval();
  const NoGrad no_grad;
  int asked = 0;
  run.task->evaluate(data::Split::validation, [&](double) { return asked++ < 2; });
  trial.evaluation = taken();
  return trial;
}

}  // namespace

MemoryNeed estimate_memory(const Kind& kind, const RunConfig& config) {
  const std::int64_t few = std::min(config.batch, kFewExamples), more = std::min(config.batch, 2 * few);
  const Trial small = try_batch(kind, config, few);
  const Trial large = more > few ? try_batch(kind, config, more) : small;
  release_cached_memory();
  ::malloc_trim(0);
  MemoryNeed need{.batch = config.batch};
  const auto grown = [&](double at_few, double at_more) {
    const double each = more > few ? std::max(0.0, (at_more - at_few) / static_cast<double>(more - few)) : 0.0;
    need.per_example_mib = std::max(need.per_example_mib, each);
    return at_more + each * static_cast<double>(config.batch - more);
  };
  need.tensors_mib = std::max(grown(small.step.tensors, large.step.tensors), large.evaluation.tensors);
  need.process_mib = std::max(0.0, large.beside) + std::max(grown(small.step.held, large.step.held), large.evaluation.held);
  return need;
}

std::string to_json(const MemoryNeed& need) {
  return nlohmann::ordered_json{{"tensors_mib", need.tensors_mib}, {"process_mib", need.process_mib}, {"batch", need.batch}, {"per_example_mib", need.per_example_mib}}.dump() + "\n";
}

MemoryNeed memory_need_from_json(const std::string& text) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  return {.tensors_mib = json.value("tensors_mib", 0.0), .process_mib = json.value("process_mib", 0.0), .batch = json.value("batch", std::int64_t{0}), .per_example_mib = json.value("per_example_mib", 0.0)};
}

void check_memory_need(const MemoryNeed& need) {
  const double limit = static_cast<double>(memory_limit()) / kBytesPerMiB;
  if (limit <= 0 || need.process_mib <= limit) return;
  const double rest = need.process_mib - need.per_example_mib * static_cast<double>(need.batch);
  const auto fitting = need.per_example_mib > 0 ? static_cast<std::int64_t>(std::floor((limit - rest) / need.per_example_mib)) : 0;
  fail<ConfigError>("config", "this run needs about {:.0f} MiB, and {:.0f} MiB are there: {}", need.process_mib, limit,
                    fitting >= 1 ? fmt::format("lower the batch from {} to {} at most (--accumulate makes up for it)", need.batch, fitting)
                                 : "lower width, layers or context: even a batch of one does not fit");
}

}  // namespace weft::train
