// Products of our own against a loop: every form of both operands, factors of the product and of
// what was there, a single column, and results that are cut into tiles.
#include "core/kernels/product.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tests/kernels/waves.h"

namespace weft::kernels {
namespace {

using blas::Op;
using Index = std::int64_t;

struct ProductForm {
  Index m, n, k;
  Op a = Op::none, b = Op::none;
  float alpha = 1, beta = 0;
  Index gap = 0, gap_c = 0;  ///< elements between the rows of A and B, and of C
};

void check_form(const ProductForm& f, bool parallel) {
  CAPTURE(f.m);
  CAPTURE(f.n);
  CAPTURE(f.k);
  CAPTURE(f.a);
  CAPTURE(f.b);
  CAPTURE(f.alpha);
  CAPTURE(f.beta);
  CAPTURE(parallel);
  const bool turned_a = f.a == Op::transpose, turned_b = f.b == Op::transpose;
  const Index lda = (turned_a ? f.m : f.k) + f.gap, ldb = (turned_b ? f.k : f.n) + f.gap,
              ldc = f.n + f.gap_c;
  const auto a = waves((turned_a ? f.k : f.m) * lda, 1), b = waves((turned_b ? f.n : f.k) * ldb, 2),
             before = waves(f.m * ldc, 3);
  auto c = before;
  if (f.beta == 0)  // must not be read
    for (Index i = 0; i < f.m; ++i)
      for (Index j = 0; j < f.n; ++j)
        c[static_cast<std::size_t>(i * ldc + j)] = std::numeric_limits<float>::quiet_NaN();
  if (parallel)
    parallel_product(f.a, f.b, f.m, f.n, f.k, f.alpha, a.data(), lda, b.data(), ldb, f.beta,
                     c.data(), ldc);
  else
    product(f.a, f.b, f.m, f.n, f.k, f.alpha, a.data(), lda, b.data(), ldb, f.beta, c.data(), ldc);
  double worst = 0;
  bool gaps_kept = true;
  for (Index i = 0; i < f.m; ++i) {
    for (Index j = 0; j < ldc; ++j) {
      const auto at = static_cast<std::size_t>(i * ldc + j);
      if (j >= f.n) {
        gaps_kept = gaps_kept && c[at] == before[at];
        continue;
      }
      double sum = 0, size = 0;
      for (Index p = 0; p < f.k; ++p) {
        const float left = a[static_cast<std::size_t>(turned_a ? p * lda + i : i * lda + p)],
                    right = b[static_cast<std::size_t>(turned_b ? j * ldb + p : p * ldb + j)];
        sum += static_cast<double>(left) * static_cast<double>(right);
        size += std::abs(static_cast<double>(left) * static_cast<double>(right));
      }
      const double kept = static_cast<double>(f.beta) * static_cast<double>(before[at]),
                   bound = static_cast<double>(f.k + 3) * 0x1p-24 *
                           (std::abs(static_cast<double>(f.alpha)) * size + std::abs(kept));
      const double error =
          std::abs(static_cast<double>(f.alpha) * sum + kept - static_cast<double>(c[at]));
      worst = error <= worst * std::max(bound, 1e-30) ? worst : error / std::max(bound, 1e-30);
    }
  }
  CHECK(worst <= 1);  // a NaN is not
  CHECK(gaps_kept);
}

template <class F>
void every_form(const F& f) {
  for (const Op a : {Op::none, Op::transpose})
    for (const Op b : {Op::none, Op::transpose})
      for (const float alpha : {1.0f, -0.5f})
        for (const float beta : {0.0f, 1.0f, 0.25f}) f(a, b, alpha, beta);
}

}  // namespace

TEST_CASE("a product of our own is alpha A B + beta C, in every form and for any size") {
  every_form([](Op a, Op b, float alpha, float beta) {
    for (const bool parallel : {false, true})
      for (const auto& [gap, gap_c] : {std::pair<Index, Index>{0, 0}, {3, 3}, {3, 0}})
        for (const ProductForm& size :
             {ProductForm{7, 9, 11}, ProductForm{23, 1, 17}, ProductForm{3, 1, 17},
              ProductForm{1, 5, 4}, ProductForm{6, 33, 1}, ProductForm{4, 3, 0}})
          check_form({size.m, size.n, size.k, a, b, alpha, beta, gap, gap_c}, parallel);
  });
}

TEST_CASE("products that are packed, or cut into tiles, are alpha A B + beta C") {
  every_form([](Op a, Op b, float alpha, float beta) {
    check_form({300, 290, 20, a, b, alpha, beta, 3, 2}, true);   // rows are cut in two
    check_form({100, 1010, 20, a, b, alpha, beta, 3, 2}, true);  // columns are
  });
}

}  // namespace weft::kernels
