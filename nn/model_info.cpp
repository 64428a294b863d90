#include "nn/model_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "autograd/autograd.h"
#include "nn/trace.h"

namespace weft::nn {
namespace {

thread_local Trace* running_trace = nullptr;

std::string parent(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? std::string() : path.substr(0, dot);
}

/// 1,234,567
std::string grouped(std::int64_t n) {
  return n < 1000 ? fmt::format("{}", n) : fmt::format("{},{:03}", grouped(n / 1000), n % 1000);
}

std::string engineering(double n) {
  constexpr std::array<const char*, 6> kUnits{"", " k", " M", " G", " T", " P"};
  std::size_t unit = 0;
  while (n >= 1000 && unit + 1 < kUnits.size()) n /= 1000, ++unit;
  return unit == 0 ? fmt::format("{:.0f}", n) : fmt::format("{:.2f}{}", n, kUnits[unit]);
}

}  // namespace

Trace::Trace() : before_(running_trace) { running_trace = this; }
Trace::~Trace() { running_trace = before_; }
Trace* Trace::running() { return running_trace; }

void Trace::add(const Module* module, double flops, const Shape& output) {
  Note& note = notes_[module];
  note.flops += flops;
  note.output = output;
}

const Trace::Note* Trace::find(const Module* module) const {
  const auto found = notes_.find(module);
  return found == notes_.end() ? nullptr : &found->second;
}

ModelInfo describe(Module& module, const std::function<void()>& run) {
  Trace trace;
  {
    const NoGrad no_grad;
    const EvalMode eval(module);
    run();
  }
  std::unordered_map<std::string, std::int64_t> own;
  for (const auto& [path, tensor] : module.named_parameters()) own[parent(path)] += tensor.numel();

  ModelInfo info;
  info.kind = module.kind();
  for (const auto& [path, layer] : module.named_modules()) {
    const Trace::Note* const note = trace.find(layer);
    const auto parameters = own.find(path);
    if (!note && parameters == own.end()) continue;
    LayerInfo row{.path = path,
                  .kind = layer->kind(),
                  .details = layer->details(),
                  .parameters = parameters == own.end() ? 0 : parameters->second,
                  .flops = 0,
                  .output = {}};
    if (note) {
      row.flops = note->flops;
      row.output = note->output;
      if (row.output.rank() > 0) row.output.erase(0);
    }
    info.parameters += row.parameters;
    info.flops += row.flops;
    info.layers.push_back(std::move(row));
  }
  return info;
}

ModelInfo describe(Model& model) {
  return describe(static_cast<Module&>(model), [&] { model.forward(model.example_input(1)); });
}

std::string ModelInfo::table() const {
  using Row = std::array<std::string, 5>;
  std::vector<Row> rows{{"layer", "kind", "output", "parameters", "FLOPs/sample"}};
  for (const LayerInfo& layer : layers) {
    const std::string what =
        layer.details.empty() ? layer.kind : fmt::format("{} ({})", layer.kind, layer.details);
    rows.push_back({layer.path.empty() ? "(model)" : layer.path, what,
                    layer.output.rank() ? layer.output.str() : "", grouped(layer.parameters),
                    layer.flops > 0 ? engineering(layer.flops) : "-"});
  }
  rows.push_back({"total", kind, "", grouped(parameters), engineering(flops)});
  std::array<std::size_t, 5> width{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string text;
  for (const Row& row : rows)
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>{}}  {:>{}}\n", row[0], width[0], row[1],
                        width[1], row[2], width[2], row[3], width[3], row[4], width[4]);
  return text;
}

}  // namespace weft::nn
