#include "nn/boxes.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/math.h"
#include "core/shape_only.h"
#include "nn/trace.h"

namespace weft::nn {
namespace {

double common_area(const Box& a, const Box& b) {
  return std::max(0.0, std::min(a.x1, b.x1) - std::max(a.x0, b.x0)) *
         std::max(0.0, std::min(a.y1, b.y1) - std::max(a.y0, b.y0));
}

bool is_finite(const Box& box) {
  return std::isfinite(box.x0) && std::isfinite(box.y0) && std::isfinite(box.x1) &&
         std::isfinite(box.y1);
}

}  // namespace

double box_iou(const Box& a, const Box& b) {
  const double common = common_area(a, b), all = a.area() + b.area() - common;
  return all > 0 ? common / all : 0;
}

double box_giou(const Box& a, const Box& b) {
  const double common = common_area(a, b), all = a.area() + b.area() - common;
  const double hull =
      (std::max(a.x1, b.x1) - std::min(a.x0, b.x0)) * (std::max(a.y1, b.y1) - std::min(a.y0, b.y0));
  return (all > 0 ? common / all : 0) - (hull > 0 ? (hull - all) / hull : 0);
}

Box clip_box(const Box& b, double height, double width) {
  return {std::clamp(b.x0, 0.0, width), std::clamp(b.y0, 0.0, height), std::clamp(b.x1, 0.0, width),
          std::clamp(b.y1, 0.0, height)};
}

std::array<double, 4> encode_box(const Box& anchor, const Box& box,
                                 const std::array<double, 4>& w) {
  return {w[0] * ((box.x0 + box.x1) - (anchor.x0 + anchor.x1)) / (2 * anchor.width()),
          w[1] * ((box.y0 + box.y1) - (anchor.y0 + anchor.y1)) / (2 * anchor.height()),
          w[2] * math::log(box.width() / anchor.width()),
          w[3] * math::log(box.height() / anchor.height())};
}

Box decode_box(const Box& anchor, const std::array<double, 4>& code,
               const std::array<double, 4>& w) {
  const double most = math::log(1000.0 / 16);
  const double x = (anchor.x0 + anchor.x1) / 2 + code[0] / w[0] * anchor.width(),
               y = (anchor.y0 + anchor.y1) / 2 + code[1] / w[1] * anchor.height();
  const double width = anchor.width() * math::exp(std::min(code[2] / w[2], most)),
               height = anchor.height() * math::exp(std::min(code[3] / w[3], most));
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

std::vector<std::int64_t> non_maximum_suppression(const std::vector<Box>& boxes,
                                                  const std::vector<double>& scores,
                                                  double threshold, std::int64_t limit) {
  if (boxes.size() != scores.size())
    fail<ShapeError>("non_maximum_suppression", "{} boxes and {} scores", boxes.size(),
                     scores.size());
  if (std::isnan(threshold))
    fail<ConfigError>("non_maximum_suppression", "the threshold is not a number");
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    if (!std::isnan(scores[i]) && is_finite(boxes[i]))
      order.push_back(static_cast<std::int64_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  std::vector<std::int64_t> kept;
  for (const std::int64_t i : order) {
    if (static_cast<std::int64_t>(kept.size()) >= limit) break;
    const bool is_new = std::none_of(kept.begin(), kept.end(), [&](std::int64_t k) {
      return box_iou(boxes[static_cast<std::size_t>(i)], boxes[static_cast<std::size_t>(k)]) >
             threshold;
    });
    if (is_new) kept.push_back(i);
  }
  return kept;
}

std::vector<std::vector<BoxTarget>> box_targets(const Tensor& boxes, std::int64_t height,
                                                std::int64_t width, std::int64_t classes,
                                                std::string_view where) {
  if (boxes.rank() != 3 || boxes.size(2) != 5)
    fail<ShapeError>(where, "boxes {} must be (B, M, 5): label, x0, y0, x1, y1",
                     boxes.shape().str());
  if (!is_float(boxes.dtype()))
    fail<DTypeError>(where, "expects boxes as f32 or f64, got {}", name(boxes.dtype()));
  if (shape_only()) {
    take_bound("detector: every picture holds as many objects as there is room for");
    const BoxTarget any{{0, 0, static_cast<double>(width), static_cast<double>(height)}, 0};
    return std::vector(static_cast<std::size_t>(boxes.size(0)),
                       std::vector(static_cast<std::size_t>(boxes.size(1)), any));
  }
  const std::vector<double> rows = boxes.to_vector<double>();
  std::vector<std::vector<BoxTarget>> all(static_cast<std::size_t>(boxes.size(0)));
  for (std::int64_t b = 0; b < boxes.size(0); ++b)
    for (std::int64_t i = 0; i < boxes.size(1); ++i) {
      const double* const row = rows.data() + (b * boxes.size(1) + i) * 5;
      if (row[0] == -1) continue;
      if (!(row[0] >= 0 && row[0] < static_cast<double>(classes)) || row[0] != std::floor(row[0]))
        fail<IndexError>(
            where, "label {} of box {} of image {} is not a class: there are {}, counted from 0",
            row[0], i, b, classes);
      const Box box{row[1], row[2], row[3], row[4]};
      if (!is_finite(box))
        fail<NumericError>(where, "box {} of image {} is not finite: ({}, {}, {}, {})", i, b,
                           box.x0, box.y0, box.x1, box.y1);
      if (box.x1 <= box.x0 || box.y1 <= box.y0)
        fail<NumericError>(
            where, "box {} of image {} has no area: ({}, {}, {}, {}); expects x0 < x1 and y0 < y1",
            i, b, box.x0, box.y0, box.x1, box.y1);
      if (box.x0 < 0 || box.y0 < 0 || box.x1 > static_cast<double>(width) ||
          box.y1 > static_cast<double>(height))
        fail<NumericError>(
            where, "box {} of image {} lies outside the image of {} x {} pixels: ({}, {}, {}, {})",
            i, b, width, height, box.x0, box.y0, box.x1, box.y1);
      all[static_cast<std::size_t>(b)].push_back({box, static_cast<std::int64_t>(row[0])});
    }
  return all;
}

std::vector<std::int64_t> assign_least_cost(const std::vector<double>& costs, std::int64_t rows,
                                            std::int64_t columns) {
  if (rows > columns)
    fail<ShapeError>("assign_least_cost", "{} rows are more than {} columns", rows, columns);
  if (static_cast<std::int64_t>(costs.size()) != rows * columns)
    fail<ShapeError>("assign_least_cost", "{} costs are not {} x {}", costs.size(), rows, columns);
  for (const double cost : costs)
    if (!std::isfinite(cost)) fail<NumericError>("assign_least_cost", "a cost is {}", cost);
  // Rows join one by one. Potentials u and v keep every reduced cost c - u - v at 0 or above, and
  // at 0 where a row has its column; the shortest path of reduced costs from the new row to a free
  // column says who changes columns. Row and column 0 stand for "none yet".
  const auto n = static_cast<std::size_t>(rows), m = static_cast<std::size_t>(columns);
  std::vector<double> u(n + 1, 0), v(m + 1, 0);
  std::vector<std::size_t> row_of(m + 1, 0), came_from(m + 1, 0);
  for (std::size_t row = 1; row <= n; ++row) {
    std::vector<double> distance(m + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> done(m + 1, false);
    std::size_t column = 0;
    row_of[0] = row;
    do {
      done[column] = true;
      const std::size_t at = row_of[column];
      double least = std::numeric_limits<double>::infinity();
      std::size_t next = 0;
      for (std::size_t j = 1; j <= m; ++j) {
        if (done[j]) continue;
        const double reduced = costs[(at - 1) * m + j - 1] - u[at] - v[j];
        if (reduced < distance[j]) distance[j] = reduced, came_from[j] = column;
        if (distance[j] < least) least = distance[j], next = j;
      }
      for (std::size_t j = 0; j <= m; ++j) {
        if (done[j])
          u[row_of[j]] += least, v[j] -= least;
        else
          distance[j] -= least;
      }
      column = next;
    } while (row_of[column] != 0);
    while (column != 0) {
      row_of[column] = row_of[came_from[column]];
      column = came_from[column];
    }
  }
  std::vector<std::int64_t> chosen(n, 0);
  for (std::size_t j = 1; j <= m; ++j)
    if (row_of[j] != 0) chosen[row_of[j] - 1] = static_cast<std::int64_t>(j - 1);
  return chosen;
}

}  // namespace weft::nn
