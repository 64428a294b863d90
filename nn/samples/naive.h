// Layers with loops over doubles: what the modules are held against.
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

#include "core/tensor.h"
#include "nn/options.h"

namespace weft::samples::naive {

using Values = std::vector<double>;

/// Rows of x (n, in) times weight (out, in) transposed, plus bias.
Values linear(const Values& x, const Values& weight, const Values& bias, std::size_t in,
              std::size_t out);
/// Each row of `size`: (x - mean) / sqrt(var + eps) or x / sqrt(mean x^2 + eps), then weight and
/// bias where not empty.
Values layer_norm(const Values& x, const Values& weight, const Values& bias, std::size_t size,
                  double eps = 1e-5);
Values rms_norm(const Values& x, const Values& weight, std::size_t size, double eps = 1e-6);
double activate(double x, nn::Activation activation);

/// All that attention may be asked for; q (B, T, H, D) and k, v (B, S, Hk, D) come projected.
struct Attention {
  std::size_t batch, queries, keys, heads, kv_heads, size;
  bool causal = false, qk_norm = false, rope = false, alibi = false;
  Values mask{};     ///< (T, S) added to the scores, or empty
  Values padding{};  ///< (B, S), not 0: forbidden, or empty
  nn::AttentionKind kind = nn::AttentionKind::softmax;
  double decay = 1;
  Values temperature{};  ///< (H,), of channels
};
/// -> (B, T, H D). `weights` receives (B, H, T, S).
Values attention(const Attention& how, Values q, Values k, const Values& v,
                 Values* weights = nullptr);

}  // namespace weft::samples::naive
