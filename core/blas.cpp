#include "core/blas.h"

#include <cblas.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "core/address_space.h"
#include "core/error.h"
#include "core/parallel.h"

namespace weft::blas {
namespace {

/// Our tiles are the parallelism: a call must stay on its thread, and several threads call at once.
/// A build without threads has no locks around its work buffers either: on two cores, training with
/// Debian's libopenblas0-serial 0.3.21 gave NaN within a few dozen steps.
void prepare() {
  static const bool done = [] {
    if (openblas_get_parallel() == OPENBLAS_SEQUENTIAL)
      fail<ConfigError>("blas",
                        "this OpenBLAS was built without threads, and gives wrong products when "
                        "several threads call it: {}; install its "
                        "pthread build (Debian: libopenblas-pthread-dev)",
                        openblas_get_config());
    openblas_set_num_threads(1);
    return true;
  }();
  (void)done;
}

blasint narrow(std::int64_t value) {
  if (value > std::numeric_limits<blasint>::max())
    fail<ShapeError>("gemm", "a size of {} exceeds what OpenBLAS accepts", value);
  return static_cast<blasint>(value);
}

CBLAS_TRANSPOSE flag(Op op) { return op == Op::none ? CblasNoTrans : CblasTrans; }

void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, float alpha,
          const float* a, blasint lda, const float* b, blasint ldb, float beta, float* c,
          blasint ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, double alpha,
          const double* a, blasint lda, const double* b, blasint ldb, double beta, double* c,
          blasint ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

template <class T>
void scale_rows(std::int64_t m, std::int64_t n, T beta, T* c, std::int64_t ldc) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      c[i * ldc + j] = beta == T{0} ? T{0} : beta * c[i * ldc + j];
}

template <class T>
void gemm_impl(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha,
               const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
               std::int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    scale_rows(m, n, beta, c, ldc);
    return;
  }
  prepare();
  // A matrix of one row may carry any stride; OpenBLAS wants at least the row's length.
  const std::int64_t a_columns = op_a == Op::none ? k : m;
  const std::int64_t b_columns = op_b == Op::none ? n : k;
  if ((op_a == Op::none ? m : k) == 1) lda = std::max(lda, a_columns);
  if ((op_b == Op::none ? k : n) == 1) ldb = std::max(ldb, b_columns);
  if (m == 1) ldc = std::max(ldc, n);
  if (lda < a_columns || ldb < b_columns || ldc < n)
    fail<ShapeError>("gemm",
                     "a row stride is shorter than its row: a {} < {}, b {} < {} or c {} < {}", lda,
                     a_columns, ldb, b_columns, ldc, n);
  call(flag(op_a), flag(op_b), narrow(m), narrow(n), narrow(k), alpha, a, narrow(lda), b,
       narrow(ldb), beta, c, narrow(ldc));
}

// Measured: below 2 MFLOP a tile is not worth a task. Every tile packs its sides of A and B anew,
// which costs most where tiles are narrow, so large products get larger tiles.
constexpr double kLeastFlop = 2e6;
constexpr double kGoodFlop = 100e6;
constexpr double kFewTiles = 8;
constexpr double kManyTiles = 64;
constexpr std::int64_t kStep = 16;  // tile sides are multiples of what the kernels work on at once

}  // namespace

// Halves the tile, keeping it up to twice as wide as high, until there are enough. By shape alone.
Tiling choose_tiles(std::int64_t m, std::int64_t n, std::int64_t k) {
  const double flop =
      2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const double wanted =
      std::clamp(flop / kGoodFlop, std::min(flop / kLeastFlop, kFewTiles), kManyTiles);
  Tiling tile{m, n};
  while (2 * chunk_count(m, tile.rows) * chunk_count(n, tile.columns) <=
         static_cast<std::int64_t>(wanted * 1.25)) {
    std::int64_t& side = 2 * tile.rows >= tile.columns ? tile.rows : tile.columns;
    if (side <= kStep) break;
    side = chunk_count(chunk_count(side, 2), kStep) * kStep;
  }
  return tile;
}

namespace {

template <class T>
void parallel_gemm_impl(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha,
                        const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
                        std::int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  const Tiling tile = choose_tiles(m, n, std::max<std::int64_t>(k, 1));
  const std::int64_t across = chunk_count(n, tile.columns);
  parallel_for(chunk_count(m, tile.rows) * across, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / across * tile.rows;
      const std::int64_t column = i % across * tile.columns;
      gemm_impl(op_a, op_b, std::min(tile.rows, m - row), std::min(tile.columns, n - column), k,
                alpha, a + (op_a == Op::none ? row * lda : row), lda,
                b + (op_b == Op::none ? column : column * ldb), ldb, beta, c + row * ldc + column,
                ldc);
    }
  });
}

}  // namespace

void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
          std::int64_t ldc) {
  gemm_impl(op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
          double* c, std::int64_t ldc) {
  gemm_impl(op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void parallel_gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                   const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
                   float* c, std::int64_t ldc) {
  parallel_gemm_impl(op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void parallel_gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
                   const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
                   double beta, double* c, std::int64_t ldc) {
  parallel_gemm_impl(op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

const char* description() {
  prepare();
  return openblas_get_config();
}

void check_thread_safety() {
  // OpenBLAS asks for 128 MiB a thread, and asks again for ever where they are refused.
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      static_cast<std::int64_t>(limit.rlim_cur) < kAddressSpaceBeside) {
    fail<MemoryError>("memory",
                      "the address space is limited to {} MiB (ulimit -v), and {} MiB are needed "
                      "beside all tensors: raise the limit",
                      limit.rlim_cur >> 20, kAddressSpaceBeside >> 20);
  }
  prepare();  // here, where its error can be caught
  constexpr std::int64_t kSide = 48;
  constexpr int kThreads = 4;
  constexpr int kRounds = 64;
  constexpr std::size_t kCount = kSide * kSide;
  // Small whole numbers: every sum is exact, so the right answer does not depend on the order of
  // the sums.
  std::vector<float> a(kCount);
  std::vector<float> b(kCount);
  std::vector<float> expected(kCount, 0);
  for (std::size_t i = 0; i < kCount; ++i) {
    a[i] = static_cast<float>(static_cast<int>(i * 7 % 13) - 6);
    b[i] = static_cast<float>(static_cast<int>(i * 5 % 11) - 5);
  }
  for (std::size_t i = 0; i < kSide; ++i)
    for (std::size_t l = 0; l < kSide; ++l)
      for (std::size_t j = 0; j < kSide; ++j)
        expected[i * kSide + j] += a[i * kSide + l] * b[l * kSide + j];
  std::vector<int> wrong(kThreads, 0);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        std::vector<float> c(kCount);
        for (int round = 0; round < kRounds; ++round) {
          gemm(Op::none, Op::none, kSide, kSide, kSide, 1.0f, a.data(), kSide, b.data(), kSide,
               0.0f, c.data(), kSide);
          if (c != expected) ++wrong[static_cast<std::size_t>(t)];
        }
      });
  }
  const auto failures =
      std::count_if(wrong.begin(), wrong.end(), [](int count) { return count > 0; });
  if (failures > 0)
    fail<NumericError>("blas",
                       "products on several threads at once are wrong in this build: {}; install "
                       "OpenBLAS's pthread build",
                       description());
}

}  // namespace weft::blas
