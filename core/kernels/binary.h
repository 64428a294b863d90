// Elementwise kernels of two operands, broadcast by strides.
#pragma once

#include <cstdint>

#include "core/shape.h"

namespace weft::kernels {

enum class Binary : std::uint8_t { add, sub, mul, div, maximum, minimum, pow };
enum class Compare : std::uint8_t { equal, greater, less };

/// out[i] = a[i] op b[i]; out is row-major of `shape`, a and b have strides in elements (0 where
/// broadcast). A NaN operand of maximum or minimum gives NaN.
template <class T>
void binary(Binary op, const Shape& shape, const T* a, const Shape& a_strides, const T* b,
            const Shape& b_strides, T* out);

/// The same, 1 where the comparison holds, else 0. T: every weft dtype.
template <class T>
void compare(Compare op, const Shape& shape, const T* a, const Shape& a_strides, const T* b,
             const Shape& b_strides, std::uint8_t* out);

/// out[i] = condition[i] ? a[i] : b[i]. T: float or double.
template <class T>
void where(const Shape& shape, const std::uint8_t* condition, const Shape& condition_strides,
           const T* a, const Shape& a_strides, const T* b, const Shape& b_strides, T* out);

}  // namespace weft::kernels
