// Matrix products of any shape, in f32 by the library that was chosen (core/products.h).
#pragma once

#include <cstdint>

#include "core/blas.h"

namespace weft::kernels {

/// C = alpha * op(A) op(B) + beta * C, row-major, on the calling thread; as blas::gemm.
void product(blas::Op op_a, blas::Op op_b, std::int64_t m, std::int64_t n, std::int64_t k,
             float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
             float beta, float* c, std::int64_t ldc);
void product(blas::Op op_a, blas::Op op_b, std::int64_t m, std::int64_t n, std::int64_t k,
             double alpha, const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
             double beta, double* c, std::int64_t ldc);

/// The same, cut into tiles of C by shape alone and spread over threads.
void parallel_product(blas::Op op_a, blas::Op op_b, std::int64_t m, std::int64_t n, std::int64_t k,
                      float alpha, const float* a, std::int64_t lda, const float* b,
                      std::int64_t ldb, float beta, float* c, std::int64_t ldc);
void parallel_product(blas::Op op_a, blas::Op op_b, std::int64_t m, std::int64_t n, std::int64_t k,
                      double alpha, const double* a, std::int64_t lda, const double* b,
                      std::int64_t ldb, double beta, double* c, std::int64_t ldc);

}  // namespace weft::kernels
