#include "autograd/ops/rope.h"

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "autograd/autograd.h"
#include "core/kernels/rope.h"
#include "core/math.h"
#include "core/shape_only.h"

namespace weft {
namespace {

constexpr std::int64_t kMaxPosition = std::int64_t{1} << 24;

/// Cosines and sines of p base^(-2i/D), rows p from 0.
template <class T>
struct Table {
  std::int64_t positions = 0;
  std::vector<T> cosines, sines;
};

template <class T>
std::shared_ptr<const Table<T>> make_table(std::int64_t positions, std::int64_t half, double base) {
  auto table = std::make_shared<Table<T>>();
  table->positions = positions;
  table->cosines.reserve(static_cast<std::size_t>(positions * half));
  table->sines.reserve(static_cast<std::size_t>(positions * half));
  for (std::int64_t p = 0; p < positions; ++p)
    for (std::int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(p) *
                           math::pow(base, -static_cast<double>(i) / static_cast<double>(half));
      table->cosines.push_back(static_cast<T>(math::cos(angle)));
      table->sines.push_back(static_cast<T>(math::sin(angle)));
    }
  return table;
}

/// A table of at least `positions` rows, kept for the next call.
template <class T>
std::shared_ptr<const Table<T>> find_table(std::int64_t positions, std::int64_t half, double base) {
  static std::mutex mutex;
  static std::map<std::pair<std::int64_t, double>, std::shared_ptr<const Table<T>>> tables;
  const std::lock_guard<std::mutex> lock(mutex);
  if (tables.size() > 64) tables.clear();
  auto& table = tables[{half, base}];
  if (!table || table->positions < positions) {
    std::int64_t rows = 64;
    while (rows < positions) rows *= 2;
    table = make_table<T>(rows, half, base);
  }
  return table;
}

/// The rotation by +angle or -angle; each is the gradient of the other.
Tensor rotate(const Tensor& x, std::int64_t first, double base, double sign) {
  const Tensor from = x.strides().back() == 1 ? x : raw::contiguous(x);
  const Tensor out = Tensor::empty(x.shape(), x.dtype());
  const std::int64_t half = x.size(-1) / 2;
  if (out.numel() > 0)
    compute_float(x.dtype(), "rope", [&](auto zero) {
      using T = decltype(zero);
      const auto table = find_table<T>(first + x.size(-2), half, base);
      kernels::rope(from.shape(), from.strides(), from.data<T>(),
                    table->cosines.data() + first * half, table->sines.data() + first * half,
                    static_cast<T>(sign), out.data<T>());
    });
  return record("rope", out, {x},
                [=](const Tensor& g) -> Gradients { return {rotate(g, first, base, -sign)}; });
}

}  // namespace

Tensor rope(const Tensor& x, std::int64_t first_position, double base) {
  if (x.rank() < 2 || x.size(-1) % 2 != 0)
    fail<ShapeError>("rope", "expects (..., T, D) with an even D, got {}", x.shape().str());
  dispatch_float(x.dtype(), "rope", [](auto) {});
  if (first_position < 0 || first_position > kMaxPosition - x.size(-2))
    fail<ConfigError>("rope", "positions must lie in 0 .. {}, got {} to {}", kMaxPosition,
                      first_position, first_position + x.size(-2) - 1);
  if (!(base > 0) || !std::isfinite(base))
    fail<ConfigError>("rope", "base must be finite and above 0, got {}", base);
  return rotate(x, first_position, base, 1);
}

}  // namespace weft
