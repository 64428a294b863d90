#include "core/kernels/linear.h"

#include <algorithm>

#include "core/blas.h"
#include "core/kernels/reduce.h"
#include "core/parallel.h"
#include "core/tensor.h"

namespace weft::kernels {
namespace {

using blas::Op;
using Index = std::int64_t;

// From this many rows a small dweight is summed over blocks of rows: cut into tiles instead, each would pack all the rows of x and g anew.
constexpr Index kRowsToSplit = 2048;
constexpr Index kSmallWeight = 1 << 16;

template <class T>
void forward(const LinearArgs<T>& args, const T* bias, T* y) {
  const Index n = args.out;
  if (args.rows == 0 || n == 0) return;
  const blas::Tiling tile = blas::choose_tiles(args.rows, n, std::max<Index>(args.in, 1));
  const Index across = chunk_count(n, tile.columns);
  parallel_for(chunk_count(args.rows, tile.rows) * across, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index row = i / across * tile.rows, column = i % across * tile.columns;
      const Index rows = std::min(tile.rows, args.rows - row), columns = std::min(tile.columns, n - column);
      T* target = y + row * n + column;
      if (bias)
        for (Index r = 0; r < rows; ++r) std::copy_n(bias + column, columns, target + r * n);
      blas::gemm(Op::none, Op::transpose, rows, columns, args.in, T(1), args.x + row * args.ldx, args.ldx, args.weight + column * args.in,
                 std::max<Index>(args.in, 1), bias ? T(1) : T(0), target, n);
    }
  });
}

/// g^T x. Blocks of rows are cut by shape alone and added in order.
template <class T>
void weight_gradient(const LinearArgs<T>& args, const T* g, T* dweight) {
  const Index n = args.out, in = args.in, size = n * in;
  if (args.rows < kRowsToSplit || size > kSmallWeight) {
    blas::parallel_gemm(Op::transpose, Op::none, n, in, args.rows, T(1), g, n, args.x, args.ldx, T(0), dweight, in);
    return;
  }
  const Index grain = std::max<Index>(kRowsToSplit / 4, chunk_count(args.rows, 16));
  const Index blocks = chunk_count(args.rows, grain);
  const Tensor partial = Tensor::empty({blocks, size}, dtype_of<T>());
  T* const all = partial.data<T>();
  parallel_for(args.rows, grain, [&](Index begin, Index end) {
    blas::gemm(Op::transpose, Op::none, n, in, end - begin, T(1), g + begin * n, n, args.x + begin * args.ldx, args.ldx, T(0),
               all + begin / grain * size, in);
  });
  reduce(Reduce::sum, all, 1, blocks, size, dweight);
}

template <class T>
void backward(const LinearArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias) {
  const Index n = args.out, in = args.in;
  if (dx && in > 0) blas::parallel_gemm(Op::none, Op::none, args.rows, in, n, T(1), g, std::max<Index>(n, 1), args.weight, in, T(0), dx, in);
  if (dweight && in > 0 && n > 0) weight_gradient(args, g, dweight);
  if (dbias && n > 0) reduce(Reduce::sum, g, 1, args.rows, n, dbias);
}

}  // namespace

void linear_forward(const LinearArgs<float>& args, const float* bias, float* y) { forward(args, bias, y); }
void linear_forward(const LinearArgs<double>& args, const double* bias, double* y) { forward(args, bias, y); }
void linear_backward(const LinearArgs<float>& args, const float* g, float* dx, float* dweight, float* dbias) {
  backward(args, g, dx, dweight, dbias);
}
void linear_backward(const LinearArgs<double>& args, const double* g, double* dx, double* dweight, double* dbias) {
  backward(args, g, dx, dweight, dbias);
}

}  // namespace weft::kernels
