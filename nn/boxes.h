// Boxes around objects: overlap, coding against anchors, suppression of doubles, and what detectors
// are told and tell.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace weft::nn {

/// In pixels, from x0 to x1: a box of one pixel at the origin is (0, 0, 1, 1).
struct Box {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;

  double width() const { return x1 - x0; }            ///< x1 - x0
  double height() const { return y1 - y0; }           ///< y1 - y0
  double area() const { return width() * height(); }  ///< width times height
};

/// An object that is there.
struct BoxTarget {
  Box box;
  std::int64_t label = 0;
};

/// An object that a detector sees.
struct Detection {
  Box box;
  std::int64_t label = 0;
  double score = 0;
};

/// Intersection over union; 0 where both have no area.
double box_iou(const Box& a, const Box& b);
/// IoU less the share of the smallest enclosing box that neither covers, in (-1, 1]. Source:
/// Rezatofighi et al. 2019 (arXiv 1902.09630), algorithm 1.
double box_giou(const Box& a, const Box& b);
/// The box, cut to an image of that size.
Box clip_box(const Box& box, double height, double width);

/// (dx, dy, dw, dh) of a box as seen from an anchor: shift of the center in the anchor's sizes,
/// logarithms of the ratios of sizes; each times its weight. Source: Girshick et al. 2014 (arXiv
/// 1311.2524), appendix C, eq. 6 to 9; Ren et al. 2015 (arXiv 1506.01497), eq. 2.
std::array<double, 4> encode_box(const Box& anchor, const Box& box,
                                 const std::array<double, 4>& weights = {1, 1, 1, 1});
/// The inverse; sizes grow at most 62.5-fold (as in torchvision), so that early guesses stay
/// finite.
Box decode_box(const Box& anchor, const std::array<double, 4>& code,
               const std::array<double, 4>& weights = {1, 1, 1, 1});

/// Indices of boxes by falling score, without those that overlap a better one by more than
/// `threshold`; at most `limit`. Equal scores: the first wins. A box whose score is NaN, or with a
/// corner that is not finite, is not kept and suppresses none. Throws ShapeError for other numbers
/// of boxes and scores, ConfigError for a threshold that is NaN.
std::vector<std::int64_t> non_maximum_suppression(const std::vector<Box>& boxes,
                                                  const std::vector<double>& scores,
                                                  double threshold, std::int64_t limit);

/// The objects of each image from a tensor (B, M, 5) with label, x0, y0, x1, y1 in a row; rows of
/// label -1 are none. Throws, naming image and row: IndexError for a label that is no class,
/// NumericError for a box that is not finite, has no area or lies outside an image of height x
/// width; ShapeError, DTypeError.
std::vector<std::vector<BoxTarget>> box_targets(const Tensor& boxes, std::int64_t height,
                                                std::int64_t width, std::int64_t classes,
                                                std::string_view where);

/// For each row of a cost matrix (rows, columns), rows <= columns, the column that it is given, so
/// that the sum of costs is least: the Hungarian method in the form of shortest augmenting paths,
/// O(rows^2 columns). Throws ShapeError for more rows than columns, NumericError for a cost that is
/// not finite. Source: Kuhn 1955 (Naval Research Logistics Quarterly 2); Jonker and Volgenant 1987
/// (Computing 38).
std::vector<std::int64_t> assign_least_cost(const std::vector<double>& costs, std::int64_t rows,
                                            std::int64_t columns);

}  // namespace weft::nn
