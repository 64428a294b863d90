// RoIAlign: what a feature map holds in regions of an image.
#pragma once

#include "core/size2.h"
#include "core/tensor.h"

namespace weft {

struct RoiAlignOptions {
  Size2 grid = 7;            ///< cells of a region: rows, columns
  double scale = 1;          ///< pixels of the map for one of the image: 1 / stride
  std::int64_t samples = 2;  ///< points each way in a cell, whose mean it is
};

/// The mean of `samples` x `samples` points in each cell of a grid laid over each region, read from
/// the map between its pixels, whose centers are at halves (as torchvision's roi_align with
/// aligned=True). Points more than a pixel outside the map count as 0. Shape: x (B, C, H, W),
/// regions (R, 5) of x's dtype with image, x0, y0, x1, y1 in a row -> (R, C, grid rows, grid
/// columns). Gradient: to x; none to regions. Throws: ShapeError, DTypeError, ConfigError;
/// IndexError for an image that is not there; NumericError for a region that is not finite or has
/// x1 < x0. Source: He et al. 2017 (arXiv 1703.06870), section 3.
Tensor roi_align(const Tensor& x, const Tensor& regions, const RoiAlignOptions& options = {});

}  // namespace weft
