// Positions that are computed, not learned: sinusoids and ALiBi. (RoPE is an op,
// autograd/ops/rope.h; learned positions are an Embedding.)
#pragma once

#include <vector>

#include "core/tensor.h"

namespace weft::nn {

/// Table (n, C): sin(t / 10000^(2i/C)) in column 2i, cos of the same in column 2i + 1. Source:
/// Vaswani et al. 2017 (arXiv 1706.03762), section 3.5. Shared between calls: not to be written to.
Tensor sinusoidal_positions(std::int64_t n, std::int64_t n_embd, DType dtype = DType::f32);

/// Slopes 2^(-8 h / H), h = 1 .. H; for H no power of two, those of the power below and every
/// second one of the power above. Source: Press, Smith, Lewis 2021 (arXiv 2108.12409), section 3
/// and its published code.
std::vector<double> alibi_slopes(std::int64_t n_head);

/// Bias (1, H, T, S): -slope |i + S - T - j| for query i and key j: the last query stands at the
/// last key. Shared between calls: not to be written to.
Tensor alibi_bias(std::int64_t n_head, std::int64_t queries, std::int64_t keys,
                  DType dtype = DType::f32);

}  // namespace weft::nn
