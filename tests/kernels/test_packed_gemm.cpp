// Products of a layer's size against a loop: tails of every kind, both forms of both operands, sums
// longer than a slice, and sums that are split.
#include "core/kernels/packed_gemm.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "core/parallel.h"
#include "tests/kernels/waves.h"

namespace weft::kernels {
namespace {

using Index = std::int64_t;

enum class Onto { nothing, bias, result };

struct Form {
  Index m, n, k;
  bool a_turned = false, b_turned = false;
  Onto onto = Onto::nothing;
  Index gap = 3;  ///< elements between the rows of every operand
};

/// C with its gaps, which must come back as they were.
std::vector<float> packed_product(const Form& f, const std::vector<float>& a,
                                  const std::vector<float>& b, const std::vector<float>& bias,
                                  std::vector<float> c) {
  const Index lda = (f.a_turned ? f.m : f.k) + f.gap;
  packed_gemm({.m = f.m,
               .n = f.n,
               .k = f.k,
               .a = a.data(),
               .a_row = f.a_turned ? 1 : lda,
               .a_column = f.a_turned ? lda : 1,
               .b = b.data(),
               .ldb = (f.b_turned ? f.k : f.n) + f.gap,
               .b_transposed = f.b_turned,
               .bias = f.onto == Onto::bias ? bias.data() : nullptr,
               .accumulate = f.onto == Onto::result,
               .c = c.data(),
               .ldc = f.n + f.gap});
  return c;
}

void check_product(const Form& f) {
  CAPTURE(f.m);
  CAPTURE(f.n);
  CAPTURE(f.k);
  CAPTURE(f.a_turned);
  CAPTURE(f.b_turned);
  const Index lda = (f.a_turned ? f.m : f.k) + f.gap, ldb = (f.b_turned ? f.k : f.n) + f.gap,
              ldc = f.n + f.gap;
  const auto a = waves((f.a_turned ? f.k : f.m) * lda, 1),
             b = waves((f.b_turned ? f.n : f.k) * ldb, 2);
  const auto bias = waves(f.n, 3), before = waves(f.m * ldc, 4);
  const auto c = packed_product(f, a, b, bias, before);
  double worst = 0;
  bool gaps_kept = true;
  for (Index i = 0; i < f.m; ++i) {
    for (Index j = f.n; j < ldc; ++j)
      gaps_kept = gaps_kept && c[static_cast<std::size_t>(i * ldc + j)] ==
                                   before[static_cast<std::size_t>(i * ldc + j)];
    for (Index j = 0; j < f.n; ++j) {
      double sum = f.onto == Onto::bias     ? bias[static_cast<std::size_t>(j)]
                   : f.onto == Onto::result ? before[static_cast<std::size_t>(i * ldc + j)]
                                            : 0.0;
      double size = std::abs(sum);
      for (Index p = 0; p < f.k; ++p) {
        const double term =
            static_cast<double>(
                a[static_cast<std::size_t>(f.a_turned ? p * lda + i : i * lda + p)]) *
            static_cast<double>(
                b[static_cast<std::size_t>(f.b_turned ? j * ldb + p : p * ldb + j)]);
        sum += term;
        size += std::abs(term);
      }
      // k + 1 roundings, each of at most half a unit of the sum so far: the usual bound of a sum in
      // order.
      const double bound = static_cast<double>(f.k + 1) * 0x1p-24 * size;
      worst = std::max(
          worst, std::abs(sum - static_cast<double>(c[static_cast<std::size_t>(i * ldc + j)])) /
                     std::max(bound, 1e-30));
    }
  }
  CHECK(worst <= 1);
  CHECK(gaps_kept);
}

}  // namespace

TEST_CASE("a packed product is the loop's") {
  for (const bool a_turned : {false, true})
    for (const bool b_turned : {false, true})
      for (const Onto onto : {Onto::nothing, Onto::bias, Onto::result}) {
        for (const Index m : {1, 5, 6, 7, 12, 31})
          check_product({m, 17, 33, a_turned, b_turned, onto});
        for (const Index n : {1, 7, 8, 9, 15, 16, 24, 33, 65})
          check_product({13, n, 20, a_turned, b_turned, onto});
        for (const Index k : {1, 3, 15, 16, 17, 255, 256, 257, 1024, 1030})
          check_product({9, 19, k, a_turned, b_turned, onto});
        check_product({200, 130, 70, a_turned, b_turned, onto});
      }
  check_product({250, 320, 300, true, false, Onto::nothing,
                 0});  // A turned, and enough of it for several tasks
}

TEST_CASE("the long sum of a small weight is split, and right at its ends") {
  for (const Index k : {2048, 2049, 2175, 3200, 5003})
    for (const Index m : {6, 10, 64}) check_product({m, 48, k, true, false, Onto::nothing, 0});
  check_product({250, 65, 2300, true, false, Onto::nothing, 0});
}

TEST_CASE("the bits of a packed product do not depend on the threads") {
  for (const Form& f : {Form{192, 130, 300}, Form{100, 64, 1500, true},
                        Form{48, 64, 4000, true, false, Onto::nothing, 0}}) {
    const auto a = waves((f.a_turned ? f.k * (f.m + f.gap) : f.m * (f.k + f.gap)), 1),
               b = waves(f.k * (f.n + f.gap), 2);
    const std::vector<float> c(static_cast<std::size_t>(f.m * (f.n + f.gap)));
    set_num_threads(1);
    const auto one = packed_product(f, a, b, {}, c);
    for (const int threads : {2, 3, 8}) {
      set_num_threads(threads);
      CHECK(packed_product(f, a, b, {}, c) == one);
    }
    set_num_threads(2);
  }
}

TEST_CASE("nothing in, nothing written") {
  float c = 5;
  packed_gemm({.m = 0, .n = 3, .k = 2, .c = &c, .ldc = 3});
  packed_gemm({.m = 3, .n = 0, .k = 2, .c = &c});
  CHECK(c == 5);
}

}  // namespace weft::kernels
