// One tensor in, one tensor of the same shape out.
#pragma once

#include <limits>

#include "core/tensor.h"

namespace weft {

// All of these: Shape: (...) -> (...). Throws: DTypeError unless x is f32 or f64.

/// -x. Gradient: -g.
Tensor neg(const Tensor& x);
/// e^x. Gradient: g e^x.
Tensor exp(const Tensor& x);
/// Natural logarithm; NaN below 0. Gradient: g / x.
Tensor log(const Tensor& x);
/// Gradient: g / (2 sqrt x); infinite at 0.
Tensor sqrt(const Tensor& x);
/// 1 / sqrt x. Gradient: -g x^(-3/2) / 2.
Tensor rsqrt(const Tensor& x);
/// Gradient: g sign(x); 0 at 0, NaN at NaN.
Tensor abs(const Tensor& x);
/// -1, 0 or 1; NaN at NaN. Gradient: 0.
Tensor sign(const Tensor& x);
/// Gradient: g cos x.
Tensor sin(const Tensor& x);
/// Gradient: -g sin x.
Tensor cos(const Tensor& x);
/// Gradient: g (1 - tanh^2 x).
Tensor tanh(const Tensor& x);
/// 1 / (1 + e^-x). Gradient: g s (1 - s).
Tensor sigmoid(const Tensor& x);
/// max(x, 0); NaN stays NaN. Gradient: g where x > 0, else 0, also at NaN.
Tensor relu(const Tensor& x);
/// x^2. Gradient: 2 g x.
Tensor square(const Tensor& x);
/// The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x. Gradient: g 2 /
/// sqrt(pi) e^(-x^2).
Tensor erf(const Tensor& x);

/// Which of the two functions called GELU; a tool that compares must not have two silent ones.
enum class Gelu : std::uint8_t {
  erf,   ///< x Phi(x), exact
  tanh,  ///< x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
};
/// Gaussian error linear unit. Gradient: g (Phi(x) + x phi(x)) for erf, the derivative of the
/// formula for tanh. Source: Hendrycks and Gimpel 2016 (arXiv 1606.08415), section 2.
Tensor gelu(const Tensor& x, Gelu form = Gelu::erf);
/// x sigmoid(x). Gradient: g s (1 + x (1 - s)). Source: Elfwing et al. 2017 (arXiv 1702.03118),
/// eq. 5.
Tensor silu(const Tensor& x);
/// log(1 + e^x), without overflow. Gradient: g sigmoid(x).
Tensor softplus(const Tensor& x);
/// x limited to [low, high]; NaN stays NaN. Gradient: g where low <= x <= high, else 0, also at
/// NaN. Throws: ConfigError when low > high or either is NaN.
Tensor clamp(const Tensor& x, double low, double high = std::numeric_limits<double>::infinity());

/// The same values in another dtype (x itself when it has it already). Gradient: g cast back; none
/// through integers.
Tensor cast(const Tensor& x, DType dtype);
/// x itself when row-major, else a row-major copy. Gradient: g.
Tensor contiguous(const Tensor& x);

/// The same in primitive ops.
namespace definition {
Tensor gelu(const Tensor& x, Gelu form);
Tensor silu(const Tensor& x);
}  // namespace definition

}  // namespace weft
