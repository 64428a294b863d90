// What a Tensor handle points at. Private to core/tensor*.cpp.
#pragma once

#include "core/tensor.h"

namespace weft {

struct Tensor::Impl {
  std::byte* data;  ///< first element
  std::int64_t numel;
  Shape shape;
  Shape strides;
  std::shared_ptr<Storage> storage;
  std::shared_ptr<GradMeta> grad_meta;
  DType dtype;
  bool contiguous;
};

}  // namespace weft
