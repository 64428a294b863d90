#include "train/bench/plan.h"

#include <new>

#include <fmt/format.h>

#include "core/error.h"
#include "core/precision.h"
#include "core/shape_only.h"
#include "core/storage.h"
#include "nn/options.h"

namespace weft::bench {
namespace {

void check_range(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high)
    fail<ConfigError>("bench", "{} must be from {} to {}, got {}", name, low, high, value);
}

}  // namespace

const std::vector<BenchModel>& bench_models() {
  static const std::vector<BenchModel> all = [] {
    std::vector<BenchModel> list = transformer_models();
    for (auto& models : {image_models(), click_models()})
      list.insert(list.end(), models.begin(), models.end());
    return list;
  }();
  return all;
}

Plan::Plan(std::string_view name) : model(nullptr) {
  for (const BenchModel& one : bench_models())
    if (one.name == name) model = &one;
  if (model == nullptr) fail<ConfigError>("bench", "there is no model {}", name);
  for (const Size& size : model->sizes) sizes[size.name] = size.value;
}

std::int64_t Plan::operator[](std::string_view name) const {
  const auto found = sizes.find(name);
  return found == sizes.end() ? 0 : found->second;
}

bool Plan::is(std::string_view name) const { return model->name == name; }

void Plan::validate() const {
  for (const Size& size : model->sizes)
    check_range(size.name, (*this)[size.name], size.least, size.most);
  check_range("steps", steps, 1, 1'000'000);
  check_range("warmup", warmup, 0, 1'000'000);
  check_range("threads", threads, 0, 1024);
  nn::from_name<nn::AttentionKind>(attention, "attention");
  precision_from_name(precision);
  if (model->check) model->check(*this);
  const double limit = number(memory_limit());
  double wanted = 0x1p62;  // and more: elements beyond 64 bits, which a shape refuses
  try {
    constexpr double kSurely = 2;
    const std::int64_t all = (*this)["batch"];
    std::int64_t described = 0;
    const auto peak = [&](std::int64_t batch) {
      Plan plan = *this;
      if (batch > 0) plan.sizes["batch"] = batch;
      described = batch;
      return describe_step(plan).memory.peak;
    };
    wanted = nn::estimated_peak(peak, all);
    if (wanted <= kSurely * limit && described != all) wanted = peak(all);
  } catch (const ShapeError&) {
  } catch (const std::bad_alloc&) {  // lists of so many ids, which no tensor holds
  }
  if (!(wanted > limit)) return;
  std::vector<std::string> names;
  for (const Size& size : model->sizes) names.emplace_back(size.name);
  fail<ConfigError>("bench",
                    "this cannot fit in memory: about {:.1f} GiB for a step, {:.1f} GiB are "
                    "available; lower one of {}",
                    wanted / 0x1p30, limit / 0x1p30, fmt::join(names, ", "));
}

void check_heads(const Plan& plan) {
  if (plan["width"] % plan["heads"] != 0)
    fail<ConfigError>("bench", "width must be divisible by heads: width {}, heads {}",
                      plan["width"], plan["heads"]);
}

Tensor random_ids(const Shape& shape, std::int64_t bound, Generator& generator,
                  std::int64_t first) {
  Tensor ids = Tensor::empty(shape, DType::i64);
  auto* const out = ids.data<std::int64_t>();
  if (shape_only()) return ids;
  for (std::int64_t i = 0, n = ids.numel(); i < n; ++i)
    out[i] = first + static_cast<std::int64_t>(
                         generator.next_below(static_cast<std::uint64_t>(bound - first)));
  return ids;
}

}  // namespace weft::bench
