// The product of attention's tiles against a loop: every size of a tail, panels deeper than one,
// and what a causal mask lets it leave out.
#include "core/kernels/tile_gemm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

namespace weft::kernels {
namespace {

using Index = std::int64_t;

std::vector<float> numbers(Index count, int salt) {
  std::vector<float> values;
  for (Index i = 0; i < count; ++i)
    values.push_back(std::sin(static_cast<float>(i * 7 + salt * 13)));
  return values;
}

struct Sizes {
  Index m, n, k;
};

/// Compares with the loop, for one form of the operands.
void check(Sizes s, bool a_turned, bool b_turned, bool accumulate, Cut cut = Cut::none,
           const std::vector<Index>& visible = {}) {
  const Index lda = (a_turned ? s.m : s.k) + 3, ldb = (b_turned ? s.k : s.n) + 2, ldc = s.n + 1;
  std::vector<float> a = numbers((a_turned ? s.k : s.m) * lda, 1);
  const std::vector<float> b = numbers((b_turned ? s.n : s.k) * ldb, 2),
                           before = numbers(s.m * ldc, 3);
  const Index a_row = a_turned ? 1 : lda, a_column = a_turned ? lda : 1;
  for (Index i = 0; i < s.m; ++i)
    for (Index p = 0; p < s.k; ++p) {
      const bool hidden = (cut == Cut::inner_end && p >= visible[static_cast<std::size_t>(i)]) ||
                          (cut == Cut::inner_begin && i >= visible[static_cast<std::size_t>(p)]);
      if (hidden) a[static_cast<std::size_t>(i * a_row + p * a_column)] = 0;
    }
  std::vector<float> c = before;
  tile_gemm(TileGemm<float>{.m = s.m,
                            .n = s.n,
                            .k = s.k,
                            .alpha = 0.5f,
                            .a = a.data(),
                            .a_row = a_row,
                            .a_column = a_column,
                            .b = b.data(),
                            .ldb = ldb,
                            .b_transposed = b_turned,
                            .accumulate = accumulate,
                            .c = c.data(),
                            .ldc = ldc,
                            .cut = cut,
                            .visible = visible.data()});
  double worst = 0;
  bool outside_untouched = true;
  for (Index i = 0; i < s.m; ++i) {
    outside_untouched = outside_untouched && c[static_cast<std::size_t>(i * ldc + s.n)] ==
                                                 before[static_cast<std::size_t>(i * ldc + s.n)];
    for (Index j = 0; j < s.n; ++j) {
      if (cut == Cut::columns && j >= visible[static_cast<std::size_t>(i)]) continue;
      double sum = 0;
      for (Index p = 0; p < s.k; ++p)
        sum +=
            static_cast<double>(a[static_cast<std::size_t>(i * a_row + p * a_column)]) *
            static_cast<double>(b[static_cast<std::size_t>(b_turned ? j * ldb + p : p * ldb + j)]);
      const double wanted =
          0.5 * sum +
          (accumulate ? static_cast<double>(before[static_cast<std::size_t>(i * ldc + j)]) : 0.0);
      worst = std::max(
          worst, std::abs(wanted - static_cast<double>(c[static_cast<std::size_t>(i * ldc + j)])));
    }
  }
  INFO("m ", s.m, " n ", s.n, " k ", s.k, " turned ", a_turned, " ", b_turned, " accumulate ",
       accumulate);
  CHECK(worst < 2e-5 * static_cast<double>(s.k + 1));
  CHECK(outside_untouched);
}

TEST_CASE("tile_gemm agrees with a loop at every tail") {
  for (const bool a_turned : {false, true})
    for (const bool b_turned : {false, true})
      for (const bool accumulate : {false, true})
        for (Index size = 1; size <= 35; ++size) {
          check({size % 14 + 1, size, 5}, a_turned, b_turned, accumulate);
          check({7, size % 18 + 1, size}, a_turned, b_turned, accumulate);
        }
}

TEST_CASE("tile_gemm takes panels deeper than one, and none at all") {
  for (const bool b_turned : {false, true})
    for (const bool accumulate : {false, true}) {
      check({9, 20, 600}, false, b_turned, accumulate);
      check({9, 20, 0}, false, b_turned, accumulate);
    }
}

TEST_CASE("tile_gemm leaves out what a causal mask hides, and nothing else") {
  for (const Index offset : {-20, -3, 0, 2, 300}) {
    std::vector<Index> visible;
    for (Index i = 0; i < 40; ++i) visible.push_back(std::clamp<Index>(i + 1 + offset, 0, 50));
    check({40, 50, 9}, false, true, false, Cut::columns, visible);
    check({40, 9, 50}, false, false, true, Cut::inner_end, visible);
    check({40, 9, 50}, false, false, false, Cut::inner_end, visible);
    check({50, 9, 40}, true, false, true, Cut::inner_begin, visible);
  }
  std::vector<Index> deep;
  for (Index i = 0; i < 300; ++i) deep.push_back(std::min<Index>(i + 1, 280));
  check({300, 17, 280}, false, false, true, Cut::inner_end, deep);
  check({280, 17, 300}, true, false, true, Cut::inner_begin, deep);
}

}  // namespace
}  // namespace weft::kernels
