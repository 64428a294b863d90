// Tensor: a cheap handle on storage + shape + strides + dtype, and on what autograd keeps beside
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"
#include "core/storage.h"

namespace weft {

struct GradMeta;  // defined by autograd/grad_meta.h; core only carries the pointer

class Tensor;
namespace raw {
Tensor bf16_copy(const Tensor& t);
}

/// An n-dimensional array. Copying a Tensor copies the handle, never the elements; views share
/// storage. Row-major unless strides say otherwise. A default-constructed Tensor is undefined and
/// may only be tested and assigned.
///
/// Functions on tensors that take part in autograd live in autograd/ops/. What is here, and in
/// `weft::raw`, is not recorded: it is what ops, optimizers and data loaders are written with.
class Tensor {
 public:
  Tensor() = default;

  // Making. Throws ShapeError for a negative size, MemoryError where it does not fit.
  static Tensor empty(const Shape& shape, DType dtype = DType::f32);  ///< not initialized
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32);  ///< all 0
  static Tensor ones(const Shape& shape, DType dtype = DType::f32);   ///< all 1
  static Tensor full(const Shape& shape, double value, DType dtype = DType::f32);  ///< all `value`
  /// One number, of shape ().
  static Tensor scalar(double value, DType dtype = DType::f32) { return full({}, value, dtype); }
  /// 0, 1, ..., n - 1.
  static Tensor arange(std::int64_t n, DType dtype = DType::i64);
  /// Copies `values`; throws ShapeError unless there are exactly shape.numel() of them.
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape);
  template <class T>
  static Tensor from(std::initializer_list<T> values, const Shape& shape) {
    return from(std::vector<T>(values), shape);
  }

  bool defined() const { return impl_ != nullptr; }  ///< holds a tensor
  /// There is no truth of many elements: ask defined(), all_equal(a, b), or item() of a single
  /// element.
  explicit operator bool() const = delete;
  const Shape& shape() const;                  ///< sizes
  const Shape& strides() const;                ///< in elements
  DType dtype() const;                         ///< of the elements
  int rank() const { return shape().rank(); }  ///< number of dimensions
  std::int64_t size(std::int64_t dim) const;   ///< dim may count from the end; throws IndexError
  std::int64_t numel() const;                  ///< number of elements
  bool is_contiguous() const;                  ///< row-major, without gaps

  /// First element. Throws DTypeError unless T is the dtype's C++ type. The handle is const, the
  /// elements are not. Whoever writes through it to elements that an op may have saved for its
  /// backward says so with bump_version().
  template <class T>
  T* data() const;
  std::byte* raw_data() const;  ///< first byte
  /// The single element of a one-element tensor, exactly: T is double or std::int64_t. Throws
  /// ShapeError for any other size, NumericError for an element that T does not hold (an i64 beyond
  /// 2^53 as a double, 0.5 as an integer).
  template <class T = double>
  T item() const;
  /// Element at an index, as item() (slow: for tests and messages). Throws IndexError,
  /// NumericError.
  template <class T = double>
  T at(const Shape& index) const;
  /// All elements in row-major order, converted.
  template <class T>
  std::vector<T> to_vector() const;
  /// A view with the given geometry on the same storage; `offset` counts elements from this
  /// tensor's first.
  Tensor as_strided(const Shape& shape, const Shape& strides, std::int64_t offset = 0) const;
  /// Whether both handles look at the same storage.
  bool shares_storage(const Tensor& other) const;
  /// Whether nobody else holds this handle's tensor or its storage, so that it may be written in
  /// place.
  bool is_unique() const;

  /// How often the elements have been changed in place; views share the count. Backward of an op
  /// that saved them refuses to run on others than it saved.
  std::uint64_t version() const;
  /// Says that elements were changed through data(): all that changes elements in place calls it.
  void bump_version() const;
  const std::shared_ptr<Storage>& storage() const;  ///< shared by views

  // In place, not recorded by autograd. Throw ShapeError for a target whose elements share memory.
  void fill(double value) const;  ///< all elements become `value`
  void zero() const { fill(0); }  ///< all elements become 0
  /// Copies `source` here, converting the dtype and broadcasting the shape. Throws ShapeError.
  void copy_from(const Tensor& source) const;

  // Autograd (defined in autograd/; see autograd/autograd.h for the engine).
  bool requires_grad() const;  ///< is part of a graph, or a leaf that wants one
  /// Marks a leaf as wanting its gradient, or not. What was recorded before stays recorded; a
  /// backward() that finds a leaf that no longer wants one gives it none (nor calls its hooks), and
  /// grad() refuses it. Throws DTypeError for integers, GraphError for the result of an op.
  const Tensor& set_requires_grad(bool value = true) const;
  /// The gradient accumulated by backward(); undefined before. f(leaf).
  Tensor grad() const;
  void set_grad(Tensor grad) const;               ///< replaces the gradient
  void zero_grad() const { set_grad(Tensor()); }  ///< forgets the gradient
  /// Accumulates d(this)/d(leaf) into every leaf's grad(). This tensor must hold one element unless
  /// `gradient` (same shape) is given.
  void backward(const Tensor& gradient = Tensor(), bool retain_graph = false,
                bool create_graph = false) const;
  /// The same elements, cut off from the graph.
  Tensor detach() const;
  /// Calls `hook(gradient)` when this tensor's whole gradient is known; a defined result replaces
  /// it.
  void register_hook(std::function<Tensor(const Tensor&)> hook) const;
  /// Keeps the gradient of a tensor that is not a leaf, so that grad() shows it after backward().
  void retain_grad() const;

  const std::shared_ptr<GradMeta>& grad_meta() const;        ///< null without one
  void set_grad_meta(std::shared_ptr<GradMeta> meta) const;  ///< for autograd

 private:
  /// All of a storage as a row of elements of `dtype`.
  static Tensor of_storage(const std::shared_ptr<Storage>& storage, DType dtype);
  friend Tensor raw::bf16_copy(const Tensor&);
  struct Impl;
  explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const;  ///< throws GraphError-free plain Error for an undefined tensor
  std::shared_ptr<Impl> impl_;
};

/// Values with shape and dtype, shortened in the middle, for messages and debuggers.
std::string to_string(const Tensor& tensor);

/// Functions that autograd does not see.
namespace raw {

/// `t` itself when row-major, else a row-major copy.
Tensor contiguous(const Tensor& t);
/// A row-major copy.
Tensor clone(const Tensor& t);
/// A copy in another dtype (`t` itself when it already has it).
Tensor cast(const Tensor& t, DType dtype);
/// An f32 tensor as products in bf16 read it, in bf16, with the strides it has. Tensors that lie in
/// one storage and show much of it share their copies, for as long as one of them lives.
Tensor bf16_copy(const Tensor& t);
/// A view stretched to `shape` with stride 0. Throws ShapeError.
Tensor expand(const Tensor& t, const Shape& shape);
/// A view of the same elements in another shape, or a copy where no view can express it. One size
/// may be -1.
Tensor reshape(const Tensor& t, const Shape& shape);
/// A view with dimensions in another order.
Tensor permute(const Tensor& t, const Shape& order);
Tensor transpose(const Tensor& t, std::int64_t dim0, std::int64_t dim1);
/// A view of t[begin:end:step] along `dim`. 0 <= begin <= end <= size, step >= 1; throws
/// IndexError.
Tensor slice(const Tensor& t, std::int64_t dim, std::int64_t begin, std::int64_t end,
             std::int64_t step = 1);
/// The view that `t` was stretched from: dimensions of stride 0 have size 1.
Tensor unexpanded(const Tensor& t);
/// Whether two indices of `t` stand for one element in memory.
bool overlaps_itself(const Tensor& t);
/// Whether the ranges of memory that both reach meet.
bool overlaps(const Tensor& a, const Tensor& b);
/// `target += alpha * source`, same shape and dtype (float). The source may overlap the target.
/// Throws ShapeError, also for a target whose elements share memory; DTypeError.
void add_scaled(const Tensor& target, const Tensor& source, double alpha = 1.0);
/// The index of the first NaN or infinity in row-major order, or -1. Always -1 for integers.
std::int64_t find_nonfinite(const Tensor& t);

}  // namespace raw
}  // namespace weft
