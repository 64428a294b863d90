// Layer normalization and root-mean-square normalization over contiguous rows: rows x n elements
// each.
#pragma once

#include <cstdint>

namespace weft::kernels {

enum class Norm : std::uint8_t { layer, rms };

/// Operands of both directions. For Norm::rms `mean` and `bias` are null. weight and bias may be
/// null.
template <class T>
struct NormArgs {
  Norm kind = Norm::layer;
  std::int64_t rows = 0, n = 0;
  const T* x = nullptr;
  const T* weight = nullptr;  ///< (n,)
  const T* bias = nullptr;    ///< (n,)
  T eps = 0;
  T* mean = nullptr;  ///< (rows,), written forward, read backward; null: not wanted
  T* rstd = nullptr;  ///< (rows,), likewise; negative where the row's statistics are those of a
                      ///< wider type
};

/// A row whose squares do not fit T, or whose mean is so large beside what is spread around it that
/// T rounds the difference away, is normalized in a wider type (f64 for f32), which costs time but
/// is right for every finite row.
///
/// y = (x - mean) rstd weight + bias.
template <class T>
void norm_forward(const NormArgs<T>& args, T* y);

/// With h = (x - mean) rstd and u = g weight: dx = rstd (u - mean(u) - h mean(u h)) (without
/// mean(u) for Norm::rms), dweight = sum over rows of g h, dbias = sum over rows of g. Outputs may
/// be null. The sums over rows are made in blocks cut by shape and combined in order.
template <class T>
void norm_backward(const NormArgs<T>& args, const T* g, T* dx, T* dweight, T* dbias);

}  // namespace weft::kernels
