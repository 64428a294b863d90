// Two tensors in, one out, broadcast by NumPy's rules.
#pragma once

#include "core/tensor.h"

namespace weft {

// All of these: Shape: (a...), (b...) -> broadcast(a, b). Throws: ShapeError when they do not
// broadcast; DTypeError unless both are f32 or both f64. A double operand is taken as a constant of
// the tensor's dtype.

/// a + b. Gradient: g, g.
Tensor add(const Tensor& a, const Tensor& b);
/// a - b. Gradient: g, -g.
Tensor sub(const Tensor& a, const Tensor& b);
/// a * b. Gradient: g b, g a.
Tensor mul(const Tensor& a, const Tensor& b);
/// a / b. Gradient: g / b, -g a / b^2.
Tensor div(const Tensor& a, const Tensor& b);
/// a^b. Gradient: g b a^(b-1), g a^b log a (0 where a is 0 and b >= 0).
Tensor pow(const Tensor& a, const Tensor& b);
/// The larger one; NaN counts as larger. Gradient: to the larger; half to each at a tie; to a where
/// both are NaN.
Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller one; NaN counts as smaller. Gradient: to the smaller; half to each at a tie; to a
/// where both are NaN.
Tensor minimum(const Tensor& a, const Tensor& b);

/// The same with a constant b. Gradient: g; g b; g / b.
Tensor add(const Tensor& a, double b);
Tensor mul(const Tensor& a, double b);
Tensor div(const Tensor& a, double b);
/// a^b for a constant b. Gradient: g b a^(b-1); 0 when b is 0.
Tensor pow(const Tensor& a, double b);

/// a where condition is not 0, else b. condition: u8. Shape: all three broadcast. Gradient: none, g
/// where chosen, g where not.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
/// value where mask is not 0, else x. mask: u8, broadcasts to x. Gradient: g where mask is 0.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);

/// Comparisons: u8 tensors of 0 and 1. No gradient. Any dtype, both the same. (`if` wants one
/// answer: all_equal.)
Tensor equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);

/// Whether the shapes are equal and all elements are; NaN equals nothing. Shape: any, no
/// broadcasting. No gradient. Throws: DTypeError when the dtypes differ.
bool all_equal(const Tensor& a, const Tensor& b);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& a) { return mul(a, -1.0); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator+(double a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(const Tensor& a, double b) { return add(a, -b); }
inline Tensor operator-(double a, const Tensor& b) { return add(mul(b, -1.0), a); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator*(double a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(const Tensor& a, double b) { return div(a, b); }

}  // namespace weft
