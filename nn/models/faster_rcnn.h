// Faster R-CNN: regions are proposed from a map of features, then read from it and named.
#pragma once

#include <vector>

#include "core/random.h"
#include "nn/backbone.h"
#include "nn/conv2d.h"
#include "nn/detector.h"
#include "nn/linear.h"

namespace weft::nn {

struct FasterRcnnConfig {
  std::int64_t n_class = 10;
  std::int64_t image_height = 96;
  std::int64_t image_width = 96;
  std::int64_t channels = 1;
  std::int64_t hidden = 128;  ///< of the head that names regions
  std::int64_t grid = 6;      ///< cells of a region, each way

  std::vector<double> anchor_heights{16, 24, 36};
  std::vector<double> anchor_ratios{1, 1.6, 3.2};  ///< height over width: digits stand upright

  // Numbers of the paper, section 3.1.2 and 3.3, scaled to small images where they are counts.
  double positive_iou =
      0.7;  ///< an anchor that overlaps an object so much is one; so is every object's best anchor
  double negative_iou =
      0.3;  ///< one that overlaps none so much is background; those between count for nothing
  std::int64_t anchors_per_image =
      64;  ///< that the proposal network's loss is made of, at most half of them objects
  std::int64_t regions_per_image =
      32;  ///< that the head is trained on, at most half of them objects
  double proposal_nms = 0.7;
  std::int64_t proposals_before_nms = 300;
  std::int64_t proposals_training = 64;
  std::int64_t proposals_testing = 48;
  double object_iou = 0.5;  ///< a region that overlaps an object so much is one
  double score_threshold = 0.05;
  double detection_nms = 0.5;
  std::int64_t detections_per_image = 50;

  /// Throws ConfigError.
  void validate() const;
  /// Anchors per location.
  std::int64_t n_anchor() const {
    return static_cast<std::int64_t>(anchor_heights.size() * anchor_ratios.size());
  }
};

/// The region proposal network: a 3 x 3 convolution, then for each anchor whether it is an object,
/// and where that lies from it. Source: Ren et al. 2015 (arXiv 1506.01497), section 3.1.
class RpnHead : public Module {
 public:
  RpnHead(std::int64_t features, std::int64_t anchors);

  struct Output {
    Tensor logits;  ///< (B H W A,)
    Tensor codes;   ///< (B H W A, 4)
  };
  /// Shape: (B, features, H, W), anchors of a place last. Throws: ShapeError.
  Output forward(const Tensor& map) const;

 private:
  std::int64_t anchors_;
  Child<Conv2d> conv;
  Child<Conv2d> cls_logits;
  Child<Conv2d> bbox_pred;
};

/// Two hidden layers over a region's grid, then its class (0: background) and a box for each class.
/// Source: Girshick 2015 (arXiv 1504.08083), section 2.
class BoxHead : public Module {
 public:
  BoxHead(std::int64_t inputs, std::int64_t hidden, std::int64_t n_class);

  struct Output {
    Tensor logits;  ///< (R, n_class + 1)
    Tensor codes;   ///< (R, n_class, 4)
  };
  /// Shape: regions (R, ...) of `inputs` elements each. Throws: ShapeError.
  Output forward(const Tensor& regions) const;

 private:
  std::int64_t n_class_;
  Child<Linear> fc6;
  Child<Linear> fc7;
  Child<Linear> cls_score;
  Child<Linear> bbox_pred;
};

/// The losses of one batch; what is trained is their sum.
struct FasterRcnnLosses {
  Tensor objectness, proposal_boxes, classes, boxes;
};

/// Anchors at every place of the map are scored and moved (RpnHead), the best that do not overlap
/// are read by RoIAlign and named (BoxHead). Anchors and regions that the losses are made of are
/// drawn from the stream `regions` of this thread; in evaluation always alike. Source: Ren et al.
/// 2015 (arXiv 1506.01497); RoIAlign: He et al. 2017 (arXiv 1703.06870); the smooth L1 of proposals
/// bends at 1/9, as in torchvision.
class FasterRcnn : public Detector {
 public:
  FasterRcnn(const FasterRcnnConfig& config, std::unique_ptr<Backbone> backbone);

  Tensor loss(const Tensor& images, const Tensor& boxes) const override;
  /// The terms that loss() is the sum of.
  FasterRcnnLosses losses(const Tensor& images, const Tensor& boxes) const;
  std::vector<std::vector<Detection>> detect(const Tensor& images) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const FasterRcnnConfig& config() const { return config_; }    ///< as it was built
  const std::vector<Box>& anchors() const { return anchors_; }  ///< place by place, row by row

 private:
  std::vector<std::vector<Box>> propose(const RpnHead::Output& rpn, std::int64_t batch,
                                        std::int64_t most) const;
  BoxHead::Output read(const Tensor& map, const std::vector<std::vector<Box>>& regions) const;

  FasterRcnnConfig config_;
  Child<Backbone> backbone;
  Child<RpnHead> rpn;
  Child<BoxHead> roi_heads;
  std::vector<Box> anchors_;
};

}  // namespace weft::nn
