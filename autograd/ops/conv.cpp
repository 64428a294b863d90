#include "autograd/ops/conv.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/indexing.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/product_observer.h"
#include "core/kernels/conv.h"
#include "core/kernels/product.h"
#include "core/parallel.h"
#include "core/shape_only.h"

namespace weft {
namespace {

using kernels::Windows;

Windows make_windows(const char* op, const Tensor& x, Size2 kernel, Size2 stride, Size2 padding) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
  if (x.rank() != 4)
    fail<ShapeError>(op, "x {} must have 4 dimensions (batch, channels, height, width)",
                     x.shape().str());
  const auto reach = [&](int i) { return x.shape()[2 + i] + 2 * padding[i]; };
  for (int i = 0; i < 2; ++i) {
    const std::int64_t size = x.shape()[2 + i];
    if (stride[i] < 1)
      fail<ConfigError>(op, "stride ({}, {}) must be at least 1", stride[0], stride[1]);
    if (padding[i] < 0 || padding[i] > kLargest)
      fail<ConfigError>(op, "padding ({}, {}) must be 0 to {}", padding[0], padding[1], kLargest);
    if (kernel[i] < 1)
      fail<ConfigError>(op, "kernel ({}, {}) must be at least 1", kernel[0], kernel[1]);
    if (size < 1 || size > kLargest || kernel[i] > reach(i))
      fail<ShapeError>(op, "kernel ({}, {}) does not fit x {} with padding ({}, {})", kernel[0],
                       kernel[1], x.shape().str(), padding[0], padding[1]);
  }
  stride = {std::min(stride[0], reach(0)),
            std::min(stride[1], reach(1))};  // a longer one reaches no second window either
  Windows w{.channels = x.shape()[1],
            .height = x.shape()[2],
            .width = x.shape()[3],
            .kernel_h = kernel[0],
            .kernel_w = kernel[1],
            .stride_h = stride[0],
            .stride_w = stride[1],
            .pad_h = padding[0],
            .pad_w = padding[1]};
  w.out_h = (w.height + 2 * w.pad_h - w.kernel_h) / w.stride_h + 1;
  w.out_w = (w.width + 2 * w.pad_w - w.kernel_w) / w.stride_w + 1;
  return w;
}

/// The windows as one more dimension, in primitive ops: (B, C, H, W) -> (B, C, KH KW, H' W').
Tensor unfold(const Tensor& x, const Windows& w) {
  const Tensor padded = w.pad_h + w.pad_w == 0 ? x : pad(x, {w.pad_w, w.pad_w, w.pad_h, w.pad_h});
  std::vector<Tensor> taps;
  for (std::int64_t i = 0; i < w.kernel_h; ++i) {
    const Tensor rows = slice(padded, 2, i, i + (w.out_h - 1) * w.stride_h + 1, w.stride_h);
    for (std::int64_t j = 0; j < w.kernel_w; ++j)
      taps.push_back(slice(rows, 3, j, j + (w.out_w - 1) * w.stride_w + 1, w.stride_w));
  }
  return reshape(stack(taps, 2), {x.shape()[0], w.channels, w.taps(), w.out_pixels()});
}

/// conv2d in primitive ops: weight, a matrix a group, times the matrix of patches.
Tensor conv2d_definition(const Tensor& x, const Tensor& weight, const Tensor& bias,
                         const Windows& w, std::int64_t groups) {
  const std::int64_t batch = x.shape()[0], out_channels = weight.shape()[0],
                     k = w.channels / groups * w.taps();
  const Tensor patches = reshape(unfold(x, w), {batch, groups, k, w.out_pixels()});
  const Tensor products = matmul(reshape(weight, {groups, out_channels / groups, k}), patches);
  const Tensor out = reshape(products, {batch, out_channels, w.out_h, w.out_w});
  return bias.defined() ? add(out, reshape(bias, {out_channels, 1, 1})) : out;
}

/// Windows that tile the image, as a vision transformer's patches do: no pixel is in two of them.
bool is_patches(const Windows& w, std::int64_t groups) {
  return groups == 1 && w.stride_h == w.kernel_h && w.stride_w == w.kernel_w && w.pad_h == 0 &&
         w.pad_w == 0 && w.taps() > 1;
}

/// The pixels of an image batch in the order of the patches: (B, H', W', C, KH, KW), a view.
Tensor patch_view(const Tensor& x, const Windows& w) {
  const Shape& s = x.strides();
  return x.as_strided({x.shape()[0], w.out_h, w.out_w, w.channels, w.kernel_h, w.kernel_w},
                      {s[0], w.kernel_h * s[2], w.kernel_w * s[3], s[1], s[2], s[3]});
}

Tensor channels_last(const Tensor& t) { return raw::contiguous(raw::permute(t, {0, 2, 3, 1})); }

/// One tall product, (B P, K) by (K, O). The result is left channels last in memory, which is what
/// a transformer reads next, and shown as (B, O, H', W').
template <class T>
Tensor patch_forward(const Tensor& patches, const Tensor& weight, const Tensor& bias,
                     const Windows& w) {
  const std::int64_t out_channels = weight.shape()[0], k = w.channels * w.taps(),
                     rows = patches.shape()[0] * w.out_pixels();
  const Tensor out =
      Tensor::empty({patches.shape()[0], w.out_h, w.out_w, out_channels}, weight.dtype());
  const Tensor result = raw::permute(out, {0, 3, 1, 2});
  if (shape_only()) return result;
  T* const to = out.data<T>();
  if (bias.defined())
    parallel_for(rows, std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, out_channels)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t row = begin; row < end; ++row)
                     std::copy_n(bias.data<T>(), out_channels, to + row * out_channels);
                 });
  kernels::parallel_product(blas::Op::none, blas::Op::transpose, rows, out_channels, k, T{1},
                            patches.data<T>(), k, weight.data<T>(), k, bias.defined() ? T{1} : T{0},
                            to, out_channels);
  return result;
}

struct Needs {
  bool x, weight, bias;
};

/// The product of (B P, K) patches and (K, O) weights, and those of its gradients.
void tell_forward(const Windows& w, std::int64_t batch, const Tensor& weight, std::int64_t groups) {
  const std::int64_t out = weight.shape()[0] / groups, in = w.channels / groups * w.taps();
  product_made({.op = "conv2d", .m = batch * w.out_pixels(), .n = out, .k = in, .count = groups});
}
void tell_backward(const Windows& w, std::int64_t batch, const Tensor& weight, std::int64_t groups,
                   Needs needs) {
  const std::int64_t out = weight.shape()[0] / groups, in = w.channels / groups * w.taps(),
                     rows = batch * w.out_pixels();
  if (needs.x) product_made({"conv2d", ProductRole::input_gradient, rows, in, out, groups});
  if (needs.weight) product_made({"conv2d", ProductRole::weight_gradient, out, in, rows, groups});
}

template <class T>
Gradients patch_backward(const Tensor& g, const Shape& x_shape, const Tensor& patches,
                         const Tensor& weight, const Windows& w, Needs needs) {
  const std::int64_t out_channels = weight.shape()[0], k = w.channels * w.taps(),
                     rows = x_shape[0] * w.out_pixels();
  const Tensor grad = channels_last(g);
  tell_backward(w, x_shape[0], weight, 1, needs);
  Gradients grads(3);
  if (needs.x) {
    const Tensor moved = Tensor::empty(
        {x_shape[0], w.out_h, w.out_w, w.channels, w.kernel_h, w.kernel_w}, g.dtype());
    if (!shape_only())
      kernels::parallel_product(blas::Op::none, blas::Op::none, rows, k, out_channels, T{1},
                                grad.data<T>(), out_channels, weight.data<T>(), k, T{0},
                                moved.data<T>(), k);
    const bool covered = w.out_h * w.kernel_h == w.height && w.out_w * w.kernel_w == w.width;
    grads[0] = covered ? Tensor::empty(x_shape, g.dtype()) : Tensor::zeros(x_shape, g.dtype());
    patch_view(grads[0], w).copy_from(moved);
  }
  if (needs.weight) {
    grads[1] = Tensor::empty(weight.shape(), g.dtype());
    if (!shape_only())
      kernels::tall_product(grad.data<T>(), patches.data<T>(), rows, out_channels, k,
                            grads[1].data<T>());
  }
  if (needs.bias) {
    const Tensor ones = Tensor::ones({rows, 1}, g.dtype());
    grads[2] = Tensor::empty({out_channels}, g.dtype());
    if (!shape_only())
      kernels::tall_product(ones.data<T>(), grad.data<T>(), rows, 1, out_channels,
                            grads[2].data<T>());
  }
  return grads;
}

template <class T>
Gradients conv_backward(const Tensor& g, const Tensor& x, const Tensor& weight, const Windows& w,
                        std::int64_t groups, Needs needs) {
  const Tensor grad = raw::contiguous(g);
  const std::int64_t batch = x.shape()[0], out_channels = weight.shape()[0];
  tell_backward(w, batch, weight, groups, needs);
  Gradients grads(3);
  if (needs.x) {
    grads[0] = Tensor::empty(x.shape(), g.dtype());
    if (!shape_only())
      kernels::conv2d_grad_x(w, batch, out_channels, groups, grad.data<T>(), weight.data<T>(),
                             grads[0].data<T>());
  }
  if (needs.weight) {
    grads[1] = Tensor::empty(weight.shape(), g.dtype());
    if (!shape_only())
      kernels::conv2d_grad_weight(w, batch, out_channels, groups, grad.data<T>(), x.data<T>(),
                                  grads[1].data<T>());
  }
  if (needs.bias) {
    grads[2] = Tensor::empty({out_channels}, g.dtype());
    if (!shape_only())
      kernels::channel_sums(grad.data<T>(), batch, out_channels, w.out_pixels(),
                            grads[2].data<T>());
  }
  return grads;
}

void check_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t groups) {
  if (x.rank() != 4)
    fail<ShapeError>("conv2d", "x {} must have 4 dimensions (batch, channels, height, width)",
                     x.shape().str());
  if (weight.rank() != 4)
    fail<ShapeError>(
        "conv2d",
        "weight {} must have 4 dimensions (out channels, in channels / groups, height, width)",
        weight.shape().str());
  if (groups < 1) fail<ConfigError>("conv2d", "groups must be at least 1, got {}", groups);
  const std::int64_t channels = x.shape()[1], out_channels = weight.shape()[0];
  if (channels % groups != 0 || out_channels % groups != 0)
    fail<ShapeError>("conv2d", "{} input and {} output channels do not divide into {} groups",
                     channels, out_channels, groups);
  if (weight.shape()[1] != channels / groups)
    fail<ShapeError>("conv2d", "weight {} expects {} channels per group, x {} has {}",
                     weight.shape().str(), weight.shape()[1], x.shape().str(), channels / groups);
  if (bias.defined() && bias.shape() != Shape{out_channels})
    fail<ShapeError>("conv2d", "bias {} must be ({},), one for each output channel",
                     bias.shape().str(), out_channels);
  for (const Tensor& t : {weight, bias})
    if (t.defined() && t.dtype() != x.dtype())
      fail<DTypeError>("conv2d", "x is {}, weight or bias {}; cast one of them", name(x.dtype()),
                       name(t.dtype()));
}

/// The plane index of the largest element is kept as i32.
void check_plane(const Windows& w) {
  if (w.pixels() > std::numeric_limits<std::int32_t>::max())
    fail<ShapeError>("max_pool2d", "images of {} pixels are too large, at most 2^31 - 1",
                     w.pixels());
}

Windows make_pool(const char* op, const Tensor& x, const Pool2dOptions& options) {
  const auto stride = [&](int i) {
    return options.stride[i] == 0 ? options.kernel[i] : options.stride[i];
  };
  for (int i = 0; i < 2; ++i) {
    if (options.kernel[i] >= 1 && options.padding[i] > options.kernel[i] / 2)
      fail<ConfigError>(op, "padding ({}, {}) must be at most half the kernel ({}, {})",
                        options.padding[0], options.padding[1], options.kernel[0],
                        options.kernel[1]);
  }
  return make_windows(op, x, options.kernel, {stride(0), stride(1)}, options.padding);
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const Conv2dOptions& options) {
  const std::int64_t groups = options.groups;
  check_conv2d(x, weight, bias, groups);
  const Windows w = make_windows("conv2d", x, {weight.shape()[2], weight.shape()[3]},
                                 options.stride, options.padding);
  const Needs needs{wants_grad(x), wants_grad(weight), wants_grad(bias)};
  const Tensor kernel = raw::contiguous(weight),
               offset = bias.defined() ? raw::contiguous(bias) : bias;
  const auto definition = [=] { return conv2d_definition(x, weight, bias, w, groups); };
  tell_forward(w, x.shape()[0], weight, groups);
  return dispatch_float(x.dtype(), "conv2d", [&]<class T>(T) {
    if (is_patches(w, groups)) {
      const Tensor patches = raw::contiguous(patch_view(x, w));
      const Tensor out = patch_forward<T>(patches, kernel, offset, w);
      return record_fused(
          "conv2d", out, {x, weight, bias},
          [=, shape = x.shape(), kept = needs.weight ? patches : Tensor()](const Tensor& g) {
            return patch_backward<T>(g, shape, kept, kernel, w, needs);
          },
          definition, {needs.weight ? &patches : nullptr, needs.x ? &kernel : nullptr});
    }
    const Tensor images = raw::contiguous(x);
    const Tensor out =
        Tensor::empty({x.shape()[0], weight.shape()[0], w.out_h, w.out_w}, x.dtype());
    if (!shape_only())
      kernels::conv2d(w, x.shape()[0], weight.shape()[0], groups, images.data<T>(),
                      kernel.data<T>(), offset.defined() ? offset.data<T>() : nullptr,
                      out.data<T>());
    return record_fused(
        "conv2d", out, {x, weight, bias},
        [=](const Tensor& g) { return conv_backward<T>(g, images, kernel, w, groups, needs); },
        definition, {needs.weight ? &images : nullptr, needs.x ? &kernel : nullptr});
  });
}

Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options) {
  const Windows w = make_pool("max_pool2d", x, options);
  check_plane(w);
  const std::int64_t batch = x.shape()[0], planes = batch * w.channels;
  const Tensor images = raw::contiguous(x);
  const Tensor out = Tensor::empty({batch, w.channels, w.out_h, w.out_w}, x.dtype()),
               index = Tensor::empty(out.shape(), DType::i32);
  compute_float(x.dtype(), "max_pool2d", [&]<class T>(T) {
    kernels::max_pool2d(w, planes, images.data<T>(), out.data<T>(), index.data<std::int32_t>());
  });
  const auto rule = [=, shape = x.shape()](const Tensor& g) -> Gradients {
    const Tensor grad = raw::contiguous(g), grad_x = Tensor::zeros(shape, g.dtype());
    compute_float(g.dtype(), "max_pool2d", [&]<class T>(T) {
      kernels::max_pool2d_grad(w, planes, grad.data<T>(), index.data<std::int32_t>(),
                               grad_x.data<T>());
    });
    return {grad_x};
  };
  return record_fused("max_pool2d", out, {x}, rule, [=] {
    const Tensor largest = gather(reshape(x, {batch, w.channels, w.pixels()}), 2,
                                  raw::reshape(index, {batch, w.channels, w.out_pixels()}));
    return reshape(largest, {batch, w.channels, w.out_h, w.out_w});
  });
}

Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options) {
  const Windows w = make_pool("avg_pool2d", x, options);
  const std::int64_t batch = x.shape()[0], planes = batch * w.channels;
  const Tensor images = raw::contiguous(x);
  const Tensor out = Tensor::empty({batch, w.channels, w.out_h, w.out_w}, x.dtype());
  compute_float(x.dtype(), "avg_pool2d", [&]<class T>(T) {
    kernels::avg_pool2d(w, planes, images.data<T>(), out.data<T>());
  });
  const auto rule = [=, shape = x.shape()](const Tensor& g) -> Gradients {
    const Tensor grad = raw::contiguous(g), grad_x = Tensor::zeros(shape, g.dtype());
    compute_float(g.dtype(), "avg_pool2d", [&]<class T>(T) {
      kernels::avg_pool2d_grad(w, planes, grad.data<T>(), grad_x.data<T>());
    });
    return {grad_x};
  };
  return record_fused("avg_pool2d", out, {x}, rule, [=] {
    return reshape(mean(unfold(x, w), {2}), {batch, w.channels, w.out_h, w.out_w});
  });
}

}  // namespace weft
