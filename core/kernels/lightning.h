// Linear attention with decay in blocks: the time of a sequence grows with its length, not with its
// square. Rows are read and written in place.
#pragma once

#include <cstdint>

#include "core/kernels/attention.h"

namespace weft::kernels {

template <class T>
struct LightningArgs {
  std::int64_t B = 0, H = 0, T_ = 0, D = 0, Dv = 0;
  bool causal = true;
  const double* decay = nullptr;  ///< (H,), each in (0, 1]
  HeadGrid<const T> q, k, v;
};

/// out_i = sum over j <= i (causal) or all j of decay^|i - j| <q_i, k_j> v_j. `state` (B, H, D,
/// Dv), causal only: what the keys before the first one sum up to, decayed to the place of the one
/// just before it; replaced by the same for the keys that follow. Null: nothing came before.
template <class T>
void lightning_forward(const LightningArgs<T>& args, const HeadGrid<T>& out, T* state);

/// Gradients for g, the output's, written whole; those without data are not wanted. Without a
/// state.
template <class T>
struct LightningGradients {
  HeadGrid<T> dq, dk, dv;
};
template <class T>
void lightning_backward(const LightningArgs<T>& args, const HeadGrid<const T>& g,
                        const LightningGradients<T>& gradients);

}  // namespace weft::kernels
