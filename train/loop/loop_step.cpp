// The steps of a run: batches, gradients, the update, and steps that are left out.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/op_observer.h"
#include "core/error.h"
#include "core/kernels/optimizer.h"
#include "core/random.h"
#include "core/storage.h"
#include "optim/clip_grad.h"
#include "train/loop/loop.h"

namespace weft::train {
namespace {

constexpr std::int64_t kMostSkipped = 50;  // steps in a row
constexpr std::int64_t kFirstFormatByTargets =
    3;  // a run of an earlier one has the mean of its batches' means, as it began

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

/// Forward and backward of all batches of a step. Throws NumericError only in anomaly mode.
Loop::Gradients Loop::gradients() {
  Gradients found{.seen = {.hash = progress_.batch_hash}};
  const bool by_targets = config_.format >= kFirstFormatByTargets;
  const double share = 1.0 / static_cast<double>(config_.accumulate);
  double all = 0;
  std::int64_t first = 0;
  bool even = true;
  optimizer_->zero_grad();
  for (std::int64_t i = 0; i < config_.accumulate; ++i) {
    const std::int64_t before = found.seen.counted;
    const Tensor loss = task_.next_loss(found.seen);
    const std::int64_t counted = found.seen.counted - before;
    // How many targets the step has is known once its last batch is made: until then each weighs
    // as if all were like the first. Where they are, as in most kinds of runs, that is all, and
    // the bits are those of a plain mean.
    if (i == 0) first = std::max<std::int64_t>(counted, 1);
    double weight = share;
    if (by_targets && config_.accumulate > 1 && counted != first) {
      weight = share * (static_cast<double>(counted) / static_cast<double>(first));
      even = false;
    }
    all += weight;
    found.loss += loss.item() * weight;
    if (!std::isfinite(found.loss)) return found;
    if (config_.accumulate == 1)
      loss.backward();
    else
      loss.backward(Tensor::full(loss.shape(), weight, loss.dtype()));
  }
  if (!even && all > 0) {
    found.loss /= all;
    scale_gradients(1 / all);
  }
  found.norm = config_.clip > 0 ? optim::clip_grad_norm(parameters_, config_.clip)
                                : optim::grad_norm(parameters_);
  return found;
}

void Loop::scale_gradients(double factor) {
  for (const auto& [name, tensor] : parameters_) {
    Tensor gradient = tensor.grad();
    if (!gradient.defined()) continue;
    if (!gradient.is_contiguous()) tensor.set_grad(gradient = raw::clone(gradient));
    kernels::scale(gradient, factor);
  }
}

/// What made a step's loss or gradient no number: the step is done again, with every op watched.
std::string Loop::find_nan_source(const std::map<std::string, std::uint64_t>& streams) {
  for (const auto& [name, tensor] : parameters_) {
    const std::vector<double> values = tensor.to_vector<double>();
    if (!std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
      return fmt::format("the weight {} contains it before the step", name);
  }
  random::restore(random::current_seed(), streams);
  task_.start(progress_.step * config_.accumulate);
  try {
    const AnomalyMode watch;
    gradients();
  } catch (const NumericError& error) {
    return error.what();
  }
  return "no op produced it: it came with the batch, or is a sum of numbers that are too large";
}

bool Loop::unless_stopped(const std::function<void()>& f) const {
  struct Stopped {};
  std::optional<OpObserver> watch;
  if (options_.stop_within_step) {
    watch.emplace([&](const char*, bool) {
      if (options_.stop_within_step()) throw Stopped();
    });
  }
  try {
    f();
    return true;
  } catch (const Stopped&) {
    return false;
  }
}

/// Nothing where it was stopped in the middle: all is as it was before the step.
std::optional<StepRecord> Loop::step() {
  const auto begin = Clock::now();
  const std::int64_t number = progress_.step + 1;
  const double factor = schedule_.factor(progress_.step);
  optimizer_->set_lr_factor(factor);
  const std::map<std::string, std::uint64_t> streams = random::positions();
  for (Statistic& s : statistics_) s.before = raw::clone(s.now);
  Gradients found;
  if (!unless_stopped([&] { found = gradients(); })) {
    random::restore(random::current_seed(), streams);
    for (const Statistic& s : statistics_) s.now.copy_from(s.before);
    return std::nullopt;
  }
  const bool finite = std::isfinite(found.loss) && std::isfinite(found.norm);
  if (!finite && config_.on_nan == "stop") {
    const std::string what = std::isfinite(found.loss)
                                 ? fmt::format("gradient's norm is {}", found.norm)
                                 : fmt::format("loss is {}", found.loss);
    fail<NumericError>("train",
                       "the {} at step {}: {}; lower --lr, use --clip 1, or leave such steps out "
                       "with --on-nan skip; {}",
                       what, number, find_nan_source(streams), last_good());
  }
  if (finite) {
    optimizer_->step();
    if (ema_) ema_->update();
    progress_.skipped_in_a_row = 0;
  } else {
    skip(number, found);
  }

  const double took = seconds_since(begin);
  const double rate = static_cast<double>(found.seen.items) / took;
  recent_rate_ = recent_rate_ == 0 ? rate : 0.9 * recent_rate_ + 0.1 * rate;
  progress_.step = number;
  progress_.items += found.seen.items;
  progress_.batch_hash = found.seen.hash;
  progress_.train_seconds += took;
  report_time();
  return StepRecord{.step = number,
                    .steps = steps_,
                    .train_loss = found.loss,
                    .lr = config_.lr * factor,
                    .grad_norm = found.norm,
                    .seconds = progress_.seconds,
                    .rate = recent_rate_,
                    .memory_mib = static_cast<double>(memory_stats().peak) / kLoopMiB,
                    .batch_hash = found.seen.hash,
                    .evaluated = false,
                    .validation = {}};
}

/// Leaves a step out. A run in which nothing else happens is no training.
void Loop::skip(std::int64_t number, const Gradients& found) {
  ++progress_.skipped;
  for (const Statistic& s : statistics_) s.now.copy_from(s.before);
  if (++progress_.skipped_in_a_row >= kMostSkipped) {
    fail<NumericError>("train",
                       "{} steps in a row were skipped, up to step {}, since their loss or "
                       "gradient was not a number: lower --lr; {}",
                       kMostSkipped, number, last_good());
  }
  if (found.seen.items > 0 && config_.accumulate > 1)
    task_.start(number * config_.accumulate);  // the rest of its batches are left out too
  note(fmt::format("step {} is skipped: its {} is not a number", number,
                   std::isfinite(found.loss) ? "gradient" : "loss"));
}

}  // namespace weft::train
