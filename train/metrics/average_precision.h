// Mean average precision of detections, by the definition of COCO.
#pragma once

#include <vector>

#include "nn/boxes.h"

namespace weft::train {

/// What a detector saw in one image, and what is there.
struct DetectedImage {
  std::vector<nn::Detection> detections;
  std::vector<nn::BoxTarget> objects;
};

struct MeanAveragePrecision {
  double at_50 = 0;                ///< objects count as found at an IoU of 0.5
  double at_50_95 = 0;             ///< mean over 0.5, 0.55, ..., 0.95
  std::vector<double> of_class{};  ///< at 0.5; NaN for a class that no image holds
};

/// As pycocotools' COCOeval computes it (no crowds, all areas, at most 100 detections an image): in
/// each image detections by falling score take the free object of their class that they overlap
/// most; over all images precision, made never rising with recall, is read at recall 0, 0.01, ...,
/// 1; the mean of these 101, over the classes that there are objects of. NaN without any object.
/// Source: Lin et al. 2014 (arXiv 1405.0312) and its evaluation code.
MeanAveragePrecision mean_average_precision(const std::vector<DetectedImage>& images,
                                            std::int64_t classes);

/// Average precision of one class at one IoU; NaN where there is no object of it.
double average_precision(const std::vector<DetectedImage>& images, std::int64_t label, double iou);

}  // namespace weft::train
