#include "autograd/sample.h"
#include "core/shape_only.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace weft::samples {
namespace {

std::vector<Entry>& entries() {
  static std::vector<Entry> list;
  return list;
}

std::uint64_t sample_seed = 0;

std::uint64_t hash(std::uint64_t salt, std::uint64_t i) {
  std::uint64_t x = (i + 1) * 0x9E3779B97F4A7C15u + salt * 0xD1B54A32D192ED03u +
                    (sample_seed + 1) * 0x2545F4914F6CDD1Du;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// The offset in a row-major tensor of shape `from` of the element that `index` (of a broadcast
/// shape) reads.
std::int64_t broadcast_offset(const Shape& from, const Shape& index) {
  std::int64_t offset = 0;
  for (int d = 0; d < from.rank(); ++d)
    offset = offset * from[d] + (from[d] == 1 ? 0 : index[d + index.rank() - from.rank()]);
  return offset;
}

/// Elements above which only some are tried: a second-order difference costs a recorded backward
/// each.
constexpr std::int64_t kSecondOrderElements = 24;

}  // namespace

std::string_view name(Kind kind) {
  constexpr std::string_view kNames[] = {"op", "module", "model"};
  return kNames[static_cast<int>(kind)];
}

const std::vector<Entry>& all() { return entries(); }

void set_sample_seed(std::uint64_t seed) { sample_seed = seed; }

Register::Register(std::string name, Kind kind, std::function<Sample()> make) {
  Entry entry{std::move(name), kind, std::move(make)};
  auto& list = entries();
  const auto before = [](const Entry& a, const Entry& b) {
    return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
  };
  list.insert(std::upper_bound(list.begin(), list.end(), entry, before), std::move(entry));
}

GradcheckResult check_case(const Case& sample_case, bool second_order) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < sample_case.inputs.size(); ++i) {
    const auto& skip = sample_case.without_grad;
    inputs.push_back(raw::clone(sample_case.inputs[i]));
    if (is_float(inputs.back().dtype()) &&
        std::find(skip.begin(), skip.end(), static_cast<int>(i)) == skip.end())
      inputs.back().set_requires_grad();
  }
  GradcheckResult result;
  if (!sample_case.gradients) {
    result.passed = !sample_case.call(inputs).requires_grad();
    result.message = result.passed ? "has no gradient"
                                   : "is declared to have no gradient, but its output requires one";
    return result;
  }
  GradcheckOptions options = sample_case.check;
  options.second_order = false;
  options.seed = sample_seed;
  result = gradcheck(sample_case.call, inputs, options);
  if (!result.passed || !second_order || !sample_case.no_second_order.empty()) return result;
  options.second_order = true;
  options.noncontiguous = false;
  options.max_elements = options.max_elements > 0
                             ? std::min(options.max_elements, kSecondOrderElements)
                             : kSecondOrderElements;
  const GradcheckResult second = gradcheck(sample_case.call, inputs, options);
  const std::int64_t checked = result.checked + second.checked;
  if (!second.passed || second.worst_error > result.worst_error) result = second;
  result.checked = checked;
  return result;
}

Tensor values(const Shape& shape, std::uint64_t salt, double low, double high) {
  Tensor result = Tensor::empty(shape, DType::f64);
  const auto n = static_cast<std::uint64_t>(result.numel());
  if (shape_only()) return result;
  double* out = result.data<double>();
  // One value a stratum, kept off its borders, so that no two are equal; then the strata are
  // shuffled.
  for (std::uint64_t i = 0; i < n; ++i) {
    double value = low + (high - low) *
                             (static_cast<double>(i) + 0.25 + 0.5 * unit(hash(salt, i))) /
                             static_cast<double>(n);
    const double kink = std::round(value * 2) / 2, distance = value - kink;
    if (std::abs(distance) < 1e-3) {
      // Stretches the values around the kink away from it: their order stays.
      const double moved = kink + (distance < 0 ? -1e-3 : 1e-3) + distance;
      if (moved >= low && moved < high) value = moved;
    }
    out[i] = value;
  }
  for (std::uint64_t i = n; i > 1; --i)
    std::swap(out[i - 1], out[hash(salt ^ 0x5851F42D4C957F2Du, i) % i]);
  return result;
}

Tensor ids(const Shape& shape, std::int64_t bound, std::uint64_t salt) {
  Tensor result = Tensor::empty(shape, DType::i64);
  if (shape_only()) return result;
  auto* out = result.data<std::int64_t>();
  for (std::int64_t i = 0, n = result.numel(); i < n; ++i)
    out[i] = static_cast<std::int64_t>(hash(salt, static_cast<std::uint64_t>(i)) %
                                       static_cast<std::uint64_t>(bound));
  return result;
}

std::vector<double> flat(const Tensor& t) { return t.to_vector<double>(); }

Reference elementwise(std::function<double(double)> f) {
  return [f = std::move(f)](const std::vector<Tensor>& inputs) {
    std::vector<double> result = flat(inputs.at(0));
    for (double& x : result) x = f(x);
    return result;
  };
}

Reference elementwise2(std::function<double(double, double)> f) {
  return [f = std::move(f)](const std::vector<Tensor>& inputs) {
    const Tensor &a = inputs.at(0), &b = inputs.at(1);
    const std::vector<double> left = flat(a), right = flat(b);
    const Shape shape = broadcast_shapes(a.shape(), b.shape(), "elementwise2");
    std::vector<double> result;
    for (std::int64_t i = 0, n = shape.numel(); i < n; ++i) {
      Shape index = shape;
      std::int64_t rest = i;
      for (int d = shape.rank() - 1; d >= 0; --d) {
        index[d] = rest % shape[d];
        rest /= shape[d];
      }
      result.push_back(f(left[static_cast<std::size_t>(broadcast_offset(a.shape(), index))],
                         right[static_cast<std::size_t>(broadcast_offset(b.shape(), index))]));
    }
    return result;
  };
}

}  // namespace weft::samples
