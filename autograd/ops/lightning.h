// Linear attention with decay, in time linear in the length.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace weft {

struct LightningOptions {
  bool causal = true;           ///< false: every query sees every key, by their distance both ways
  std::vector<double> decay{};  ///< lambda of each head, above 0 and at most 1; empty: 1, no decay
  /// (B, H, D, Dv), what the keys of earlier calls sum up to, decayed to the last of them (zeros at
  /// first): it is added to what the queries see, and replaced by the sum with this call's keys.
  /// Causal and without gradients only. Undefined: nothing came before.
  Tensor state{};
};

/// out_i = sum over j <= i of lambda^(i - j) <q_i, k_j> v_j: attention without a softmax, with one
/// decay a head; not causal, over all j of lambda^|i - j|. In blocks of 64: within a block by the
/// product of scores, between blocks by a running sum of k^T v, so that neither time nor memory
/// grows with the square of the length. Not normalized: that is the caller's choice. Shape: q, k
/// (B, H, T, D), v (B, H, T, Dv) -> (B, H, T, Dv). Views with any strides whose last is 1 are read
/// in place. Gradient: the same form, walked the other way (algorithm 2). Throws: ShapeError,
/// DTypeError, ConfigError for a decay, GraphError for a state while gradients are recorded.
/// Source: Qin et al. 2024, Lightning Attention-2 (arXiv 2401.04658), eq. 3 and algorithms 1 and 2.
/// The paper's attention is causal; both ways, the decay goes by the distance as in its
/// bidirectional kin (Qin et al. 2022, arXiv 2210.10340, has none, which is lambda = 1 here).
Tensor lightning_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                           const LightningOptions& options = {});

namespace definition {
Tensor lightning_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                           const LightningOptions& options);
}  // namespace definition
}  // namespace weft
