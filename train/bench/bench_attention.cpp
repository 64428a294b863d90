#include "train/bench/bench_attention.h"

#include <fmt/format.h>

#include <ctime>

#include "autograd/ops/attention.h"
#include "autograd/ops/lightning.h"
#include "autograd/ops/shape_ops.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "nn/cross_covariance_attention.h"
#include "train/bench/timing.h"

namespace weft::bench {
namespace {

constexpr const char* kAttentionKinds[] = {"plain", "flash", "lightning", "channels"};
constexpr double kPlainMatrices =
    6;  // of (length, length), that plain attention and its gradients hold at once
constexpr double kAttentionDecay = 0.99;

double cpu_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

void check_attention(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high)
    fail<ConfigError>("bench", "{} must be from {} to {}, got {}", name, low, high, value);
}

double floats_of(const AttentionPlan& plan, std::int64_t length) {
  return static_cast<double>(plan.batch * plan.heads) * static_cast<double>(length) *
         static_cast<double>(plan.head_size);
}

bool fits(const AttentionPlan& plan, const std::string& kind, std::int64_t length) {
  if (kind != "plain") return true;
  const double matrix = 4.0 * static_cast<double>(plan.batch * plan.heads) *
                        static_cast<double>(length) * static_cast<double>(length);
  return kPlainMatrices * matrix < 0.5 * static_cast<double>(memory_limit());
}

/// q, k, v as a projection leaves them, time before heads.
std::vector<Tensor> random_inputs(const AttentionPlan& plan, std::int64_t length) {
  Generator generator(0, "data");
  std::vector<Tensor> inputs;
  for (int i = 0; i < 3; ++i) {
    inputs.push_back(Tensor::empty({plan.batch, length, plan.heads, plan.head_size}));
    generator.fill_normal(inputs.back());
    inputs.back().set_requires_grad();
  }
  return inputs;
}

Tensor attend(const AttentionPlan& plan, const std::string& kind,
              const std::vector<Tensor>& inputs) {
  const Tensor q = transpose(inputs[0], 1, 2), k = transpose(inputs[1], 1, 2),
               v = transpose(inputs[2], 1, 2);
  if (kind == "lightning")
    return lightning_attention(
        q, k, v,
        {.decay = std::vector<double>(static_cast<std::size_t>(plan.heads), kAttentionDecay)});
  if (kind == "channels") return nn::cross_covariance(q, k, v, Tensor::ones({plan.heads, 1, 1}));
  return kind == "plain" ? definition::scaled_dot_product_attention(q, k, v, {.causal = true})
                         : scaled_dot_product_attention(q, k, v, {.causal = true});
}

struct LengthReading {
  double forward, backward, cpu, bytes;
};

LengthReading read_once(const AttentionPlan& plan, const std::string& kind,
                        const std::vector<Tensor>& inputs, const Tensor& ones) {
  for (const Tensor& input : inputs) input.zero_grad();
  release_cached_memory();
  reset_peak_memory();
  const double before = static_cast<double>(memory_stats().current), cpu = cpu_seconds();
  const auto begin = Clock::now();
  Tensor out = attend(plan, kind, inputs);
  const double forward = seconds_since(begin);
  out.backward(ones);
  const double both = seconds_since(begin),
               own = 4 * 4 * static_cast<double>(ones.numel());  // the output and three gradients
  return {forward, both - forward, cpu_seconds() - cpu,
          std::max(0.0, static_cast<double>(memory_stats().peak) - before - own)};
}

}  // namespace

void AttentionPlan::validate() const {
  check_attention("heads", heads, 1, 1024);
  check_attention("head-size", head_size, 1, 4096);
  check_attention("batch", batch, 1, 65536);
  check_attention("rounds", rounds, 1, 1000);
  check_attention("threads", threads, 0, 1024);
  if (lengths.empty()) fail<ConfigError>("bench", "no lengths are given");
  for (const std::int64_t length : lengths) {
    check_attention("a length", length, 1, 1 << 22);
    if (16 * 4 * floats_of(*this, length) > static_cast<double>(memory_limit()))
      fail<ConfigError>("bench", "a length of {} does not fit in memory", length);
  }
}

std::vector<AttentionCost> measure_attention(const AttentionPlan& plan) {
  plan.validate();
  std::vector<AttentionCost> costs;
  for (const std::int64_t length : plan.lengths) {
    const std::vector<Tensor> inputs = random_inputs(plan, length);
    const Tensor ones = Tensor::ones({plan.batch, plan.heads, length, plan.head_size});
    std::vector<std::vector<LengthReading>> readings(std::size(kAttentionKinds));
    for (std::int64_t round = 0; round <= plan.rounds;
         ++round)  // the first makes caches and buffers warm
      for (std::size_t i = 0; i < readings.size(); ++i) {
        if (!fits(plan, kAttentionKinds[i], length)) continue;
        const LengthReading reading = read_once(plan, kAttentionKinds[i], inputs, ones);
        if (round > 0) readings[i].push_back(reading);
      }
    for (std::size_t i = 0; i < readings.size(); ++i) {
      const auto middle = [&](double LengthReading::*part) {
        std::vector<double> values;
        for (const LengthReading& reading : readings[i]) values.push_back(reading.*part);
        return median(values);
      };
      AttentionCost cost{
          .kind = kAttentionKinds[i], .length = length, .measured = !readings[i].empty()};
      if (cost.measured) {
        cost.forward_ms = 1e3 * middle(&LengthReading::forward);
        cost.backward_ms = 1e3 * middle(&LengthReading::backward);
        cost.cpu_ms = 1e3 * middle(&LengthReading::cpu);
        cost.peak_mib = middle(&LengthReading::bytes) / 0x1p20;
        cost.tokens_per_s =
            1e3 * static_cast<double>(plan.batch * length) / (cost.forward_ms + cost.backward_ms);
      }
      costs.push_back(cost);
    }
  }
  return costs;
}

std::string to_table(const AttentionPlan& plan, const std::vector<AttentionCost>& costs) {
  std::string text = fmt::format(
      "attention, causal but for channels (XCiT), batch {}, {} head{} of {}, {} thread{}, median "
      "of {}\n\n{:>8}  {:<9}  {:>11}  {:>12}  {:>11}  {:>12}  {:>10}\n",
      plan.batch, plan.heads, plan.heads == 1 ? "" : "s", plan.head_size, num_threads(),
      num_threads() == 1 ? "" : "s", plan.rounds, "length", "kind", "forward ms", "backward ms",
      "CPU ms", "tokens/s", "extra MiB");
  for (const AttentionCost& cost : costs) {
    text +=
        cost.measured
            ? fmt::format("{:>8}  {:<9}  {:>11.3f}  {:>12.3f}  {:>11.3f}  {:>12.0f}  {:>10.1f}\n",
                          cost.length, cost.kind, cost.forward_ms, cost.backward_ms, cost.cpu_ms,
                          cost.tokens_per_s, cost.peak_mib)
            : fmt::format("{:>8}  {:<9}  does not fit in memory\n", cost.length, cost.kind);
  }
  return text;
}

report::ChartPage to_page(const AttentionPlan& plan, const std::vector<AttentionCost>& costs) {
  report::Chart time{.title = "Time",
                     .x_label = "tokens",
                     .y_label = "processor time of forward and backward, ms",
                     .series = {},
                     .log_x = true,
                     .log_y = true};
  report::Chart memory{.title = "Memory",
                       .x_label = "tokens",
                       .y_label = "MiB of tensors beyond inputs, output and gradients",
                       .series = {},
                       .log_x = true,
                       .log_y = true};
  for (const char* const kind : kAttentionKinds) {
    report::Series cpu{.name = kind, .points = {}}, peak{.name = kind, .points = {}};
    for (const AttentionCost& cost : costs) {
      if (cost.kind != kind || !cost.measured) continue;
      cpu.points.emplace_back(static_cast<double>(cost.length), cost.cpu_ms);
      if (cost.peak_mib > 0)
        peak.points.emplace_back(static_cast<double>(cost.length), cost.peak_mib);
    }
    time.series.push_back(std::move(cpu));
    memory.series.push_back(std::move(peak));
  }
  return {.title = "What attention costs",
          .paragraphs = {fmt::format(
              "Batch {}, {} head{} of {}, {} thread{}, medians of {}. plain: softmax with its "
              "whole matrix; flash: the same in tiles; lightning: Lightning "
              "Attention-2; these three causal. channels: between channels (XCiT), which sees all "
              "tokens at once. Both axes are logarithmic: a line twice "
              "as steep is the square.",
              plan.batch, plan.heads, plan.heads == 1 ? "" : "s", plan.head_size, num_threads(),
              num_threads() == 1 ? "" : "s", plan.rounds)},
          .charts = {std::move(time), std::move(memory)},
          .texts = {{"Figures", to_table(plan, costs)}}};
}

std::string to_json(const AttentionPlan& plan, const std::vector<AttentionCost>& costs) {
  std::string text = fmt::format(
      "{{\"batch\": {}, \"heads\": {}, \"head_size\": {}, \"threads\": {}, \"rounds\": {}, "
      "\"costs\": [",
      plan.batch, plan.heads, plan.head_size, num_threads(), plan.rounds);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const AttentionCost& c = costs[i];
    text += fmt::format(
        "{}{{\"kind\": \"{}\", \"length\": {}, \"measured\": {}, \"forward_ms\": {:.4f}, "
        "\"backward_ms\": {:.4f}, \"cpu_ms\": {:.4f}, \"tokens_per_s\": {:.1f}, \"extra_mib\": "
        "{:.3f}}}",
        i == 0 ? "" : ", ", c.kind, c.length, c.measured, c.forward_ms, c.backward_ms, c.cpu_ms,
        c.tokens_per_s, c.peak_mib);
  }
  return text + "]}\n";
}

}  // namespace weft::bench
