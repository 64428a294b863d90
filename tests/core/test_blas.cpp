#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "core/blas.h"
#include "core/parallel.h"
#include "core/random.h"
#include "tests/core/error_text.h"

using namespace weft;
using blas::Op;
using weft::test::error_text;

namespace {

template <class T>
struct Product {
  Op op_a, op_b;
  std::int64_t m, n, k, lda, ldb, ldc;
  std::vector<T> a, b, c;

  Product(Op op_a_, Op op_b_, std::int64_t m_, std::int64_t n_, std::int64_t k_,
          std::int64_t padding = 0)
      : op_a(op_a_), op_b(op_b_), m(m_), n(n_), k(k_) {
    lda = (op_a == Op::none ? k : m) + padding;
    ldb = (op_b == Op::none ? n : k) + padding;
    ldc = n + padding;
    a = values((op_a == Op::none ? m : k) * lda, "a");
    b = values((op_b == Op::none ? k : n) * ldb, "b");
    c = values(m * ldc, "c");
  }

  static std::vector<T> values(std::int64_t count, const char* stream) {
    const Tensor t = Tensor::empty({count}, dtype_of<T>());
    Generator(1, stream).fill_uniform(t, -1, 1);
    return t.to_vector<T>();
  }

  std::vector<T> naive(T alpha, T beta) const {
    std::vector<T> out = c;
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::int64_t l = 0; l < k; ++l) {
          const T x = a[static_cast<std::size_t>(op_a == Op::none ? i * lda + l : l * lda + i)];
          const T y = b[static_cast<std::size_t>(op_b == Op::none ? l * ldb + j : j * ldb + l)];
          sum += static_cast<double>(x) * static_cast<double>(y);
        }
        T& element = out[static_cast<std::size_t>(i * ldc + j)];
        element = static_cast<T>(alpha * sum +
                                 (beta == T{0} ? 0.0 : static_cast<double>(beta * element)));
      }
    return out;
  }

  std::vector<T> run(bool parallel, T alpha = 1, T beta = 0) const {
    std::vector<T> out = c;
    (parallel ? static_cast<decltype(&call)>(&parallel_call) : &call)(*this, alpha, beta, out);
    return out;
  }

 private:
  static void call(const Product& p, T alpha, T beta, std::vector<T>& out) {
    blas::gemm(p.op_a, p.op_b, p.m, p.n, p.k, alpha, p.a.data(), p.lda, p.b.data(), p.ldb, beta,
               out.data(), p.ldc);
  }
  static void parallel_call(const Product& p, T alpha, T beta, std::vector<T>& out) {
    blas::parallel_gemm(p.op_a, p.op_b, p.m, p.n, p.k, alpha, p.a.data(), p.lda, p.b.data(), p.ldb,
                        beta, out.data(), p.ldc);
  }
};

template <class T>
double worst(const std::vector<T>& a, const std::vector<T>& b) {
  REQUIRE(a.size() == b.size());
  double difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference =
        std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return difference;
}

}  // namespace

TEST_CASE_TEMPLATE("products agree with a naive one, also between padded rows", T, float, double) {
  const double tolerance = std::is_same_v<T, float> ? 2e-4 : 1e-12;
  const std::int64_t sizes[][3] = {{1, 1, 1},   {3, 5, 7},    {17, 1, 33},
                                   {1, 19, 64}, {64, 64, 32}, {130, 70, 257}};
  for (const auto& [m, n, k] : sizes)
    for (const Op op_a : {Op::none, Op::transpose})
      for (const Op op_b : {Op::none, Op::transpose})
        for (const std::int64_t padding : {0, 3})
          for (const bool parallel : {false, true}) {
            INFO(fmt::format("{} x {} x {}, padding {}", m, n, k, padding));
            const Product<T> p(op_a, op_b, m, n, k, padding);
            CHECK(worst(p.run(parallel), p.naive(1, 0)) < tolerance);
            CHECK(worst(p.run(parallel, T(0.5), T(-2)), p.naive(T(0.5), T(-2))) < tolerance);
          }
}

TEST_CASE("sizes of zero do what the formula says") {
  for (const bool parallel : {false, true}) {
    const Product<float> no_rows(Op::none, Op::none, 0, 4, 3);
    CHECK(no_rows.run(parallel) == no_rows.c);
    const Product<float> no_columns(Op::none, Op::transpose, 4, 0, 3);
    CHECK(no_columns.run(parallel) == no_columns.c);
    const Product<float> no_depth(Op::none, Op::none, 3, 4, 0, 2);
    CHECK(no_depth.run(parallel, 1, 3) == no_depth.naive(1, 3));
    CHECK(no_depth.run(parallel, 1, 0) == no_depth.naive(1, 0));
  }
}

TEST_CASE("beta 0 does not read what was there") {
  Product<float> p(Op::none, Op::none, 40, 30, 20);
  const std::vector<float> expected = p.run(false);
  std::fill(p.c.begin(), p.c.end(), std::numeric_limits<float>::quiet_NaN());
  CHECK(p.run(false) == expected);
  CHECK(p.run(true) == p.run(false));
  Product<float> empty(Op::none, Op::none, 4, 3, 0);
  std::fill(empty.c.begin(), empty.c.end(), std::numeric_limits<float>::quiet_NaN());
  CHECK(empty.run(true) == std::vector<float>(12, 0.0f));
}

TEST_CASE("row strides: any for a single row, refused when shorter than a row") {
  const std::vector<float> a{1, 2, 3};
  const std::vector<float> b{4, 5, 6};
  float c = 0;
  blas::gemm(Op::none, Op::transpose, 1, 1, 3, 1.0f, a.data(), 1, b.data(), 1, 0.0f, &c, 1);
  CHECK(c == 32);
  CHECK(error_text<ShapeError>([&] {
          blas::gemm(Op::none, Op::none, 2, 1, 2, 1.0f, a.data(), 1, b.data(), 1, 0.0f, &c, 1);
        }) == "[gemm] a row stride is shorter than its row: a 1 < 2, b 1 < 1 or c 1 < 1");
  CHECK_THROWS_AS(blas::gemm(Op::none, Op::none, std::int64_t{1} << 32, 1, 1, 1.0f, a.data(), 1,
                             b.data(), 1, 0.0f, &c, 1),
                  ShapeError);
}

TEST_CASE_TEMPLATE("the same bits for any number of threads", T, float, double) {
  const int before = num_threads();
  const std::int64_t sizes[][3] = {
      {768, 512, 128}, {128, 512, 768}, {2048, 65, 128}, {65, 700, 300}, {4096, 16, 64}};
  for (const auto& [m, n, k] : sizes) {
    INFO(fmt::format("{} x {} x {}", m, n, k));
    const Product<T> p(Op::none, Op::transpose, m, n, k);
    set_num_threads(1);
    const std::vector<T> one = p.run(true);
    for (const int threads : {2, 3, 8}) {
      set_num_threads(threads);
      for (int round = 0; round < 3; ++round) {
        const std::vector<T> many = p.run(true);
        REQUIRE(std::memcmp(one.data(), many.data(), one.size() * sizeof(T)) == 0);
      }
    }
    CHECK(worst(one, p.run(false)) < (std::is_same_v<T, float> ? 1e-3 : 1e-11));
  }
  set_num_threads(before);
}

TEST_CASE("products on many threads at once are right") {
  CHECK_NOTHROW(blas::check_thread_safety());
  const Product<float> p(Op::transpose, Op::none, 96, 80, 300);
  const std::vector<float> expected = p.run(false);
  std::vector<int> wrong(8, 0);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t)
      threads.emplace_back([&, t] {
        for (int round = 0; round < 50; ++round) wrong[t] += p.run(false) != expected;
      });
  }
  CHECK(wrong == std::vector<int>(8, 0));
}

TEST_CASE("the library says what it is") {
  CHECK(std::string(blas::description()).find("OpenBLAS") != std::string::npos);
}
