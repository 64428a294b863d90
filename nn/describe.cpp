#include "nn/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "autograd/autograd.h"
#include "core/shape_only.h"
#include "nn/trace.h"

namespace weft::nn {
namespace {

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

constinit thread_local Trace* detail::running_trace = nullptr;
constinit thread_local const Module* detail::called_module = nullptr;

Trace::Trace()
    : observer_([this](const Product& product) {
        Note& note = notes_[detail::called_module];
        const bool forward =
            product.role == ProductRole::forward || product.role == ProductRole::attention;
        if (forward) {
          note.flops += product.flops();
          note.flops_seen += product.flops() * product.seen;
        }
        products_.push_back(product);
      }),
      before_(std::exchange(detail::running_trace, this)) {}
Trace::~Trace() { detail::running_trace = before_; }

const Trace::Note* Trace::find(const Module* module) const {
  const auto found = notes_.find(module);
  return found == notes_.end() ? nullptr : &found->second;
}

void take_bound(const std::string& what) {
  if (detail::running_trace != nullptr) detail::running_trace->bounds_.insert(what);
}

namespace {

Description description_of(const Module& module, const Trace& trace) {
  std::unordered_map<std::string, std::int64_t> own;
  for (const auto& [path, tensor] : module.named_parameters()) own[parent(path)] += tensor.numel();

  Description info;
  info.kind = module.kind();
  for (const auto& [path, layer] : module.named_modules()) {
    const Trace::Note* const note = trace.find(layer);
    const auto parameters = own.find(path);
    const bool computes = note != nullptr && note->flops > 0;
    if (!computes && parameters == own.end()) continue;
    LayerInfo row{.path = path,
                  .kind = layer->kind(),
                  .details = layer->details(),
                  .parameters = parameters == own.end() ? 0 : parameters->second,
                  .flops = 0,
                  .flops_seen = 0,
                  .output = {}};
    if (note != nullptr) {
      row.flops = note->flops;
      row.flops_seen = note->flops_seen;
      row.output = note->output;
      if (row.output.rank() > 0) row.output.erase(0);
    }
    info.parameters += row.parameters;
    info.layers.push_back(std::move(row));
  }
  info.products = trace.products();
  for (const Product& product : info.products) {
    info.flops += product.flops();
    info.flops_seen += product.flops() * product.seen;
  }
  info.bounds.assign(trace.bounds().begin(), trace.bounds().end());
  return info;
}

}  // namespace

Description describe(Module& module, const std::function<void()>& run) {
  const ShapeOnly shapes;
  const Trace trace;
  {
    const NoGrad no_grad;
    const EvalMode eval(module);
    const Calling calling(&module);
    run();
  }
  return description_of(module, trace);
}

Description describe(Model& model) {
  return describe(model, [&] { call_module(model, model.example_input(1)); });
}

double estimated_peak(const std::function<double(std::int64_t batch)>& peak, std::int64_t batch) {
  constexpr std::int64_t kFew = 32;
  if (batch <= 2 * kFew) return peak(batch);
  const double less = peak(kFew), more = peak(2 * kFew);
  return more + (more - less) / kFew * static_cast<double>(batch - 2 * kFew);
}

StepDescription describe_step(const std::function<StepParts()>& make) {
  const ShapeOnly shapes;
  const double before = ShapeOnly::held();
  StepDescription result;
  const StepParts parts = make();
  const double made = ShapeOnly::held() - before;
  const std::function<void()> update = parts.make_update ? parts.make_update() : nullptr;
  StepMemory& memory = result.memory;
  for (const auto& [path, tensor] : parts.module->named_parameters())
    memory.gradients += static_cast<double>(tensor.storage()->bytes());
  const auto step = [&] {
    parts.module->zero_grad();
    const Calling calling(parts.module.get());
    parts.loss().backward();
    if (update) update();
  };
  parts.module->train();
  {
    const Trace trace;
    step();
    result.step = description_of(*parts.module, trace);
  }
  ShapeOnly::reset_peak();
  step();
  memory.peak = ShapeOnly::peak() - before;
  double all = 0;
  for (const auto& tensors : {parts.module->named_parameters(), parts.module->named_buffers()})
    for (const auto& [path, tensor] : tensors)
      all += static_cast<double>(tensor.storage()->bytes());
  memory.parameters = std::min(all, made);
  memory.batch = made - memory.parameters;
  memory.update = ShapeOnly::held() - before - made - memory.gradients;
  return result;
}

std::vector<Product> merged(const std::vector<Product>& products) {
  std::vector<Product> result;
  for (const Product& product : products) {
    const auto same = std::find_if(result.begin(), result.end(), [&](Product other) {
      other.count = product.count;
      return other == product;
    });
    if (same == result.end())
      result.push_back(product);
    else
      same->count += product.count;
  }
  return result;
}

std::string Description::table() const {
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
  if (flops_seen != flops)
    text += fmt::format(
        "FLOPs count attention over all pairs of tokens; the blocks that it sees take {}\n",
        engineering(flops_seen));
  for (const std::string& bound : bounds) text += fmt::format("taken as a bound: {}\n", bound);
  return text;
}

}  // namespace weft::nn
