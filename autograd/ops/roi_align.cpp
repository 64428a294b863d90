#include "autograd/ops/roi_align.h"

#include <cmath>
#include <vector>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/indexing.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "core/kernels/roi_align.h"
#include "core/shape_only.h"

namespace weft {
namespace {

constexpr const char* kRoiAlign = "roi_align";

void check_roi_align(const Tensor& x, const Tensor& regions, const RoiAlignOptions& o) {
  if (x.rank() != 4)
    fail<ShapeError>(kRoiAlign, "x {} must have 4 dimensions (batch, channels, height, width)",
                     x.shape().str());
  if (regions.rank() != 2 || regions.size(1) != 5)
    fail<ShapeError>(kRoiAlign, "regions {} must be (R, 5): image, x0, y0, x1, y1",
                     regions.shape().str());
  if (!is_float(x.dtype()))
    fail<DTypeError>(kRoiAlign, "expects f32 or f64, got {}", name(x.dtype()));
  if (regions.dtype() != x.dtype())
    fail<DTypeError>(kRoiAlign, "operands of different dtypes: x {}, regions {}; cast one",
                     name(x.dtype()), name(regions.dtype()));
  constexpr std::int64_t kMostCells = 4096, kMostSamples = 64;
  if (o.grid[0] < 1 || o.grid[1] < 1 || o.grid[0] > kMostCells || o.grid[1] > kMostCells)
    fail<ConfigError>(kRoiAlign, "grid ({}, {}) must be 1 to {}", o.grid[0], o.grid[1], kMostCells);
  if (o.samples < 1 || o.samples > kMostSamples)
    fail<ConfigError>(kRoiAlign, "samples must be 1 to {}, got {}", kMostSamples, o.samples);
  if (!(o.scale > 0) || std::isinf(o.scale))
    fail<ConfigError>(kRoiAlign, "scale must be finite and above 0, got {}", o.scale);
  if (regions.size(0) > 0 && (x.size(2) < 1 || x.size(3) < 1))
    fail<ShapeError>(kRoiAlign, "x {} has no pixels", x.shape().str());
}

template <class T>
void check_regions(const Tensor& regions, std::int64_t batch) {
  const T* r = regions.data<T>();
  for (std::int64_t i = 0; i < regions.size(0); ++i, r += 5) {
    for (int k = 0; k < 5; ++k)
      if (!std::isfinite(r[k]))
        fail<NumericError>(kRoiAlign, "region {} is not finite: {}, {}, {}, {}, {}", i, r[0], r[1],
                           r[2], r[3], r[4]);
    if (!(r[0] >= 0 && r[0] < static_cast<T>(batch)) || r[0] != std::floor(r[0]))
      fail<IndexError>(kRoiAlign, "region {} is of image {}: there are {}, counted from 0", i, r[0],
                       batch);
    if (r[3] < r[1] || r[4] < r[2])
      fail<NumericError>(kRoiAlign, "region {} ends before it begins: x {} to {}, y {} to {}", i,
                         r[1], r[3], r[2], r[4]);
  }
}

}  // namespace

Tensor roi_align(const Tensor& x, const Tensor& regions, const RoiAlignOptions& o) {
  check_roi_align(x, regions, o);
  const kernels::RoiGrid grid{.batch = x.size(0),
                              .channels = x.size(1),
                              .height = x.size(2),
                              .width = x.size(3),
                              .count = regions.size(0),
                              .out_h = o.grid[0],
                              .out_w = o.grid[1],
                              .samples = o.samples,
                              .scale = o.scale};
  const Tensor map = raw::contiguous(x), where_to = raw::contiguous(regions.detach());
  const Tensor out = Tensor::empty({grid.count, grid.channels, grid.out_h, grid.out_w}, x.dtype());
  return dispatch_float(x.dtype(), kRoiAlign, [&]<class T>(T) {
    using Tap = kernels::RoiTap<T>;
    const auto taps = std::make_shared<std::vector<Tap>>();
    if (!shape_only()) {
      check_regions<T>(where_to, grid.batch);
      taps->resize(static_cast<std::size_t>(grid.count * grid.out_h * grid.out_w *
                                            kernels::taps_per_cell(grid)));
      kernels::roi_taps(grid, where_to.data<T>(), taps->data());
      kernels::roi_align(grid, map.data<T>(), where_to.data<T>(), taps->data(), out.data<T>());
    }
    const auto rule = [=](const Tensor& g) -> Gradients {
      const Tensor grad = raw::contiguous(g),
                   dx = Tensor::empty({grid.batch, grid.channels, grid.height, grid.width},
                                      g.dtype());
      if (!shape_only())
        kernels::roi_align_grad(grid, grad.data<T>(), where_to.data<T>(), taps->data(),
                                dx.data<T>());
      return {dx};
    };
    // The same as sums of weighted rows of x, seen as (B H W, C).
    return record_fused(
        kRoiAlign, out, {x}, rule,
        [=] {
          const std::int64_t per_cell = kernels::taps_per_cell(grid),
                             cells = grid.out_h * grid.out_w, plane = grid.height * grid.width;
          const Tensor index = Tensor::empty({static_cast<std::int64_t>(taps->size())}, DType::i64),
                       weight = Tensor::empty({index.numel(), 1}, x.dtype());
          for (std::int64_t i = 0; i < index.numel(); ++i) {
            const auto image =
                static_cast<std::int64_t>(where_to.data<T>()[i / (cells * per_cell) * 5]);
            index.data<std::int64_t>()[i] =
                image * plane + (*taps)[static_cast<std::size_t>(i)].place;
            weight.data<T>()[i] = (*taps)[static_cast<std::size_t>(i)].weight;
          }
          const Tensor rows =
              reshape(permute(x, {0, 2, 3, 1}), {grid.batch * plane, grid.channels});
          const Tensor sums = sum(reshape(mul(index_select(rows, 0, index), weight),
                                          {grid.count, cells, per_cell, grid.channels}),
                                  {2});
          return reshape(transpose(sums, 1, 2),
                         {grid.count, grid.channels, grid.out_h, grid.out_w});
        },
        {&where_to}, {&where_to});
  });
}

}  // namespace weft
