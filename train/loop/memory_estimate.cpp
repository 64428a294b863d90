#include "train/loop/memory_estimate.h"

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/memory_limits.h"
#include "core/random.h"
#include "core/storage.h"
#include "optim/ema.h"
#include "train/loop/build_optimizer.h"

namespace weft::train {
namespace {

constexpr double kBytesPerMiB = 1024.0 * 1024.0;
constexpr int kTrialSteps = 3;
constexpr int kEvaluationSeconds = 1;     // of the processor, that a trial may evaluate for
constexpr double kSafeShare = 0.25;       // of what is there
constexpr std::int64_t kFewExamples = 6;  // more than the kernels for a handful of rows take

/// From now on process_peak_mib() tells of what comes. Where the system does not let us, it tells
/// of everything, which is more.
void reset_process_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// MiB that tensors take at their most, that the allocator takes from the system for them (blocks
/// kept for reuse are of sizes that do not always fit), and that the whole process takes.
struct Taken {
  double tensors = 0;
  double held = 0;
  double process = 0;
};

struct Trial {
  Taken step;
  Taken evaluation;
};

Trial try_batch(const PrepareBatch& prepare, const RunConfig& config, std::int64_t batch,
                int evaluation_seconds) {
  random::seed(static_cast<std::uint64_t>(config.seed));
  const auto begin = [] {
    release_cached_memory();
    ::malloc_trim(0);
    reset_peak_memory();
    reset_process_peak();
  };
  begin();
  const std::int64_t before = memory_stats().current;
  const auto taken = [&] {
    const MemoryStats stats = memory_stats();
    return Taken{static_cast<double>(stats.peak - before) / kBytesPerMiB,
                 static_cast<double>(stats.current + stats.cached - before) / kBytesPerMiB,
                 process_peak_mib()};
  };
  const Prepared run = prepare(batch);
  const auto optimizer = build_optimizer(*run.config, run.task->model());
  std::optional<optim::Ema> average;
  if (config.ema > 0)
    average.emplace(run.task->model().named_parameters(), config.ema,
                    saved_buffers(run.task->model()));
  run.task->model().train();
  run.task->start(0);
  for (int step = 0; step < kTrialSteps; ++step) {  // the optimizer's buffers appear with the
                                                    // first, beside the gradients of the second
    BatchRecord seen;
    optimizer->zero_grad();
    run.task->next_loss(seen).backward();
    optimizer->step();
  }
  Trial trial{.step = taken(), .evaluation = {}};
  begin();
  run.task->model().eval();
  const NoGrad no_grad;
  // As far as it comes: batches of other sizes, as the last one, leave other blocks behind for
  // reuse.
  const std::clock_t first = std::clock();
  int asked = 0;
  run.task->evaluate(data::Split::validation, [&](double) {
    return asked++ < 2 || std::clock() - first < evaluation_seconds * CLOCKS_PER_SEC;
  });
  trial.evaluation = taken();
  return trial;
}

double most_of(const Trial& trial, double Taken::*what) {
  return std::max(trial.step.*what, trial.evaluation.*what);
}

/// Of a batch that was tried itself.
MemoryNeed need_of(const Trial& whole, const Trial& small, std::int64_t few, std::int64_t batch) {
  const auto each = [&](double Taken::*what) {
    return std::max(0.0, (whole.step.*what - small.step.*what) / static_cast<double>(batch - few));
  };
  return {.tensors_mib = most_of(whole, &Taken::tensors),
          .process_mib =
              std::max(most_of(whole, &Taken::process),
                       most_of(small, &Taken::process)),  // only the first has learned a vocabulary
          .batch = batch,
          .per_example_mib = std::max(each(&Taken::tensors), each(&Taken::held))};
}

}  // namespace

MemoryNeed estimate_memory(const PrepareBatch& prepare, const RunConfig& config,
                           const ToldMib& told) {
  const std::int64_t few = std::min(config.batch, kFewExamples),
                     more = std::min(config.batch, 2 * few);
  const bool is_told = told && few < config.batch;
  const Trial small =
      try_batch(prepare, config, few, few < config.batch && !is_told ? 0 : kEvaluationSeconds);
  if (is_told) {
    const double beyond = told(config.batch) - told(few);
    release_cached_memory();
    ::malloc_trim(0);
    return {.tensors_mib = std::max(small.step.tensors + beyond, small.evaluation.tensors),
            .process_mib = std::max(small.step.process + beyond, small.evaluation.process),
            .batch = config.batch,
            .per_example_mib = beyond / static_cast<double>(config.batch - few)};
  }
  // As if all that the few take were theirs, and nothing the model's: where even that surely fits,
  // a second few tell nothing that the whole batch does not.
  const double ceiling = small.step.process + small.step.held *
                                                  static_cast<double>(config.batch - few) /
                                                  static_cast<double>(few);
  if (config.batch > few &&
      std::max(ceiling, small.evaluation.process) < kSafeShare * available_memory().mib) {
    const MemoryNeed need = need_of(try_batch(prepare, config, config.batch, kEvaluationSeconds),
                                    small, few, config.batch);
    release_cached_memory();
    ::malloc_trim(0);
    return need;
  }
  const Trial large =
      more > few ? try_batch(prepare, config, more, more < config.batch ? 0 : kEvaluationSeconds)
                 : small;
  const auto per_example = [&](double at_few, double at_more) {
    return more > few ? std::max(0.0, (at_more - at_few) / static_cast<double>(more - few)) : 0.0;
  };
  const double tensors_each = per_example(small.step.tensors, large.step.tensors),
               held_each = per_example(small.step.held, large.step.held);
  const auto rest = static_cast<double>(config.batch - more);
  MemoryNeed need{
      .tensors_mib = std::max(large.step.tensors + tensors_each * rest, large.evaluation.tensors),
      .process_mib = std::max(large.step.process + held_each * rest, large.evaluation.process),
      .batch = config.batch,
      .per_example_mib = std::max(tensors_each, held_each)};
  // Rows of different lengths are padded to the longest, and more examples have longer ones: where
  // the line says that it surely fits, the whole batch is tried.
  if (rest > 0 && need.process_mib < kSafeShare * available_memory().mib) {
    const Trial whole = try_batch(prepare, config, config.batch, kEvaluationSeconds);
    need.tensors_mib = std::max(whole.step.tensors, whole.evaluation.tensors);
    need.process_mib = std::max(most_of(whole, &Taken::process), most_of(small, &Taken::process));
  }
  release_cached_memory();
  ::malloc_trim(0);
  return need;
}

std::string to_json(const MemoryNeed& need) {
  return nlohmann::ordered_json{{"tensors_mib", need.tensors_mib},
                                {"process_mib", need.process_mib},
                                {"batch", need.batch},
                                {"per_example_mib", need.per_example_mib}}
             .dump() +
         "\n";
}

MemoryNeed memory_need_from_json(const std::string& text) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  return {.tensors_mib = json.value("tensors_mib", 0.0),
          .process_mib = json.value("process_mib", 0.0),
          .batch = json.value("batch", std::int64_t{0}),
          .per_example_mib = json.value("per_example_mib", 0.0)};
}

void check_memory_need(const MemoryNeed& need, const AvailableMemory& there) {
  if (need.process_mib <= there.mib) return;
  const double rest = need.process_mib - need.per_example_mib * static_cast<double>(need.batch);
  const auto fitting =
      need.per_example_mib > 0
          ? static_cast<std::int64_t>(std::floor((there.mib - rest) / need.per_example_mib))
          : 0;
  fail<ConfigError>(
      "config", "this run needs about {:.0f} MiB, and {:.0f} MiB {}: {}", need.process_mib,
      there.mib, there.what,
      fitting >= 1
          ? fmt::format("lower the batch from {} to {} at most (--accumulate makes up for it)",
                        need.batch, fitting)
          : "lower width, layers or context: even a batch of one does not fit");
}

}  // namespace weft::train
