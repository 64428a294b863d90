// The weights of sigmoid attention. Not for users: AttentionKind::sigmoid is reached through
// MultiHeadAttention.
#pragma once

#include "autograd/ops/attention.h"

namespace weft::nn {

/// sigmoid(q k^T scale + bias + b), b = -log n: each weight by itself, and nothing is normalized.
///
/// n is a number of each query: of the keys that causality, key_padding and a bias of -inf let it
/// see, and at least 1. Query i of causal self attention without padding has n = i + 1, so what a
/// token gives does not depend on how many follow, and tokens that come one by one with cached keys
/// are weighted as all at once. The paper's n is the length of the sequence, which is the same
/// where every query sees all keys; its reason holds for each query alone: n scores of 0 have
/// weights that sum to n / (n + 1), about 1 as a softmax's do.
///
/// A key that may not be seen has the weight 0. Shape: q (B, H, T, D), k (B, Hk, S, D), H a
/// multiple of Hk -> (B, H, T, S). Gradient: that of the ops it is made of. Throws: ShapeError,
/// DTypeError for key_padding or bias. Source: Ramapuram et al. 2024 (arXiv 2409.04431), section 2.
Tensor sigmoid_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options);

}  // namespace weft::nn
