#include "core/kernels/linear.h"

#include <algorithm>

#include "core/blas.h"
#include "core/parallel.h"
#include "core/tensor.h"

namespace weft::kernels {
namespace {

using blas::Op;
using Index = std::int64_t;

constexpr double kTileFlops = 8.0e6;  // about 100 us of one core: enough to hide a task, small enough to share out evenly

/// Rows of y a task computes: all columns of them, so that the packed weight is used for many rows.
Index forward_rows(Index rows, Index in, Index out) {
  const double per_row = 2.0 * static_cast<double>(std::max<Index>(in, 1)) * static_cast<double>(std::max<Index>(out, 1));
  const Index wanted = static_cast<Index>(kTileFlops / per_row) / 16 * 16;
  return std::clamp<Index>(wanted, 16, std::max<Index>(rows, 16));
}

template <class T>
void forward(const LinearArgs<T>& args, const T* bias, T* y) {
  const Index n = args.out;
  if (n == 0) return;
  const Index grain = forward_rows(args.rows, args.in, n);
  parallel_for(args.rows, grain, [&](Index begin, Index end) {
    T* target = y + begin * n;
    if (bias)
      for (Index r = 0; r < end - begin; ++r) std::copy_n(bias, n, target + r * n);
    blas::gemm(Op::none, Op::transpose, end - begin, n, args.in, T(1), args.x + begin * args.ldx, args.ldx, args.weight, std::max<Index>(args.in, 1), bias ? T(1) : T(0), target, n);
  });
}

/// Column sums of g: partial sums of fixed blocks of rows, combined in order.
template <class T>
void column_sums(const T* g, Index rows, Index n, T* sums) {
  const Index grain = std::max<Index>({1, 32768 / std::max<Index>(n, 1), chunk_count(rows, 64)});
  const Index chunks = chunk_count(rows, grain);
  const Tensor partial = Tensor::zeros({chunks, n}, dtype_of<T>());
  T* const all = partial.data<T>();
  parallel_for(rows, grain, [&](Index begin, Index end) {
    T* mine = all + begin / grain * n;
    for (Index r = begin; r < end; ++r)
      for (Index i = 0; i < n; ++i) mine[i] += g[r * n + i];
  });
  std::fill_n(sums, n, T(0));
  for (Index c = 0; c < chunks; ++c)
    for (Index i = 0; i < n; ++i) sums[i] += all[c * n + i];
}

template <class T>
void backward(const LinearArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias) {
  const Index n = args.out, in = args.in;
  if (dx && in > 0) {
    const Index grain = forward_rows(args.rows, in, n);
    parallel_for(args.rows, grain, [&](Index begin, Index end) {
      blas::gemm(Op::none, Op::none, end - begin, in, n, T(1), g + begin * n, std::max<Index>(n, 1), args.weight, in, T(0), dx + begin * in, in);
    });
  }
  if (dweight && in > 0 && n > 0) blas::parallel_gemm(Op::transpose, Op::none, n, in, args.rows, T(1), g, n, args.x, args.ldx, T(0), dweight, in);
  if (dbias && n > 0) column_sums(g, args.rows, n, dbias);
}

}  // namespace

void linear_forward(const LinearArgs<float>& args, const float* bias, float* y) { forward(args, bias, y); }
void linear_forward(const LinearArgs<double>& args, const double* bias, double* y) { forward(args, bias, y); }
void linear_backward(const LinearArgs<float>& args, const float* g, float* dx, float* dweight, float* dbias) { backward(args, g, dx, dweight, dbias); }
void linear_backward(const LinearArgs<double>& args, const double* g, double* dx, double* dweight, double* dbias) { backward(args, g, dx, dweight, dbias); }

}  // namespace weft::kernels
