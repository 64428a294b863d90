// Rows of every length have the committed bits on every instruction set: which lane a value's sum
// is in, and in what order lanes and tails join.
#include <cstdint>
#include <vector>

#include "core/kernels/norm.h"
#include "core/kernels/reduce.h"
#include "core/kernels/softmax.h"
#include "tests/bits/recorded.h"
#include "tests/bits/simd_sets.h"

using namespace weft;
using Index = std::int64_t;

namespace {

constexpr Index kLongest = 2 * 64 + 37;

/// Reproducible numbers in [-1, 1), by integers alone.
template <class T>
std::vector<T> numbers(Index n, std::uint64_t state) {
  std::vector<T> all;
  for (Index i = 0; i < n; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    all.push_back(static_cast<T>(static_cast<double>(state >> 40) * 0x1p-23 - 1));
  }
  return all;
}

/// The hash of f(row, row of a gradient, result) for rows of every length.
template <class T, class F>
void check_rows(const std::string& name, const F& f) {
  bits::on_every_set(bits::Portable::yes, [&] {
    bits::Hash hash;
    for (Index n = 2; n <= kLongest; ++n) {
      std::vector<T> result(static_cast<std::size_t>(n), T(0));
      f(numbers<T>(n, 1), numbers<T>(n, 2), result);
      hash.add(std::vector<double>(result.begin(), result.end()));
    }
    bits::check("rows: " + name + (sizeof(T) == 4 ? ", f32" : ", f64"), hash.str());
  });
}

template <class T>
kernels::NormArgs<T> norm(kernels::Norm kind, const std::vector<T>& x, T& mean, T& rstd) {
  return {.kind = kind,
          .rows = 1,
          .n = static_cast<Index>(x.size()),
          .x = x.data(),
          .eps = T(1e-5),
          .mean = &mean,
          .rstd = &rstd};
}

}  // namespace

TEST_CASE_TEMPLATE("rows of every length have the committed bits", T, float, double) {
  using Row = std::vector<T>;
  const auto size = [](const Row& x) { return static_cast<Index>(x.size()); };
  check_rows<T>("softmax", [&](const Row& x, const Row&, Row& y) {
    kernels::softmax(x.data(), y.data(), 1, size(x));
  });
  check_rows<T>("softmax's gradient", [&](const Row& x, const Row& g, Row& dx) {
    kernels::softmax_backward(x.data(), g.data(), dx.data(), 1, size(x));
  });
  check_rows<T>("log_softmax", [&](const Row& x, const Row&, Row& y) {
    kernels::log_softmax(x.data(), y.data(), 1, size(x));
  });
  check_rows<T>("log_softmax's gradient", [&](const Row& x, const Row& g, Row& dx) {
    kernels::log_softmax_backward(x.data(), g.data(), dx.data(), 1, size(x));
  });
  check_rows<T>("layer norm", [&](const Row& x, const Row&, Row& y) {
    T mean = 0, rstd = 0;
    kernels::norm_forward(norm(kernels::Norm::layer, x, mean, rstd), y.data());
  });
  check_rows<T>("layer norm's gradient", [&](const Row& x, const Row& g, Row& dx) {
    T mean = T(0.125), rstd = T(1.5);
    T* const none = nullptr;
    kernels::norm_backward(norm(kernels::Norm::layer, x, mean, rstd), g.data(), dx.data(), none,
                           none);
  });
  check_rows<T>("sum", [&](const Row& x, const Row&, Row& y) {
    kernels::reduce(kernels::Reduce::sum, x.data(), 1, size(x), 1, y.data());
  });
}
