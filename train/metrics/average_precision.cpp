#include "train/metrics/average_precision.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::train {
namespace {

constexpr std::size_t kMostDetections = 100;

struct Hit {
  double score;
  bool found;
};

/// By falling score; what has none (NaN) comes last, as in COCO's own code.
bool is_better(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a > b; }

std::vector<nn::Detection> best_first(const DetectedImage& image, std::int64_t label) {
  std::vector<nn::Detection> own;
  for (const nn::Detection& detection : image.detections)
    if (detection.label == label) own.push_back(detection);
  std::stable_sort(own.begin(), own.end(),
                   [](const auto& a, const auto& b) { return is_better(a.score, b.score); });
  if (own.size() > kMostDetections) own.resize(kMostDetections);
  return own;
}

}  // namespace

double average_precision(const std::vector<DetectedImage>& images, std::int64_t label, double iou) {
  std::vector<Hit> hits;
  std::size_t objects = 0;
  for (const DetectedImage& image : images) {
    std::vector<nn::Box> there;
    for (const nn::BoxTarget& object : image.objects)
      if (object.label == label) there.push_back(object.box);
    objects += there.size();
    std::vector<bool> taken(there.size(), false);
    for (const nn::Detection& detection : best_first(image, label)) {
      double best = std::min(iou, 1 - 1e-10);
      std::size_t match = there.size();
      for (std::size_t i = 0; i < there.size(); ++i) {
        const double overlap = taken[i] ? -1 : nn::box_iou(detection.box, there[i]);
        if (overlap >= best) best = overlap, match = i;
      }
      if (match < there.size()) taken[match] = true;
      hits.push_back({detection.score, match < there.size()});
    }
  }
  if (objects == 0) return std::numeric_limits<double>::quiet_NaN();
  std::stable_sort(hits.begin(), hits.end(),
                   [](const Hit& a, const Hit& b) { return is_better(a.score, b.score); });
  std::vector<double> recall, precision;
  double right = 0;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    right += hits[i].found ? 1 : 0;
    recall.push_back(right / static_cast<double>(objects));
    precision.push_back(right / static_cast<double>(i + 1));
  }
  for (std::size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  double sum = 0;
  for (int point = 0; point <= 100; ++point) {
    const auto at =
        std::lower_bound(recall.begin(), recall.end(), static_cast<double>(point) / 100);
    if (at != recall.end()) sum += precision[static_cast<std::size_t>(at - recall.begin())];
  }
  return sum / 101;
}

MeanAveragePrecision mean_average_precision(const std::vector<DetectedImage>& images,
                                            std::int64_t classes) {
  MeanAveragePrecision result;
  double total = 0;
  for (int step = 0; step < 10; ++step) {
    double sum = 0;
    int known = 0;
    for (std::int64_t label = 0; label < classes; ++label) {
      const double own = average_precision(images, label, 0.5 + 0.05 * step);
      if (step == 0) result.of_class.push_back(own);
      if (std::isnan(own)) continue;
      sum += own;
      ++known;
    }
    const double mean = known > 0 ? sum / known : std::numeric_limits<double>::quiet_NaN();
    if (step == 0) result.at_50 = mean;
    total += mean;
  }
  result.at_50_95 = total / 10;
  return result;
}

}  // namespace weft::train
