#include "train/bench/bench_ops.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "autograd/autograd.h"
#include "autograd/sample.h"
#include "core/blas.h"
#include "core/parallel.h"
#include "train/bench/timing.h"

namespace weft::bench {
namespace {

constexpr double kEnoughSeconds = 0.05;  // of one benchmark
constexpr double kShortest =
    2e-4;  // seconds a reading must span, so that the clock's own cost does not count
constexpr int kFewest = 3;  // readings
constexpr int kMost = 200;

/// Readings of the seconds that one call takes; `seconds_of(n)` makes n together.
template <class F>
std::vector<double> readings_of(F&& seconds_of) {
  seconds_of(1);  // makes caches and buffers warm
  const double once = seconds_of(1);
  const int calls = std::clamp(static_cast<int>(kShortest / std::max(once, 1e-9)), 1, 10000);
  std::vector<double> readings;
  for (double total = 0; static_cast<int>(readings.size()) < kFewest ||
                         (total < kEnoughSeconds && static_cast<int>(readings.size()) < kMost);) {
    const double seconds = seconds_of(calls);
    total += seconds;
    readings.push_back(seconds / calls);
  }
  return readings;
}

double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

double forward_seconds(const samples::Benchmark& benchmark, const std::vector<Tensor>& inputs) {
  const NoGrad off;
  return median(readings_of([&](int calls) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; ++i) benchmark.call(inputs);
    return seconds_since(begin);
  }));
}

/// Of the backward alone, for a gradient of ones; below zero where there is none.
double backward_seconds(const samples::Benchmark& benchmark, const std::vector<Tensor>& inputs) {
  for (const Tensor& input : inputs)
    if (is_float(input.dtype())) input.set_requires_grad();
  const Tensor first = benchmark.call(inputs);
  if (!first.requires_grad()) return -1;
  const Tensor ones = Tensor::ones(first.shape(), first.dtype());
  return median(readings_of([&](int calls) {
    double seconds = 0;
    for (int i = 0; i < calls; ++i) {
      const Tensor output = benchmark.call(inputs);
      for (const Tensor& input : inputs) input.zero_grad();
      const auto begin = Clock::now();
      backward({output}, {ones});
      seconds += seconds_since(begin);
    }
    return seconds;
  }));
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

OpSpeed measure_one(const std::string& name, const samples::Benchmark& benchmark,
                    const MachinePeak& peak) {
  const std::vector<Tensor> inputs = benchmark.make_inputs();
  OpSpeed speed{.name = name, .label = benchmark.label};
  const double seconds = forward_seconds(benchmark, inputs),
               backward = backward_seconds(benchmark, inputs);
  speed.ms = seconds * 1e3;
  if (backward >= 0) speed.backward_ms = backward * 1e3;
  speed.gflop_per_s = benchmark.flops / seconds * 1e-9;
  speed.gb_per_s = benchmark.bytes / seconds * 1e-9;
  speed.share = std::max(speed.gflop_per_s / peak.gflop_per_s, speed.gb_per_s / peak.gb_per_s);
  return speed;
}

std::string figure(double value, int digits) {
  return value > 0 ? fmt::format("{:.{}f}", value, digits) : "-";
}

}  // namespace

MachinePeak measure_peak() {
  constexpr std::int64_t kSide = 1024, kCopied = std::int64_t{64} << 20,
                         kPiece = std::int64_t{1} << 20;
  MachinePeak peak;
  {
    const Tensor a = Tensor::full({kSide, kSide}, 0.5), b = Tensor::full({kSide, kSide}, 0.25),
                 c = Tensor::empty({kSide, kSide});
    const double seconds = least(readings_of([&](int calls) {
      const auto begin = Clock::now();
      for (int i = 0; i < calls; ++i)
        blas::parallel_gemm(blas::Op::none, blas::Op::none, kSide, kSide, kSide, 1.0f,
                            a.data<float>(), kSide, b.data<float>(), kSide, 0.0f, c.data<float>(),
                            kSide);
      return seconds_since(begin);
    }));
    peak.gflop_per_s = 2e-9 * kSide * kSide * kSide / seconds;
  }
  const Tensor from = Tensor::zeros({kCopied}, DType::u8), to = Tensor::zeros({kCopied}, DType::u8);
  const double seconds = least(readings_of([&](int calls) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; ++i)
      parallel_for(kCopied, kPiece, [&](std::int64_t first, std::int64_t last) {
        std::memcpy(to.raw_data() + first, from.raw_data() + first,
                    static_cast<std::size_t>(last - first));
      });
    return seconds_since(begin);
  }));
  peak.gb_per_s = 2e-9 * static_cast<double>(kCopied) / seconds;
  return peak;
}

std::vector<OpSpeed> measure_ops(const std::string& pattern, const MachinePeak& peak) {
  const bool shows_progress = isatty(STDERR_FILENO) != 0;
  std::vector<OpSpeed> speeds;
  for (const samples::Entry& entry : samples::all()) {
    if (entry.kind != samples::Kind::op ||
        lower(entry.name).find(lower(pattern)) == std::string::npos)
      continue;
    if (shows_progress) std::fputs(fmt::format("\r\033[K{}", entry.name).c_str(), stderr);
    for (const samples::Benchmark& benchmark : entry.make().benchmarks)
      speeds.push_back(measure_one(entry.name, benchmark, peak));
  }
  if (shows_progress) std::fputs("\r\033[K", stderr);
  return speeds;
}

void check_pattern(const std::string& pattern) {
  for (const samples::Entry& entry : samples::all())
    if (entry.kind == samples::Kind::op &&
        lower(entry.name).find(lower(pattern)) != std::string::npos)
      return;
  fail<ConfigError>("bench", "no op has `{}` in its name; `weft bench ops` measures all of them",
                    pattern);
}

std::string to_table(const MachinePeak& peak, const std::vector<OpSpeed>& speeds) {
  std::size_t name_width = 2, label_width = 4;
  for (const OpSpeed& s : speeds)
    name_width = std::max(name_width, s.name.size()),
    label_width = std::max(label_width, s.label.size());
  std::string text =
      fmt::format("{} thread{}; peak: {:.0f} GFLOP/s (sgemm), {:.1f} GB/s (copying)\n\n",
                  num_threads(), num_threads() == 1 ? "" : "s", peak.gflop_per_s, peak.gb_per_s);
  text += fmt::format("{:<{}}  {:<{}}  {:>10}  {:>11}  {:>8}  {:>7}  {:>6}\n", "op", name_width,
                      "case", label_width, "forward ms", "backward ms", "GFLOP/s", "GB/s", "peak");
  for (const OpSpeed& s : speeds)
    text += fmt::format("{:<{}}  {:<{}}  {:>10.4f}  {:>11}  {:>8}  {:>7}  {:>6}\n", s.name,
                        name_width, s.label, label_width, s.ms, figure(s.backward_ms, 4),
                        figure(s.gflop_per_s, 1), figure(s.gb_per_s, 1),
                        s.share > 0 ? fmt::format("{:.0f}%", 100 * s.share) : "-");
  return text;
}

std::string to_json(const MachinePeak& peak, const std::vector<OpSpeed>& speeds) {
  using Json = nlohmann::ordered_json;
  const auto or_null = [](double value) { return value > 0 ? Json(value) : Json(nullptr); };
  Json list = Json::array();
  for (const OpSpeed& s : speeds)
    list.push_back({{"name", s.name},
                    {"case", s.label},
                    {"ms", s.ms},
                    {"backward_ms", or_null(s.backward_ms)},
                    {"gflop_per_s", or_null(s.gflop_per_s)},
                    {"gb_per_s", or_null(s.gb_per_s)},
                    {"share_of_peak", or_null(s.share)}});
  return Json{{"threads", num_threads()},
              {"peak_gflop_per_s", peak.gflop_per_s},
              {"peak_gb_per_s", peak.gb_per_s},
              {"ops", list}}
             .dump(2) +
         "\n";
}

}  // namespace weft::bench
