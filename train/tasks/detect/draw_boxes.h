// Boxes drawn into pictures.
#pragma once

#include <vector>

#include "nn/boxes.h"

namespace weft::train {

/// image (1, H, W) u8, enlarged `scale` times, as (3, H, W) with each detection as a frame in its
/// class's color and its class above (below, where there is no room), and each of `objects`, what
/// really is there, as a dotted white frame. Throws ShapeError, DTypeError.
Tensor draw_boxes(const Tensor& image, const std::vector<nn::Detection>& detections,
                  const std::vector<nn::BoxTarget>& objects, std::int64_t scale = 4);

}  // namespace weft::train
