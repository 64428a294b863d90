#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "core/kernels/bf16_cells.h"
#include "core/kernels/copy.h"
#include "core/shape_only.h"
#include "core/tensor_impl.h"

namespace weft {
namespace {

bool row_major(const Shape& shape, const Shape& strides) {
  std::int64_t expected = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] == 1) continue;
    if (strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

/// Elements from the first to one past the last that a geometry reaches; saturates instead of
/// overflowing.
std::int64_t span(const Shape& shape, const Shape& strides) {
  std::int64_t last = 0;
  for (int i = 0; i < shape.rank(); ++i) {
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(shape[i] - 1, strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last))
      return std::numeric_limits<std::int64_t>::max();
  }
  return last + (last < std::numeric_limits<std::int64_t>::max());
}

/// Chunks of a write may run at once, so no element may stand for two.
void check_target(const Tensor& t, std::string_view where) {
  if (raw::overlaps_itself(t))
    fail<ShapeError>(where,
                     "elements of the target share memory: {} with strides {}; copy it first",
                     t.shape().str(), t.strides().str());
}

void refuse_shape_only(const Tensor& t, std::string_view where) {
  if (is_shape_only(t))
    fail<Error>(where,
                "a tensor {} that was made under ShapeOnly has no elements to read; make it "
                "without that",
                t.shape().str());
}

/// `value` as a To that is the same number.
template <class To, class From>
To exactly(From value, std::string_view where) {
  if constexpr (std::is_same_v<From, BFloat16>) {
    return exactly<To>(static_cast<float>(value), where);
  } else if constexpr (std::is_floating_point_v<To> && std::is_same_v<From, std::int64_t>) {
    // 2^63, which an i64 rounds up to, is none itself.
    const double near = static_cast<double>(value);
    if (near >= 0x1p63 || static_cast<std::int64_t>(near) != value)
      fail<NumericError>(where, "{} is not a double; read it as a std::int64_t", value);
  } else if constexpr (!std::is_floating_point_v<To> && std::is_floating_point_v<From>) {
    if (!(value >= From{-0x1p63} && value < From{0x1p63}) || std::trunc(value) != value)
      fail<NumericError>(where, "{} is not an integer; read it as a double", value);
  }
  return static_cast<To>(value);
}

}  // namespace

bool raw::overlaps_itself(const Tensor& t) {
  if (t.is_contiguous()) return false;
  // From the smallest stride on: a stride beyond all that smaller ones reach keeps its steps apart.
  std::vector<std::pair<std::int64_t, std::int64_t>> steps;  // stride, size
  for (int i = 0; i < t.rank(); ++i)
    if (t.shape()[i] > 1) steps.emplace_back(t.strides()[i], t.shape()[i]);
  std::sort(steps.begin(), steps.end());
  std::int64_t reach = 0;
  bool apart = true;
  for (const auto& [stride, size] : steps) {
    if (stride == 0) return true;
    apart = apart && stride > reach;
    reach += stride * (size - 1);
  }
  if (apart) return false;
  std::vector<bool> taken(static_cast<std::size_t>(
      reach + 1));  // interlocking steps: a storage holds them all, so they can be walked
  Shape index = Shape::filled(t.rank(), 0);
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    std::int64_t offset = 0;
    for (int d = 0; d < t.rank(); ++d) offset += index[d] * t.strides()[d];
    if (taken[static_cast<std::size_t>(offset)]) return true;
    taken[static_cast<std::size_t>(offset)] = true;
    for (int d = t.rank() - 1; d >= 0 && ++index[d] == t.shape()[d]; --d) index[d] = 0;
  }
  return false;
}

bool raw::overlaps(const Tensor& a, const Tensor& b) {
  if (!a.shares_storage(b) || a.numel() == 0 || b.numel() == 0) return false;
  const auto end = [](const Tensor& t) {
    return t.raw_data() + span(t.shape(), t.strides()) * item_size(t.dtype());
  };
  return a.raw_data() < end(b) && b.raw_data() < end(a);
}

const Tensor::Impl& Tensor::impl() const {
  if (!impl_) fail<Error>("tensor", "an undefined tensor was used; assign one first");
  return *impl_;
}

const Shape& Tensor::shape() const { return impl().shape; }
const Shape& Tensor::strides() const { return impl().strides; }
DType Tensor::dtype() const { return impl().dtype; }
std::int64_t Tensor::size(std::int64_t dim) const {
  return shape()[normalize_dim(dim, rank(), "size")];
}
std::int64_t Tensor::numel() const { return impl().numel; }
bool Tensor::is_contiguous() const { return impl().contiguous; }
std::byte* Tensor::raw_data() const { return impl().data; }
const std::shared_ptr<GradMeta>& Tensor::grad_meta() const { return impl().grad_meta; }

void Tensor::set_grad_meta(std::shared_ptr<GradMeta> meta) const {
  impl();
  impl_->grad_meta = std::move(meta);
}

bool Tensor::shares_storage(const Tensor& other) const {
  return impl().storage == other.impl().storage;
}
std::uint64_t Tensor::version() const { return impl().storage->version(); }
void Tensor::bump_version() const {
  if (shape_only() && numel() > 0 && !is_shape_only(*this))
    fail<Error>("shape_only",
                "a tensor {} that has elements would be changed, and nothing is computed now; make "
                "it under ShapeOnly too",
                shape().str());
  impl().storage->bump_version();
}
const std::shared_ptr<Storage>& Tensor::storage() const { return impl().storage; }
bool Tensor::is_unique() const { return impl_.use_count() == 1 && impl_->storage.use_count() == 1; }

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  const std::int64_t numel = shape.numel();
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(numel, item_size(dtype), &bytes))
    bytes = std::numeric_limits<std::int64_t>::max();
  auto storage = std::make_shared<Storage>(bytes);
  std::byte* data = storage->data();
  return Tensor(std::make_shared<Impl>(Impl{data, numel, shape, shape.row_major_strides(),
                                            std::move(storage), nullptr, dtype, true}));
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor t = empty(shape, dtype);
  t.fill(value);
  return t;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) { return full(shape, 0, dtype); }
Tensor Tensor::ones(const Shape& shape, DType dtype) { return full(shape, 1, dtype); }

Tensor Tensor::arange(std::int64_t n, DType dtype) {
  Tensor t = empty({n}, dtype);
  compute_any(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* out = t.data<T>();
    for (std::int64_t i = 0; i < n; ++i) out[i] = kernels::convert<T>(i);
  });
  return t;
}

Tensor Tensor::as_strided(const Shape& shape, const Shape& strides, std::int64_t offset) const {
  const Impl& base = impl();
  const std::int64_t numel = shape.numel();
  if (shape.rank() != strides.rank())
    fail<ShapeError>("as_strided", "shape {} and strides {} differ in rank", shape.str(),
                     strides.str());
  if (std::any_of(strides.begin(), strides.end(), [](std::int64_t stride) { return stride < 0; }))
    fail<ShapeError>("as_strided", "a stride may not be negative: {}", strides.str());
  std::byte* data = base.storage->data();
  if (numel > 0) {
    const std::int64_t item = item_size(base.dtype);
    const std::int64_t before = (base.data - data) / item;
    const std::int64_t total = base.storage->bytes() / item;
    if (offset < -before || offset > total - before ||
        span(shape, strides) > total - before - offset)
      fail<ShapeError>(
          "as_strided",
          "shape {} with strides {} from element {} reaches outside a storage of {} elements",
          shape.str(), strides.str(), before + offset, total);
    data = base.data + offset * item;
  }
  return Tensor(std::make_shared<Impl>(Impl{data, numel, shape, strides, base.storage, nullptr,
                                            base.dtype, numel == 0 || row_major(shape, strides)}));
}

Tensor raw::bf16_copy(const Tensor& t) {
  constexpr std::int64_t kShown = 4;  // of the storage: a part of it, for a copy of all
  if (t.dtype() != DType::f32)
    fail<DTypeError>("bf16_copy", "expects f32, got {}", name(t.dtype()));
  const std::shared_ptr<Storage>& storage = t.storage();
  const std::int64_t all = storage->bytes() / item_size(DType::f32);
  const std::int64_t offset =
      t.numel() == 0 ? 0 : (t.raw_data() - storage->data()) / item_size(DType::f32);
  const auto rounded = [](const Tensor& from) {
    const Tensor to = Tensor::empty(from.shape(), DType::bf16);
    if (!shape_only())
      kernels::round_operand(from.data<float>(), from.numel(), to.data<BFloat16>());
    return to;
  };
  if (t.numel() == 0 || all / kShown >= t.numel()) return rounded(contiguous(t));
  const Tensor whole = t.as_strided({all}, {1}, -offset);
  std::shared_ptr<Storage> twin = storage->bf16_twin();
  if (!twin) {
    twin = rounded(whole).storage();
    storage->set_bf16_twin(twin);
  }
  return Tensor::of_storage(twin, DType::bf16).as_strided(t.shape(), t.strides(), offset);
}

Tensor Tensor::of_storage(const std::shared_ptr<Storage>& storage, DType dtype) {
  const std::int64_t numel = storage->bytes() / item_size(dtype);
  return Tensor(std::make_shared<Impl>(
      Impl{storage->data(), numel, {numel}, {1}, storage, nullptr, dtype, true}));
}

template <class T>
T* Tensor::data() const {
  const Impl& self = impl();
  if (self.dtype != dtype_of<T>())
    fail<DTypeError>("data", "a {} tensor was read as {}", name(self.dtype), name(dtype_of<T>()));
  if (!shape_only()) refuse_shape_only(*this, "data");
  return reinterpret_cast<T*>(self.data);
}

template <class T>
Tensor Tensor::from(const std::vector<T>& values, const Shape& shape) {
  if (static_cast<std::int64_t>(values.size()) != shape.numel())
    fail<ShapeError>("from", "{} values do not fill shape {}, which has {}", values.size(),
                     shape.str(), shape.numel());
  Tensor t = empty(shape, dtype_of<T>());
  if (!shape_only()) std::copy(values.begin(), values.end(), t.data<T>());
  return t;
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  refuse_shape_only(*this, "to_vector");
  const Tensor t = raw::contiguous(raw::cast(*this, dtype_of<T>()));
  const T* first = t.data<T>();
  return std::vector<T>(first, first + t.numel());
}

template float* Tensor::data<float>() const;
template double* Tensor::data<double>() const;
template std::int32_t* Tensor::data<std::int32_t>() const;
template std::int64_t* Tensor::data<std::int64_t>() const;
template std::uint8_t* Tensor::data<std::uint8_t>() const;
template BFloat16* Tensor::data<BFloat16>() const;
template Tensor Tensor::from(const std::vector<float>&, const Shape&);
template Tensor Tensor::from(const std::vector<double>&, const Shape&);
template Tensor Tensor::from(const std::vector<std::int32_t>&, const Shape&);
template Tensor Tensor::from(const std::vector<std::int64_t>&, const Shape&);
template Tensor Tensor::from(const std::vector<std::uint8_t>&, const Shape&);
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<std::int32_t> Tensor::to_vector() const;
template std::vector<std::int64_t> Tensor::to_vector() const;
template std::vector<std::uint8_t> Tensor::to_vector() const;

template <class T>
T Tensor::item() const {
  if (numel() != 1)
    fail<ShapeError>("item", "expects a tensor of one element, got {}", shape().str());
  refuse_shape_only(*this, "item");
  return dispatch_any(dtype(),
                      [&](auto zero) { return exactly<T>(*data<decltype(zero)>(), "item"); });
}

template <class T>
T Tensor::at(const Shape& index) const {
  bool inside = index.rank() == rank();
  std::int64_t offset = 0;
  for (int i = 0; inside && i < rank(); ++i) {
    inside = index[i] >= 0 && index[i] < shape()[i];
    if (inside) offset += index[i] * strides()[i];
  }
  if (!inside) fail<IndexError>("at", "index {} is outside {}", index.str(), shape().str());
  refuse_shape_only(*this, "at");
  return dispatch_any(dtype(),
                      [&](auto zero) { return exactly<T>(data<decltype(zero)>()[offset], "at"); });
}

template double Tensor::item() const;
template std::int64_t Tensor::item() const;
template double Tensor::at(const Shape&) const;
template std::int64_t Tensor::at(const Shape&) const;

void Tensor::fill(double value) const {
  check_target(*this, "fill");
  bump_version();
  compute_any(dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T element = kernels::convert<T>(value);
    const auto* bytes = reinterpret_cast<const std::byte*>(&element);
    if (numel() == 1)
      *data<T>() = element;
    else
      kernels::copy_strided(shape(), raw_data(), dtype(), strides(), bytes, dtype(),
                            Shape::filled(rank(), 0));
  });
}

void Tensor::copy_from(const Tensor& source) const {
  if (!broadcasts_to(source.shape(), shape()))
    fail<ShapeError>("copy_from", "{} cannot be copied into {}", source.shape().str(),
                     shape().str());
  check_target(*this, "copy_from");
  bump_version();
  const Tensor from =
      raw::expand(raw::overlaps(*this, source) ? raw::clone(source) : source, shape());
  kernels::copy_strided(shape(), raw_data(), dtype(), strides(), from.raw_data(), from.dtype(),
                        from.strides());
}

}  // namespace weft
