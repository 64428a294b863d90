// Shape-only tensors: everything of a tensor but its elements.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/shape_only.h"
#include "core/tensor.h"

namespace weft {

namespace detail {
extern constinit thread_local int shape_only_depth;
}

/// Whether this thread makes shape-only tensors now. The test of one number.
inline bool shape_only() { return detail::shape_only_depth != 0; }

/// While one lives, every tensor that this thread makes is shape-only: it has shape, strides, dtype
/// and a place of its own, but no elements and no memory. Ops, modules and optimizers do everything
/// but the arithmetic: shapes are checked, graphs recorded and walked, and the bytes counted that
/// the tensors would hold. That is how a model is asked for its parameters, its products and the
/// memory of a step (`nn::describe`), however large it is.
///
/// - A tensor that has elements keeps them: changing it in place is refused (Error).
/// - The elements of a shape-only tensor cannot be read: item(), at() and to_vector() throw Error,
///   and so does data() once no ShapeOnly lives. What an op does that reads elements to check them
///   (indices, classes, NaN) is not done; a count of them (the targets that a mean is over) is what
///   it is when all count.
/// - The random streams are afterwards where they were.
///
/// A shape-only tensor may outlive the guard, and ends on the thread that made it.
class ShapeOnly {
 public:
  /// Peak() counts from here.
  ShapeOnly();
  ~ShapeOnly();
  ShapeOnly(const ShapeOnly&) = delete;
  ShapeOnly& operator=(const ShapeOnly&) = delete;

  /// Bytes that the shape-only tensors of this thread would hold, rounded up as the allocator
  /// rounds: now, and the most since the last ShapeOnly began or reset_peak().
  static double held();
  static double peak();      ///< the most of held()
  static void reset_peak();  ///< peak() counts from here

 private:
  std::uint64_t seed_;
  std::map<std::string, std::uint64_t> positions_;
};

/// Whether `t` has no elements because it was made under ShapeOnly.
bool is_shape_only(const Tensor& t);

/// Arithmetic: calls `f(T{})` as dispatch_float() does, but not under ShapeOnly, where there is
/// nothing to compute. Throws DTypeError for an integer dtype in either case.
template <class F>
void compute_float(DType dtype, std::string_view where, F&& f) {
  if (!shape_only())
    dispatch_float(dtype, where, std::forward<F>(f));
  else
    dispatch_float(dtype, where, [](auto) {});
}

/// The same for any dtype.
template <class F>
void compute_any(DType dtype, F&& f) {
  if (!shape_only()) dispatch_any(dtype, std::forward<F>(f));
}

}  // namespace weft
