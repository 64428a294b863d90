#include "core/kernels/linear.h"

#include <algorithm>

#include "core/kernels/attention_tile.h"
#include "core/kernels/packed_gemm.h"
#include "core/kernels/product.h"
#include "core/kernels/reduce.h"
#include "core/parallel.h"
#include "core/precision.h"
#include "core/products.h"

namespace weft::kernels {
namespace {

using blas::Op;
using Index = std::int64_t;

/// C = A B (+ bias) by our own kernel, where that is the faster way.
bool packed(const PackedGemm& product) {
  if (product.k < 1 || (products() == Products::openblas && precision() == Precision::f32))
    return false;
  // What was rounded is read by our own kernels alone.
  const bool rounded = product.a.bf16 || product.b.bf16;
  if (!rounded && !packed_gemm_pays(product.m, product.n, product.k)) return false;
  packed_gemm(product);
  return true;
}

Operand x_of(const LinearArgs<float>& args) {
  return args.rounded ? Operand(args.rounded) : Operand(args.x);
}

bool packed_forward(const LinearArgs<float>& args, const float* bias, float* y) {
  return packed({.m = args.rows,
                 .n = args.out,
                 .k = args.in,
                 .a = x_of(args),
                 .a_row = args.ldx,
                 .a_column = 1,
                 .b = args.weight,
                 .ldb = args.in,
                 .b_transposed = true,
                 .bias = bias,
                 .c = y,
                 .ldc = args.out});
}
bool packed_forward(const LinearArgs<double>&, const double*, double*) { return false; }

bool packed_input_gradient(const LinearArgs<float>& args, const float* g, float* dx) {
  return packed({.m = args.rows,
                 .n = args.in,
                 .k = args.out,
                 .a = g,
                 .a_row = args.out,
                 .a_column = 1,
                 .b = args.weight,
                 .ldb = args.in,
                 .c = dx,
                 .ldc = args.in});
}
bool packed_input_gradient(const LinearArgs<double>&, const double*, double*) { return false; }

bool packed_weight_gradient(const LinearArgs<float>& args, const float* g, float* dweight) {
  return packed({.m = args.out,
                 .n = args.in,
                 .k = args.rows,
                 .a = g,
                 .a_row = 1,
                 .a_column = args.out,
                 .b = x_of(args),
                 .ldb = args.ldx,
                 .c = dweight,
                 .ldc = args.in});
}
bool packed_weight_gradient(const LinearArgs<double>&, const double*, double*) { return false; }

// So few rows that reading the weight is the work, as when text is written token by token: packing
// it would double that.
constexpr Index kFewRows = 4;
constexpr Index kFewRowsGrain = 1 << 16;  // elements of the weight worth a task

template <class T>
void few_rows(const LinearArgs<T>& args, const T* bias, T* y) {
  parallel_for(args.out, std::max<Index>(1, kFewRowsGrain / args.in), [&](Index begin, Index end) {
    for (Index r = 0; r < args.rows; ++r) {
      T* const row = y + r * args.out;
      dot_rows(args.x + r * args.ldx, 0, args.weight + begin * args.in, args.in, end - begin,
               args.in, T(1), row + begin);
      if (!bias) continue;
      for (Index i = begin; i < end; ++i) row[i] += bias[i];
    }
  });
}

template <class T>
void forward(const LinearArgs<T>& args, const T* bias, T* y) {
  const Index n = args.out;
  if (args.rows == 0 || n == 0) return;
  if (args.rows <= kFewRows && args.in > 0 && precision() == Precision::f32)
    return few_rows(args, bias, y);
  if (packed_forward(args, bias, y)) return;
  const blas::Tiling tile = blas::choose_tiles(args.rows, n, std::max<Index>(args.in, 1));
  const Index across = chunk_count(n, tile.columns);
  parallel_for(chunk_count(args.rows, tile.rows) * across, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index row = i / across * tile.rows, column = i % across * tile.columns;
      const Index rows = std::min(tile.rows, args.rows - row),
                  columns = std::min(tile.columns, n - column);
      T* target = y + row * n + column;
      if (bias)
        for (Index r = 0; r < rows; ++r) std::copy_n(bias + column, columns, target + r * n);
      product(Op::none, Op::transpose, rows, columns, args.in, T(1), args.x + row * args.ldx,
              args.ldx, args.weight + column * args.in, std::max<Index>(args.in, 1),
              bias ? T(1) : T(0), target, n);
    }
  });
}

template <class T>
void backward(const LinearArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias) {
  const Index n = args.out, in = args.in;
  if (dx && in > 0 && !packed_input_gradient(args, g, dx))
    parallel_product(Op::none, Op::none, args.rows, in, n, T(1), g, std::max<Index>(n, 1),
                     args.weight, in, T(0), dx, in);
  if (dweight && in > 0 && n > 0 && !packed_weight_gradient(args, g, dweight))
    parallel_product(Op::transpose, Op::none, n, in, args.rows, T(1), g, n, args.x, args.ldx, T(0),
                     dweight, in);
  if (dbias && n > 0) reduce(Reduce::sum, g, 1, args.rows, n, dbias);
}

}  // namespace

template <class T>
void linear_forward(const LinearArgs<T>& args, const T* bias, T* y) {
  forward(args, bias, y);
}
template <class T>
void linear_backward(const LinearArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias) {
  backward(args, g, dx, dweight, dbias);
}

template void linear_forward(const LinearArgs<float>&, const float*, float*);
template void linear_forward(const LinearArgs<double>&, const double*, double*);
template void linear_backward(const LinearArgs<float>&, const float*, float*, float*, float*);
template void linear_backward(const LinearArgs<double>&, const double*, double*, double*, double*);

}  // namespace weft::kernels
