#include "nn/positions.h"
#include "core/shape_only.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>

#include "core/math.h"

namespace weft::nn {

namespace {

Tensor make_sinusoidal_positions(std::int64_t n, std::int64_t n_embd, DType dtype) {
  const Tensor table = Tensor::empty({n, n_embd}, DType::f64);
  double* const values = table.data<double>();
  for (std::int64_t t = 0; t < n && !shape_only(); ++t)
    for (std::int64_t c = 0; c < n_embd; ++c) {
      const double angle =
          static_cast<double>(t) *
          math::pow(10000.0, -static_cast<double>(c / 2 * 2) / static_cast<double>(n_embd));
      values[t * n_embd + c] = c % 2 ? math::cos(angle) : math::sin(angle);
    }
  return raw::cast(table, dtype);
}

/// The few tensors made last, by their arguments.
template <class Key>
class Cache {
 public:
  template <class Make>
  Tensor find(const Key& key, Make&& make) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (made_.size() > 16) made_.clear();
    Tensor& tensor = made_[key];
    if (!tensor.defined()) tensor = make();
    return tensor;
  }

 private:
  std::mutex mutex_;
  std::map<Key, Tensor> made_;
};

}  // namespace

Tensor sinusoidal_positions(std::int64_t n, std::int64_t n_embd, DType dtype) {
  if (shape_only()) return make_sinusoidal_positions(n, n_embd, dtype);  // none to keep
  static Cache<std::tuple<std::int64_t, std::int64_t, DType>> cache;
  return cache.find({n, n_embd, dtype},
                    [&] { return make_sinusoidal_positions(n, n_embd, dtype); });
}

std::vector<double> alibi_slopes(std::int64_t n_head) {
  std::int64_t power = 1;
  while (power * 2 <= n_head) power *= 2;
  std::vector<double> slopes;
  for (std::int64_t h = 1; h <= power; ++h)
    slopes.push_back(math::pow(2, -8.0 * static_cast<double>(h) / static_cast<double>(power)));
  for (std::int64_t h = 1; static_cast<std::int64_t>(slopes.size()) < n_head; h += 2)
    slopes.push_back(math::pow(2, -4.0 * static_cast<double>(h) / static_cast<double>(power)));
  return slopes;
}

namespace {

Tensor make_alibi_bias(std::int64_t n_head, std::int64_t queries, std::int64_t keys, DType dtype) {
  const std::vector<double> slopes = alibi_slopes(n_head);
  const Tensor bias = Tensor::empty({1, n_head, queries, keys}, dtype);
  compute_float(dtype, "alibi", [&](auto zero) {
    using T = decltype(zero);
    T* out = bias.data<T>();
    for (const double slope : slopes)
      for (std::int64_t i = keys - queries; i < keys; ++i)
        for (std::int64_t j = 0; j < keys; ++j)
          *out++ = static_cast<T>(-slope * static_cast<double>(std::abs(i - j)));
  });
  return bias;
}

}  // namespace

Tensor alibi_bias(std::int64_t n_head, std::int64_t queries, std::int64_t keys, DType dtype) {
  if (queries == 1 || shape_only())  // generation: another one each time
    return make_alibi_bias(n_head, queries, keys, dtype);
  static Cache<std::tuple<std::int64_t, std::int64_t, std::int64_t, DType>> cache;
  return cache.find({n_head, queries, keys, dtype},
                    [&] { return make_alibi_bias(n_head, queries, keys, dtype); });
}

}  // namespace weft::nn
