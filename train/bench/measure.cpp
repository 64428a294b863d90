#include "train/bench/measure.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "autograd/op_observer.h"
#include "core/memory_limits.h"
#include "core/parallel.h"
#include "core/precision.h"
#include "core/storage.h"
#include "train/bench/gemm_floor.h"
#include "train/bench/heap_count.h"
#include "train/bench/timing.h"
#include "train/bench/workload.h"

namespace weft::bench {
namespace {

constexpr std::int64_t kGroups = 8;  // of timed steps, each followed by a round of the products
constexpr std::int64_t kLeastRounds = 3;
constexpr std::int64_t kObservedSteps = 8;
constexpr double kMiB = 1024.0 * 1024.0;

/// Adds the time since the last lap to an op.
class LapTimer {
 public:
  void begin() { last_ = Clock::now(); }
  void end(const std::string& op, bool backward) {
    const double ms = 1e3 * seconds_since(last_);
    OpTime& time = times_[op];
    (backward ? time.backward_ms : time.forward_ms) += ms;
    last_ = Clock::now();
  }
  std::map<std::string, OpTime> take() { return std::exchange(times_, {}); }

 private:
  Clock::time_point last_;
  std::map<std::string, OpTime> times_;
};

std::map<std::string, OpTime> observed_step(Workload& work, LapTimer& laps) {
  const OpObserver observer([&](const char* op, bool backward) { laps.end(op, backward); });
  laps.begin();
  work.zero_grad();
  laps.end("update", false);
  const Tensor loss = work.loss();
  laps.end("outside ops", false);
  loss.backward();
  laps.end("outside ops", true);
  work.update();
  laps.end("update", false);
  return laps.take();
}

std::vector<OpTime> observe(Workload& work, std::int64_t steps) {
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> all;
  LapTimer laps;
  for (std::int64_t i = 0; i < steps; ++i)
    for (const auto& [op, time] : observed_step(work, laps)) {
      all[op].first.push_back(time.forward_ms);
      all[op].second.push_back(time.backward_ms);
    }
  std::vector<OpTime> times;
  for (const auto& [op, both] : all) times.push_back({op, median(both.first), median(both.second)});
  std::stable_sort(times.begin(), times.end(), [](const OpTime& a, const OpTime& b) {
    return a.forward_ms + a.backward_ms > b.forward_ms + b.backward_ms;
  });
  return times;
}

}  // namespace

Measurement measure(const Plan& plan) {
  set_precision(precision_from_name(plan.precision));
  Workload work(plan);
  Measurement result;
  result.parameters = work.parameters();
  result.threads = num_threads();
  reset_peak_memory();
  Tensor loss;
  for (std::int64_t i = 0; i < plan.warmup; ++i) loss = work.step();

  std::vector<double> times, rounds;
  std::optional<GemmFloor> floor;
  const std::vector<Product> products = describe_step(plan).step.products;
  std::int64_t heap = 0;
  times.reserve(static_cast<std::size_t>(plan.steps));
  const std::int64_t group = (plan.steps + kGroups - 1) / kGroups;
  for (std::int64_t done = 0; done < plan.steps;) {
    const std::int64_t system_before = memory_stats().allocations, heap_before = heap_allocations();
    for (const std::int64_t end = std::min(done + group, plan.steps); done < end; ++done) {
      const Clock::time_point begin = Clock::now();
      loss = work.step();
      times.push_back(1e3 * seconds_since(begin));
    }
    result.system_allocations += memory_stats().allocations - system_before;
    heap += heap_allocations() - heap_before;
    if (result.system_peak_mib ==
        0) {  // what training holds is known now: the products may have their own memory
      result.allocator_peak_mib = static_cast<double>(memory_stats().peak) / kMiB;
      result.system_peak_mib = process_peak_mib();
      if (GemmFloor::of_any(products)) {
        floor.emplace(products);
        floor->run();
      }
    }
    if (floor) rounds.push_back(floor->run() * 1e3);
  }
  while (floor && static_cast<std::int64_t>(rounds.size()) < kLeastRounds)
    rounds.push_back(floor->run() * 1e3);

  result.median_ms = median(times);
  result.min_ms = *std::min_element(times.begin(), times.end());
  result.items_per_s = static_cast<double>(plan.model->items(plan)) / result.median_ms * 1e3;
  result.loss = loss.item();
  if (floor) {
    result.floor_ms = median(rounds);
    result.floor_gflop = floor->gflop();
    result.efficiency = result.floor_ms / result.median_ms;
  }
  result.heap_allocations =
      heap_allocations() < 0 ? -1 : static_cast<double>(heap) / static_cast<double>(plan.steps);
  floor.reset();
  result.ops = observe(work, std::min(plan.steps, kObservedSteps));
  return result;
}

}  // namespace weft::bench
