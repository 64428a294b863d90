#include "train/compare/preview.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>

#include "core/parallel.h"
#include "core/random.h"
#include "core/storage.h"
#include "train/loop/build_optimizer.h"

namespace weft::compare {
namespace {

constexpr int kMostMeasured = 9;
constexpr double kEnoughSeconds = 0.25;  // for one cell
constexpr double kAlike = 0.01;

}  // namespace

double measure_step(const Plan& plan, const Cell& cell) {
  using Clock = std::chrono::steady_clock;
  set_num_threads_here(1);
  std::unique_ptr<train::RunConfig> config = plan.kind->copy(*cell.config);
  random::seed(static_cast<std::uint64_t>(plan.tuning_seeds.front()));
  const train::Prepared run = plan.kind->prepare(std::move(config));
  const std::function<void()> update = train::build_update(*run.config, run.task->model());
  run.task->model().train();
  run.task->start(0);
  const std::int64_t there = std::max<std::int64_t>(1, run.steps);  // batches may end with the run
  std::vector<double> seconds;
  double all = 0;
  for (std::int64_t step = 0; step < std::min<std::int64_t>(kMostMeasured + 1, there); ++step) {
    const auto begin = Clock::now();
    train::BatchRecord seen;
    for (std::int64_t i = 0; i < run.config->accumulate; ++i) run.task->next_loss(seen).backward();
    update();
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    if (step > 0 || there == 1) seconds.push_back(took);
    all += took;
    if (all > kEnoughSeconds && !seconds.empty()) break;
  }
  release_cached_memory();
  std::nth_element(seconds.begin(), seconds.begin() + std::ssize(seconds) / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

std::vector<Unequal> unequal_figures(const Plan& plan, std::size_t task,
                                     const std::vector<double>& seconds) {
  std::vector<Unequal> all{{"parameters"}, {"training FLOPs"}, {"steps"}, {"seconds"}};
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const Cell& cell = plan.cells[i];
    if (cell.task != task) continue;
    const double figures[] = {cell.parameters, cell.training_flops, static_cast<double>(cell.steps),
                              seconds[i]};
    for (std::size_t k = 0; k < all.size(); ++k) {
      Unequal& one = all[k];
      if (one.least_arm.empty() || figures[k] < one.least) {
        one.least = figures[k];
        one.least_arm = plan.arm(cell).name;
      }
      if (one.most_arm.empty() || figures[k] > one.most) {
        one.most = figures[k];
        one.most_arm = plan.arm(cell).name;
      }
    }
  }
  std::erase_if(all, [](const Unequal& one) { return !(one.most > one.least * (1 + kAlike)); });
  return all;
}

}  // namespace weft::compare
