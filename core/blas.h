// Matrix products. The only door to OpenBLAS, which runs single-threaded inside our own tiles. Not
// for users.
#pragma once

#include <cstdint>

namespace weft::blas {

/// Whether an operand is used as stored or transposed.
enum class Op : std::uint8_t { none, transpose };

/// C = alpha * op(A) op(B) + beta * C, row-major, on the calling thread. op(A) is m x k, op(B) k x
/// n; ld* are row strides in elements. beta == 0 never reads C. k == 0 gives beta * C.
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
          std::int64_t ldc);
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
          double* c, std::int64_t ldc);

/// The same, cut into tiles of C by shape alone and spread over threads.
void parallel_gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
                   const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
                   float* c, std::int64_t ldc);
void parallel_gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
                   const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
                   double beta, double* c, std::int64_t ldc);

/// The tiles that parallel_gemm cuts C (m x n) into, for those who do more with a tile while it is
/// in the cache. By shape alone.
struct Tiling {
  std::int64_t rows;
  std::int64_t columns;
};
Tiling choose_tiles(std::int64_t m, std::int64_t n, std::int64_t k);

/// Runs products on several threads at once and compares with one thread. Throws NumericError when
/// the library is one of the builds that give wrong answers under concurrency (OpenBLAS issues 1755
/// and 2126). Done once at start-up.
void check_thread_safety();

/// Version and configuration of the library in use.
const char* description();

}  // namespace weft::blas
