#include "core/kernels/conv.h"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "core/kernels/bf16_cells.h"
#include "core/kernels/direct_conv.h"
#include "core/kernels/product.h"
#include "core/parallel.h"
#include "core/precision.h"
#include "core/storage.h"

namespace weft::kernels {
namespace {

using blas::Op;

constexpr std::int64_t kTileElements =
    1 << 16;  // of the matrix of patches: a tile stays in the second-level cache
constexpr std::int64_t kGrainElements = 32768;
constexpr std::int64_t kBlocks = 16;  // blocks of images or rows whose sums are kept apart
constexpr std::int64_t kLargestSum =
    1 << 20;  // elements of one such sum up to which there are kBlocks, and above which a quarter

/// Room for one tile, from the caching allocator.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t elements)
      : storage_(elements * static_cast<std::int64_t>(sizeof(T))) {}
  T* data() const { return reinterpret_cast<T*>(storage_.data()); }

 private:
  Storage storage_;
};

/// One group's convolution of one image: a product of weight (m, k) and patches (k, pixels).
struct Products {
  Windows group;  ///< the windows, with the channels of one group
  std::int64_t groups, m, k, pixels, tile_rows;

  Products(const Windows& w, std::int64_t out_channels, std::int64_t group_count)
      : group(w), groups(group_count) {
    group.channels = w.channels / groups;
    m = out_channels / groups;
    k = group.channels * w.taps();
    pixels = w.out_pixels();
    tile_rows = std::clamp<std::int64_t>(kTileElements / std::max<std::int64_t>(1, k * w.out_w), 1,
                                         std::max<std::int64_t>(1, w.out_h));
  }

  std::int64_t tiles() const { return chunk_count(group.out_h, tile_rows); }
  std::int64_t scratch() const { return group.pointwise() ? 0 : k * tile_rows * group.out_w; }
  std::int64_t image_size() const { return group.channels * group.pixels(); }
};

/// Adds per-block sums (blocks, size) into out (size), in the order of the blocks.
template <class T>
void combine(const T* sums, std::int64_t blocks, std::int64_t size, T* out) {
  parallel_for(size, std::max<std::int64_t>(1, kGrainElements / blocks),
               [&](std::int64_t begin, std::int64_t end) {
                 std::copy(sums + begin, sums + end, out + begin);
                 for (std::int64_t block = 1; block < blocks; ++block)
                   for (std::int64_t i = begin; i < end; ++i) out[i] += sums[block * size + i];
               });
}

/// How many sums to keep apart for `items` things to add, `size` elements a sum.
std::int64_t block_count(std::int64_t items, std::int64_t size) {
  return std::min(items, size <= kLargestSum ? kBlocks : kBlocks / 4);
}

/// What the direct kernels multiply: both operands, rounded in bfloat16.
class DirectOperands {
 public:
  DirectOperands(const float* x, std::int64_t x_size, const float* y, std::int64_t y_size)
      : x_(x), y_(y) {
    if (precision() == Precision::f32) return;
    rounded_.emplace(x_size + y_size);
    round_to_bf16(x, x_size, rounded_->data());
    round_to_bf16(y, y_size, rounded_->data() + x_size);
    x_ = rounded_->data(), y_ = x_ + x_size;
  }
  const float* x() const { return x_; }
  const float* y() const { return y_; }

 private:
  std::optional<Scratch<float>> rounded_;
  const float* x_;
  const float* y_;
};

/// Elements of the images, of the weight and of the result.
struct ConvSizes {
  std::int64_t image, weight, out;
  ConvSizes(const Windows& w, std::int64_t batch, std::int64_t out_channels, std::int64_t groups)
      : image(batch * w.channels * w.pixels()),
        weight(out_channels * (w.channels / groups) * w.taps()),
        out(batch * out_channels * w.out_pixels()) {}
};

}  // namespace

template <class T>
void conv2d(const Windows& w, std::int64_t batch, std::int64_t out_channels, std::int64_t groups,
            const T* x, const T* weight, const T* bias, T* out) {
  if constexpr (std::is_same_v<T, float>)
    if (direct_conv_pays(w, out_channels, groups)) {
      const ConvSizes size(w, batch, out_channels, groups);
      const DirectOperands of(x, size.image, weight, size.weight);
      return direct_conv2d(w, batch, out_channels, of.x(), of.y(), bias, out);
    }
  const Products p(w, out_channels, groups);
  const std::int64_t tiles = p.tiles();
  const std::int64_t tile_cost = std::max<std::int64_t>(1, (p.m + 1) * p.k * p.tile_rows * w.out_w);
  parallel_for(batch * groups * tiles, std::max<std::int64_t>(1, (1 << 18) / tile_cost),
               [&](std::int64_t begin, std::int64_t end) {
                 const Scratch<T> scratch(p.scratch());
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t plane = task / tiles,
                                      group = plane % groups;  // plane: (image, group)
                   const std::int64_t row = task % tiles * p.tile_rows,
                                      row_end = std::min(row + p.tile_rows, w.out_h);
                   const std::int64_t n = (row_end - row) * w.out_w;
                   const T* patches = x + plane * p.image_size() + row * w.out_w;
                   std::int64_t patch_stride = p.pixels;
                   if (!w.pointwise()) {
                     im2col(p.group, x + plane * p.image_size(), row, row_end, scratch.data());
                     patches = scratch.data();
                     patch_stride = n;
                   }
                   T* const to = out + plane * p.m * p.pixels + row * w.out_w;
                   if (bias)
                     for (std::int64_t o = 0; o < p.m; ++o)
                       std::fill_n(to + o * p.pixels, n, bias[group * p.m + o]);
                   product(Op::none, Op::none, p.m, n, p.k, T{1}, weight + group * p.m * p.k, p.k,
                           patches, patch_stride, bias ? T{1} : T{0}, to, p.pixels);
                 }
               });
}

template <class T>
void conv2d_grad_x(const Windows& w, std::int64_t batch, std::int64_t out_channels,
                   std::int64_t groups, const T* grad, const T* weight, T* grad_x) {
  if constexpr (std::is_same_v<T, float>)
    if (direct_conv_pays(w, out_channels, groups)) {
      const ConvSizes size(w, batch, out_channels, groups);
      const DirectOperands of(grad, size.out, weight, size.weight);
      return direct_conv2d_grad_x(w, batch, out_channels, of.x(), of.y(), grad_x);
    }
  const Products p(w, out_channels, groups);
  parallel_for(batch * groups, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> scratch(p.scratch());
    for (std::int64_t plane = begin; plane < end; ++plane) {
      const T* const kernel = weight + plane % groups * p.m * p.k;
      T* const image = grad_x + plane * p.image_size();
      if (!w.pointwise()) std::fill_n(image, p.image_size(), T{0});
      for (std::int64_t row = 0; row < w.out_h; row += p.tile_rows) {
        const std::int64_t row_end = std::min(row + p.tile_rows, w.out_h),
                           n = (row_end - row) * w.out_w;
        const T* const from = grad + plane * p.m * p.pixels + row * w.out_w;
        T* const patches = w.pointwise() ? image + row * w.out_w : scratch.data();
        product(Op::transpose, Op::none, p.k, n, p.m, T{1}, kernel, p.k, from, p.pixels, T{0},
                patches, w.pointwise() ? p.pixels : n);
        if (!w.pointwise()) col2im(p.group, scratch.data(), row, row_end, image);
      }
    }
  });
}

template <class T>
void conv2d_grad_weight(const Windows& w, std::int64_t batch, std::int64_t out_channels,
                        std::int64_t groups, const T* grad, const T* x, T* grad_weight) {
  if constexpr (std::is_same_v<T, float>)
    if (direct_conv_pays(w, out_channels, groups)) {
      const ConvSizes size(w, batch, out_channels, groups);
      const DirectOperands of(grad, size.out, x, size.image);
      return direct_conv2d_grad_weight(w, batch, out_channels, of.x(), of.y(), grad_weight);
    }
  const Products p(w, out_channels, groups);
  const std::int64_t size = out_channels * p.k;
  if (batch == 0 || size == 0) {
    std::fill_n(grad_weight, size, T{0});
    return;
  }
  const std::int64_t per_block = chunk_count(batch, block_count(batch, size)),
                     blocks = chunk_count(batch, per_block);
  const Scratch<T> sums(blocks > 1 ? blocks * size : 0);
  T* const all = blocks > 1 ? sums.data() : grad_weight;
  parallel_for(blocks * groups, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> scratch(p.scratch());
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t block = task / groups, group = task % groups;
      T* const sum = all + block * size + group * p.m * p.k;
      T beta{0};
      for (std::int64_t b = block * per_block; b < std::min(batch, (block + 1) * per_block); ++b) {
        const std::int64_t plane = b * groups + group;
        for (std::int64_t row = 0; row < w.out_h; row += p.tile_rows) {
          const std::int64_t row_end = std::min(row + p.tile_rows, w.out_h),
                             n = (row_end - row) * w.out_w;
          const T* patches = x + plane * p.image_size() + row * w.out_w;
          if (!w.pointwise()) {
            im2col(p.group, x + plane * p.image_size(), row, row_end, scratch.data());
            patches = scratch.data();
          }
          product(Op::none, Op::transpose, p.m, p.k, n, T{1},
                  grad + plane * p.m * p.pixels + row * w.out_w, p.pixels, patches,
                  w.pointwise() ? p.pixels : n, beta, sum, p.k);
          beta = T{1};
        }
      }
    }
  });
  if (blocks > 1) combine(sums.data(), blocks, size, grad_weight);
}

template <class T>
void channel_sums(const T* grad, std::int64_t batch, std::int64_t channels, std::int64_t pixels,
                  T* sums) {
  parallel_for(
      channels,
      std::max<std::int64_t>(1, kGrainElements / std::max<std::int64_t>(1, batch * pixels)),
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c) {
          T total{0};
          for (std::int64_t b = 0; b < batch; ++b) {
            const T* const from = grad + (b * channels + c) * pixels;
            T lanes[16] = {};  // sixteen running sums, so that the compiler can use vectors; their
                               // order is fixed
            std::int64_t i = 0;
            for (; i + 16 <= pixels; i += 16)
              for (std::int64_t j = 0; j < 16; ++j) lanes[j] += from[i + j];
            for (; i < pixels; ++i) lanes[0] += from[i];
            for (std::int64_t width = 8; width > 0; width /= 2)
              for (std::int64_t j = 0; j < width; ++j) lanes[j] += lanes[j + width];
            total += lanes[0];
          }
          sums[c] = total;
        }
      });
}

template <class T>
void tall_product(const T* a, const T* b, std::int64_t rows, std::int64_t m, std::int64_t n,
                  T* out) {
  const std::int64_t size = m * n;
  if (rows == 0 || size == 0) {
    std::fill_n(out, size, T{0});
    return;
  }
  const std::int64_t per_block =
                         std::max<std::int64_t>(256, chunk_count(rows, block_count(rows, size))),
                     blocks = chunk_count(rows, per_block);
  const Scratch<T> sums(blocks > 1 ? blocks * size : 0);
  T* const all = blocks > 1 ? sums.data() : out;
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t row = block * per_block;
      product(Op::transpose, Op::none, m, n, std::min(per_block, rows - row), T{1}, a + row * m, m,
              b + row * n, n, T{0}, all + block * size, n);
    }
  });
  if (blocks > 1) combine(sums.data(), blocks, size, out);
}

template void conv2d(const Windows&, std::int64_t, std::int64_t, std::int64_t, const float*,
                     const float*, const float*, float*);
template void conv2d(const Windows&, std::int64_t, std::int64_t, std::int64_t, const double*,
                     const double*, const double*, double*);
template void conv2d_grad_x(const Windows&, std::int64_t, std::int64_t, std::int64_t, const float*,
                            const float*, float*);
template void conv2d_grad_x(const Windows&, std::int64_t, std::int64_t, std::int64_t, const double*,
                            const double*, double*);
template void conv2d_grad_weight(const Windows&, std::int64_t, std::int64_t, std::int64_t,
                                 const float*, const float*, float*);
template void conv2d_grad_weight(const Windows&, std::int64_t, std::int64_t, std::int64_t,
                                 const double*, const double*, double*);
template void channel_sums(const float*, std::int64_t, std::int64_t, std::int64_t, float*);
template void channel_sums(const double*, std::int64_t, std::int64_t, std::int64_t, double*);
template void tall_product(const float*, const float*, std::int64_t, std::int64_t, std::int64_t,
                           float*);
template void tall_product(const double*, const double*, std::int64_t, std::int64_t, std::int64_t,
                           double*);

}  // namespace weft::kernels
