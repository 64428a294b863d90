#include "core/kernels/product.h"

#include <algorithm>
#include <atomic>

#include "core/error.h"
#include "core/kernels/packed_gemm.h"
#include "core/kernels/tile_gemm.h"
#include "core/parallel.h"
#include "core/precision.h"
#include "core/products.h"

namespace weft {
namespace {
std::atomic<Products> chosen{Products::own};
}  // namespace

void set_products(Products products) { chosen = products; }
Products products() { return chosen.load(std::memory_order_relaxed); }
Products products_from_name(const std::string& name) {
  if (name == "own") return Products::own;
  if (name == "openblas") return Products::openblas;
  fail<ConfigError>("products", "must be own or openblas, got {}", name);
}

namespace kernels {
namespace {

using blas::Op;
using Index = std::int64_t;

/// Columns of C from which its rows are worth a vector: below, C is made as the transpose.
constexpr Index kFewColumns = 4;

/// A part of C by tile_gemm, which begins with beta C where beta is neither 0 nor 1.
void own_product(Op op_a, Op op_b, Index m, Index n, Index k, float alpha, const float* a,
                 Index lda, const float* b, Index ldb, float beta, float* c, Index ldc) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0 || (beta != 0 && beta != 1)) {
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j) c[i * ldc + j] = beta == 0 ? 0.0f : beta * c[i * ldc + j];
    if (k <= 0) return;
    beta = 1;
  }
  const bool turned_a = op_a == Op::transpose, turned_b = op_b == Op::transpose;
  if (n == 1 && ldc == 1 && m > kFewColumns) {  // C^T = B^T A^T, one row: the same sums
    return tile_gemm(TileGemm<float>{.m = 1,
                                     .n = m,
                                     .k = k,
                                     .alpha = alpha,
                                     .a = b,
                                     .a_row = 0,
                                     .a_column = turned_b ? 1 : ldb,
                                     .b = a,
                                     .ldb = lda,
                                     .b_transposed = !turned_a,
                                     .accumulate = beta == 1,
                                     .c = c,
                                     .ldc = m,
                                     .precision = precision()});
  }
  tile_gemm(TileGemm<float>{.m = m,
                            .n = n,
                            .k = k,
                            .alpha = alpha,
                            .a = a,
                            .a_row = turned_a ? 1 : lda,
                            .a_column = turned_a ? lda : 1,
                            .b = b,
                            .ldb = ldb,
                            .b_transposed = turned_b,
                            .accumulate = beta == 1,
                            .c = c,
                            .ldc = ldc,
                            .precision = precision()});
}

void own_parallel(Op op_a, Op op_b, Index m, Index n, Index k, float alpha, const float* a,
                  Index lda, const float* b, Index ldb, float beta, float* c, Index ldc) {
  if (m <= 0 || n <= 0) return;
  const bool turned_a = op_a == Op::transpose;
  if (alpha == 1 && (beta == 0 || beta == 1) && packed_gemm_pays(m, n, k)) {
    return packed_gemm({.m = m,
                        .n = n,
                        .k = k,
                        .a = a,
                        .a_row = turned_a ? 1 : lda,
                        .a_column = turned_a ? lda : 1,
                        .b = b,
                        .ldb = ldb,
                        .b_transposed = op_b == Op::transpose,
                        .accumulate = beta == 1,
                        .c = c,
                        .ldc = ldc});
  }
  const blas::Tiling tile = blas::choose_tiles(m, n, std::max<Index>(k, 1));
  const Index across = chunk_count(n, tile.columns);
  parallel_for(chunk_count(m, tile.rows) * across, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index row = i / across * tile.rows, column = i % across * tile.columns;
      own_product(op_a, op_b, std::min(tile.rows, m - row), std::min(tile.columns, n - column), k,
                  alpha, a + (turned_a ? row : row * lda), lda,
                  b + (op_b == Op::none ? column : column * ldb), ldb, beta, c + row * ldc + column,
                  ldc);
    }
  });
}

}  // namespace

void product(Op op_a, Op op_b, Index m, Index n, Index k, float alpha, const float* a, Index lda,
             const float* b, Index ldb, float beta, float* c, Index ldc) {
  const bool own = products() == Products::own || precision() == Precision::bf16;
  (own ? own_product : static_cast<decltype(&own_product)>(blas::gemm))(
      op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void product(Op op_a, Op op_b, Index m, Index n, Index k, double alpha, const double* a, Index lda,
             const double* b, Index ldb, double beta, double* c, Index ldc) {
  blas::gemm(op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void parallel_product(Op op_a, Op op_b, Index m, Index n, Index k, float alpha, const float* a,
                      Index lda, const float* b, Index ldb, float beta, float* c, Index ldc) {
  const bool own = products() == Products::own || precision() == Precision::bf16;
  (own ? own_parallel : static_cast<decltype(&own_parallel)>(blas::parallel_gemm))(
      op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void parallel_product(Op op_a, Op op_b, Index m, Index n, Index k, double alpha, const double* a,
                      Index lda, const double* b, Index ldb, double beta, double* c, Index ldc) {
  blas::parallel_gemm(op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace kernels
}  // namespace weft
