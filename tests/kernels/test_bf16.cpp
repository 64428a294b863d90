// Products in bfloat16: of numbers as they are rounded, in the one order of steps, the same bits on
// every instruction set; and what the least numbers come to.
#include "core/kernels/bf16.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/kernels/bf16_cells.h"
#include "core/kernels/flush_to_zero.h"
#include "core/kernels/packed_gemm.h"
#include "core/kernels/tile_gemm.h"
#include "core/precision.h"
#include "core/simd.h"
#include "tests/bits/simd_sets.h"
#include "tests/kernels/waves.h"

namespace weft::kernels {
namespace {

using Index = std::int64_t;

/// Work on every set, with the instruction and with what stands for it.
template <class F>
void by_all_means(const F& work) {
  for (const Bf16Means means : {Bf16Means::instruction, Bf16Means::multiply_adds}) {
    const ScopedBf16 only(means);
    CAPTURE(bf16_in_use());
    bits::on_every_set(means == Bf16Means::instruction ? bits::Portable::yes : bits::Portable::no,
                       work);
  }
}

struct Bf16Form {
  Index m, n, k;
  bool a_turned, b_turned, bias, accumulate;
};

/// Slices of so many terms are sums of their own, as packed_gemm.cpp cuts them.
float slice_sum(const std::vector<float>& a, const std::vector<float>& b, Index first, Index end) {
  float sum = 0;
  for (Index p = first; p < end; p += 2) {
    const auto at = [](const std::vector<float>& v, Index i) {
      return i < static_cast<Index>(v.size()) ? rounded_to_bf16(v[static_cast<std::size_t>(i)])
                                              : 0.0f;
    };
    sum = bf16_step(at(a, p + 1), at(b, p + 1), sum);
    sum = bf16_step(at(a, p), at(b, p), sum);
  }
  return sum;
}

}  // namespace

TEST_CASE("numbers are rounded to bfloat16: to the nearest, ties to even, the least to zero") {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(rounded_to_bf16(1) == 1);
  CHECK(rounded_to_bf16(1.00390625f) == 1);          // 1 + 2^-8: a tie, down to even
  CHECK(rounded_to_bf16(1.01171875f) == 1.015625f);  // 1 + 3 2^-8: a tie, up to even
  CHECK(rounded_to_bf16(1.0039064f) == 1.0078125f);  // just above a tie
  CHECK(rounded_to_bf16(3.4e38f) == infinity);
  CHECK(rounded_to_bf16(-infinity) == -infinity);
  CHECK(std::isnan(rounded_to_bf16(std::bit_cast<float>(0x7f800001u))));  // not cut to infinity
  CHECK(std::bit_cast<std::uint32_t>(rounded_to_bf16(-0x1p-127f)) == 0x80000000u);
  CHECK(rounded_to_bf16(0x1p-126f) == 0x1p-126f);
}

TEST_CASE("rows of numbers are rounded as single ones are, on every set and with every means") {
  std::vector<float> all;
  for (const std::uint32_t sign : {0u, 0x80000000u})
    for (const std::uint32_t exponent : {0u, 1u, 2u, 127u, 254u, 255u})
      for (const std::uint32_t fraction : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0x18000u, 0x3fffffu,
                                           0x400000u, 0x7f8000u, 0x7fffffu})
        all.push_back(std::bit_cast<float>(sign | exponent << 23 | fraction));
  const auto count = std::ssize(all);
  const auto same = [](float a, float b) {
    return std::isnan(a) ? std::isnan(b)
                         : std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  };
  by_all_means([&] {
    std::vector<BFloat16> read(all.size()), kept(all.size());
    std::vector<float> rounded(all.size()), wide(all.size());
    round_operand(all.data(), count, read.data());
    round_to_bf16(all.data(), count, rounded.data());
    copy_bf16_row(all.data(), count, kept.data());
    copy_bf16_row(kept.data(), count, wide.data());
    for (std::size_t i = 0; i < all.size(); ++i) {
      CAPTURE(std::bit_cast<std::uint32_t>(all[i]));
      CHECK(same(static_cast<float>(read[i]), rounded_to_bf16(all[i])));
      CHECK(same(rounded[i], rounded_to_bf16(all[i])));
      CHECK(same(wide[i], static_cast<float>(BFloat16(all[i]))));  // tensors keep subnormal numbers
    }
  });
}

TEST_CASE("a step flushes what is below 2^-126 after rounding, and nothing else") {
  CHECK(bf16_step(0x1p-63f, 0x1p-63f, 0) == 0x1p-126f);
  CHECK(bf16_step(0x1p-63f, 0x1p-64f, 0) == 0);
  CHECK(std::signbit(bf16_step(-0x1p-63f, 0x1p-64f, 0)));
  // 2^-126 less 2^-151 is a tie that rounds up; a little less does not, though with as few digits
  // as subnormal numbers have it would.
  CHECK(bf16_step(-0x1p-75f, 0x1p-76f, 0x1p-126f) == 0x1p-126f);
  CHECK(bf16_step(-0x1.02p-75f, 0x1p-76f, 0x1p-126f) == 0);
}

TEST_CASE("this machine's flushing of subnormal numbers does what a step does") {
  for (const float a : {0x1p-63f, -0x1p-75f, -0x1.02p-75f, 0x1.8p-64f})
    for (const float b : {0x1p-63f, 0x1p-64f, 0x1p-76f, -0x1.fep-63f})
      for (const float c : {0.0f, 0x1p-126f, -0x1.4p-126f}) {
        CAPTURE(a);
        CAPTURE(b);
        CAPTURE(c);
        const float exact = bf16_step(a, b, c);
        float flushed = 0;
        bool early = false;
        {
          const FlushToZero flush;
          volatile float x = a, y = b, z = c;
          flushed = std::fma(x, y, z);
          early = FlushToZero::flushed_early();
        }
        if (!early)
          CHECK(std::bit_cast<std::uint32_t>(flushed) == std::bit_cast<std::uint32_t>(exact));
      }
}

TEST_CASE("products in bfloat16 are sums of steps, pairs from the second on, on every set") {
  const ScopedPrecision bf16(Precision::bf16);
  for (const Index m : {1, 5, 6, 13})
    for (const Index n : {1, 3, 16, 33, 70})
      for (const Index k : {1, 2, 7, 64, 300})
        for (int form = 0; form < 16; ++form) {
          const Bf16Form f{
              m, n, k, (form & 1) != 0, (form & 2) != 0, (form & 4) != 0, (form & 12) == 8};
          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(k);
          CAPTURE(form);
          const auto a = waves(m * k, 1), b = waves(n * k, 2), bias = waves(n, 3),
                     before = waves(m * n, 4);
          std::vector<float> expected = before;
          for (Index i = 0; i < m; ++i)
            for (Index j = 0; j < n; ++j) {
              std::vector<float> x, y;
              for (Index p = 0; p < k; ++p) {
                x.push_back(a[static_cast<std::size_t>(f.a_turned ? p * m + i : i * k + p)]);
                y.push_back(b[static_cast<std::size_t>(f.b_turned ? j * k + p : p * n + j)]);
              }
              float& c = expected[static_cast<std::size_t>(i * n + j)];
              for (Index first = 0; first < k; first += 256) {
                const float sum = slice_sum(x, y, first, std::min(k, first + 256));
                if (first == 0 && !f.accumulate)
                  c = f.bias ? sum + bias[static_cast<std::size_t>(j)] : sum;
                else
                  c += sum;
              }
            }
          by_all_means([&] {
            std::vector<float> c = before;
            packed_gemm({.m = m,
                         .n = n,
                         .k = k,
                         .a = a.data(),
                         .a_row = f.a_turned ? 1 : k,
                         .a_column = f.a_turned ? m : 1,
                         .b = b.data(),
                         .ldb = f.b_turned ? k : n,
                         .b_transposed = f.b_turned,
                         .bias = f.bias && !f.accumulate ? bias.data() : nullptr,
                         .accumulate = f.accumulate,
                         .c = c.data(),
                         .ldc = n});
            CHECK(c == expected);
          });
        }
}

TEST_CASE("a long sum over few elements is split alike, whether pairs are one cell or two") {
  const ScopedPrecision bf16(Precision::bf16);
  for (const Index k : {512, 768, 1001, 1537}) {
    const Index m = 20, n = 40;
    const auto a = waves(m * k, 1), b = waves(n * k, 2);
    std::vector<float> first;
    by_all_means([&] {
      std::vector<float> c(static_cast<std::size_t>(m * n));
      packed_gemm({.m = m,
                   .n = n,
                   .k = k,
                   .a = a.data(),
                   .a_row = 1,
                   .a_column = m,
                   .b = b.data(),
                   .ldb = n,
                   .c = c.data(),
                   .ldc = n});
      if (first.empty()) first = c;
      CHECK(c == first);
      double worst = 0;
      for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < n; ++j) {
          double exact = 0, size = 0;
          for (Index p = 0; p < k; ++p) {
            const double term = static_cast<double>(a[static_cast<std::size_t>(p * m + i)]) *
                                static_cast<double>(b[static_cast<std::size_t>(p * n + j)]);
            exact += term, size += std::abs(term);
          }
          worst = std::max(
              worst,
              std::abs(static_cast<double>(c[static_cast<std::size_t>(i * n + j)]) - exact) / size);
        }
      CHECK(worst < 0x1p-8);  // two roundings of 2^-9
    });
  }
}

TEST_CASE("tiles in bfloat16 are the same sums, whatever a mask cuts away") {
  const Index rows = 37, keys = 45, size = 21;
  const auto q = waves(rows * size, 1), k = waves(keys * size, 2), v = waves(keys * size, 3),
             g = waves(rows * size, 4);
  std::vector<Index> visible;
  for (Index i = 0; i < rows; ++i) visible.push_back(std::min(keys, i + 3));
  const auto sees = [&](Index i, Index j) { return j < visible[static_cast<std::size_t>(i)]; };
  std::vector<float> expected(static_cast<std::size_t>(rows * keys), 0.0f);
  const auto row_of = [&](const std::vector<float>& x, Index i) {
    return std::vector<float>(x.begin() + i * size, x.begin() + (i + 1) * size);
  };
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < keys; ++j)
      if (sees(i, j))
        expected[static_cast<std::size_t>(i * keys + j)] =
            0.5f * slice_sum(row_of(q, i), row_of(k, j), 0, size);
  std::vector<float> by_queries(static_cast<std::size_t>(rows * size)),
      by_keys(static_cast<std::size_t>(keys * size));
  const auto weight = [&](Index i, Index j) {
    return expected[static_cast<std::size_t>(i * keys + j)];
  };
  for (Index d = 0; d < size; ++d) {
    for (Index i = 0; i < rows; ++i) {
      std::vector<float> x, y;
      for (Index j = 0; j < keys; ++j)
        x.push_back(weight(i, j)), y.push_back(v[static_cast<std::size_t>(j * size + d)]);
      by_queries[static_cast<std::size_t>(i * size + d)] = slice_sum(x, y, 0, keys);
    }
    for (Index j = 0; j < keys; ++j) {
      std::vector<float> x, y;
      for (Index i = 0; i < rows; ++i)
        x.push_back(weight(i, j)), y.push_back(g[static_cast<std::size_t>(i * size + d)]);
      by_keys[static_cast<std::size_t>(j * size + d)] = slice_sum(x, y, 0, rows);
    }
  }
  by_all_means([&] {
    std::vector<float> s(static_cast<std::size_t>(rows * 64), 7.0f);
    TileGemm<float> scores{.m = rows,
                           .n = keys,
                           .k = size,
                           .alpha = 0.5f,
                           .a = q.data(),
                           .a_row = size,
                           .a_column = 1,
                           .b = k.data(),
                           .ldb = size,
                           .b_transposed = true,
                           .c = s.data(),
                           .ldc = 64,
                           .c_has_room = true,
                           .cut = Cut::columns,
                           .visible = visible.data(),
                           .precision = Precision::bf16};
    tile_gemm(scores);
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < keys; ++j) {
        float& score = s[static_cast<std::size_t>(i * 64 + j)];
        if (sees(i, j))
          CHECK(score == weight(i, j));
        else
          score = 0;
      }
    std::vector<float> to(by_queries.size());
    tile_gemm(TileGemm<float>{.m = rows,
                              .n = size,
                              .k = keys,
                              .a = s.data(),
                              .a_row = 64,
                              .a_column = 1,
                              .b = v.data(),
                              .ldb = size,
                              .c = to.data(),
                              .ldc = size,
                              .cut = Cut::inner_end,
                              .visible = visible.data(),
                              .precision = Precision::bf16});
    CHECK(to == by_queries);
    to.assign(by_keys.size(), 0.0f);
    tile_gemm(TileGemm<float>{.m = keys,
                              .n = size,
                              .k = rows,
                              .a = s.data(),
                              .a_row = 1,
                              .a_column = 64,
                              .b = g.data(),
                              .ldb = size,
                              .c = to.data(),
                              .ldc = size,
                              .cut = Cut::inner_begin,
                              .visible = visible.data(),
                              .precision = Precision::bf16});
    CHECK(to == by_keys);
  });
}

TEST_CASE("where the CPU has the instruction, it can be used") {
  const ScopedBf16 only(Bf16Means::instruction);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16") != 0 && simd_in_use().starts_with("avx3"))
    CHECK(bf16_in_use() == "avx512_bf16");
#endif
  const ScopedSimd low(simd_choices().back());
  if (simd_choices().size() > 1) CHECK(bf16_in_use() == "multiply-adds");
}

}  // namespace weft::kernels
