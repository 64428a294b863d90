#include "train/bench/bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace weft::bench {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value, int digits) {
  const double scale = std::pow(10, digits);
  return std::round(value * scale) / scale;
}

std::string describe(const Plan& plan) {
  std::string text = plan.model->title + ":";
  for (const Size& size : plan.model->sizes)
    text += fmt::format("{} {} {}", &size == plan.model->sizes.data() ? "" : ",", size.name,
                        plan[size.name]);
  return text + (plan.attention == "softmax" ? "" : ", " + plan.attention + " attention") +
         (plan.precision == "f32" ? "" : ", products in " + plan.precision);
}

}  // namespace

std::string to_table(const Plan& plan, const Measurement& m) {
  std::string text = fmt::format("{}: {} parameters, {} thread{}\n", describe(plan), m.parameters,
                                 m.threads, m.threads == 1 ? "" : "s");
  text += fmt::format(
      "step         {:.2f} ms median, {:.2f} ms fastest of {}; {:.0f} {}/s; loss {:.4f}\n",
      m.median_ms, m.min_ms, plan.steps, m.items_per_s, plan.model->item, m.loss);
  if (m.floor_ms > 0)
    text += fmt::format(
        "bare sgemm   {:.2f} ms for its {:.2f} GFLOP ({:.0f} GFLOP/s): efficiency {:.3f}\n",
        m.floor_ms, m.floor_gflop, m.floor_gflop / m.floor_ms * 1e3, m.efficiency);
  text += fmt::format("memory       peak {:.1f} MiB resident, {:.1f} MiB in tensors\n",
                      m.system_peak_mib, m.allocator_peak_mib);
  text += fmt::format("allocations  {} blocks from the system in {} steps", m.system_allocations,
                      plan.steps);
  if (m.heap_allocations >= 0)
    text += fmt::format(", {:.1f} on the heap per step", m.heap_allocations);
  std::size_t width = 2;
  double total = 0;
  for (const OpTime& op : m.ops)
    width = std::max(width, op.op.size()), total += op.forward_ms + op.backward_ms;
  text += fmt::format("\n\n{:<{}}  {:>10}  {:>11}  {:>6}\n", "op", width, "forward ms",
                      "backward ms", "share");
  for (const OpTime& op : m.ops)
    text += fmt::format("{:<{}}  {:>10.3f}  {:>11.3f}  {:>5.1f}%\n", op.op, width, op.forward_ms,
                        op.backward_ms, 100 * (op.forward_ms + op.backward_ms) / total);
  return text;
}

std::string to_json_line(const Plan& plan, const Measurement& m) {
  Json ops = Json::object();
  for (const OpTime& op : m.ops)
    ops[op.op] = {{"forward_ms", rounded(op.forward_ms, 4)},
                  {"backward_ms", rounded(op.backward_ms, 4)}};
  Json line{{"peer", "weft " WEFT_VERSION},
            {"kind", plan.model->name},
            {"median_ms", rounded(m.median_ms, 3)},
            {"min_ms", rounded(m.min_ms, 3)},
            {"items_per_s", rounded(m.items_per_s, 1)},
            {"params", m.parameters},
            {"peak_mib", rounded(m.system_peak_mib, 1)},
            {"threads", m.threads},
            {"loss", m.loss},
            {"allocator_peak_mib", rounded(m.allocator_peak_mib, 1)},
            {"system_peak_mib", rounded(m.system_peak_mib, 1)},
            {"system_allocations", m.system_allocations}};
  if (plan.model->attention) line["attention"] = plan.attention;
  line["precision"] = plan.precision;
  if (m.floor_ms > 0) {
    line["gemm_floor_ms"] = rounded(m.floor_ms, 4);
    line["gemm_floor_gflop"] = rounded(m.floor_gflop, 6);
    line["efficiency"] = rounded(m.efficiency, 4);
  }
  if (m.heap_allocations >= 0) line["heap_allocations_per_step"] = rounded(m.heap_allocations, 1);
  line["ops"] = ops;
  return line.dump();
}

}  // namespace weft::bench
