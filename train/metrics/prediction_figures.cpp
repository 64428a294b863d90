#include "train/metrics/prediction_figures.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>

#include "train/metrics/average_precision.h"
#include "train/metrics/ranking.h"

namespace weft::train {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

using Examples = std::vector<std::size_t>;

/// Columns of one figure. `missing` where one is not there.
class Columns {
 public:
  Columns(const Predictions& predictions, const Examples& examples)
      : predictions_(predictions), examples_(examples) {}

  bool has(const char* name) const { return predictions_.find(name) != nullptr; }
  double sum(const char* name) const {
    const std::vector<double>* const column = predictions_.find(name);
    if (column == nullptr) return kNone;
    double all = 0;
    for (const std::size_t i : examples_) all += (*column)[i];
    return all;
  }
  /// The sum of targets, which is that of the examples where each has one.
  double targets() const {
    return has("count") ? sum("count") : static_cast<double>(examples_.size());
  }
  template <class T>
  std::vector<T> take(const char* name) const {
    std::vector<T> part;
    if (const std::vector<double>* const column = predictions_.find(name))
      for (const std::size_t i : examples_) part.push_back(static_cast<T>((*column)[i]));
    return part;
  }
  const Examples& examples() const { return examples_; }

 private:
  const Predictions& predictions_;
  const Examples& examples_;
};

double squared_error(const Columns& c) {
  const auto truths = c.take<double>("truth"), guesses = c.take<double>("guess");
  double all = 0;
  for (std::size_t i = 0; i < truths.size(); ++i)
    all += (guesses[i] - truths[i]) * (guesses[i] - truths[i]);
  return all;
}

double absolute_error(const Columns& c) {
  const auto truths = c.take<double>("truth"), guesses = c.take<double>("guess");
  double all = 0;
  for (std::size_t i = 0; i < truths.size(); ++i) all += std::abs(guesses[i] - truths[i]);
  return all;
}

double r2(const Columns& c) {
  const auto truths = c.take<double>("truth");
  if (truths.empty()) return kNone;
  const double mean =
      std::accumulate(truths.begin(), truths.end(), 0.0) / static_cast<double>(truths.size());
  double spread = 0;
  for (const double truth : truths) spread += (truth - mean) * (truth - mean);
  return spread > 0 ? 1 - squared_error(c) / spread : kNone;
}

double map_of(const Columns& c, bool at_50) {
  const auto rows = c.take<std::int64_t>("row"), labels = c.take<std::int64_t>("label");
  const auto there = c.take<std::int64_t>("object");
  const auto scores = c.take<double>("score"), x0 = c.take<double>("x0"), y0 = c.take<double>("y0"),
             x1 = c.take<double>("x1"), y1 = c.take<double>("y1");
  std::map<std::int64_t, DetectedImage> images;
  std::int64_t classes = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    classes = std::max(classes, labels[i] + 1);
    const nn::Box box{x0[i], y0[i], x1[i], y1[i]};
    if (there[i] != 0)
      images[rows[i]].objects.push_back({.box = box, .label = labels[i]});
    else
      images[rows[i]].detections.push_back({.box = box, .label = labels[i], .score = scores[i]});
  }
  std::vector<DetectedImage> all;
  for (auto& [row, image] : images) all.push_back(std::move(image));
  const MeanAveragePrecision precision = mean_average_precision(all, classes);
  return at_50 ? precision.at_50 : precision.at_50_95;
}

/// Examples of each row, rows in their order.
std::map<double, Examples> rows_of(const Predictions& predictions) {
  std::map<double, Examples> rows;
  const std::vector<double>* const row = predictions.find("row");
  for (std::size_t i = 0; row != nullptr && i < row->size(); ++i) rows[(*row)[i]].push_back(i);
  return rows;
}

}  // namespace

double figure_of(const Predictions& predictions, const std::string& figure,
                 const Examples& examples) {
  const Columns c(predictions, examples);
  if (examples.empty()) return kNone;
  const auto count = static_cast<double>(examples.size());
  if (figure == "loss") return c.sum("loss") / c.targets();
  if (figure == "bits_per_byte") return c.sum("loss") / (std::numbers::ln2 * c.sum("bytes"));
  if (figure == "accuracy") return c.sum("right") / c.targets();
  if (figure == "exact") return c.sum("exact") / count;
  if (figure == "synonyms") return c.sum("found") / count;
  if (figure == "mse" && c.has("truth")) return squared_error(c) / count;
  if (figure == "rmse" && c.has("truth")) return std::sqrt(squared_error(c) / count);
  if (figure == "mae" && c.has("truth")) return absolute_error(c) / count;
  if (figure == "r2" && c.has("truth")) return r2(c);
  if (figure == "ece" && c.has("confidence"))
    return calibration_error(c.take<double>("confidence"), c.take<bool>("right"));
  if (figure == "f1" && c.has("positive"))
    return f1_score(c.take<std::int64_t>("guess"), c.take<std::int64_t>("truth"),
                    c.take<std::int64_t>("positive").front());
  if (figure == "macro_f1" && c.has("truth")) {
    const std::vector<double>& truths = *predictions.find("truth");
    const auto classes = static_cast<std::int64_t>(*std::max_element(truths.begin(), truths.end()));
    return macro_f1_score(c.take<std::int64_t>("guess"), c.take<std::int64_t>("truth"),
                          classes + 1);
  }
  if (figure == "auc" && (c.has("clicked") || c.has("is_positive")))
    return auc(c.take<double>("score"), c.take<bool>(c.has("clicked") ? "clicked" : "is_positive"));
  if (figure == "gauc" && c.has("clicked"))
    return grouped_auc(c.take<double>("score"), c.take<bool>("clicked"),
                       c.take<std::int64_t>("row"));
  if ((figure == "map50" || figure == "map") && c.has("object"))
    return map_of(c, figure == "map50");
  return kNone;
}

std::vector<double> row_pseudo_values(const Predictions& predictions, const std::string& figure) {
  const std::map<double, Examples> rows = rows_of(predictions);
  if (rows.size() < 2) return {};
  Examples all;
  for (const auto& [row, examples] : rows) all.insert(all.end(), examples.begin(), examples.end());
  const double whole = figure_of(predictions, figure, all);
  if (!std::isfinite(whole)) return {};
  const std::size_t groups = std::min(rows.size(), kMostRowGroups);
  std::vector<Examples> parts(groups);
  std::size_t number = 0;
  for (const auto& [row, examples] : rows) {
    Examples& part = parts[number++ * groups / rows.size()];
    part.insert(part.end(), examples.begin(), examples.end());
  }
  std::vector<double> values;
  for (std::size_t g = 0; g < groups; ++g) {
    Examples others;
    others.reserve(all.size());
    for (std::size_t other = 0; other < groups; ++other)
      if (other != g) others.insert(others.end(), parts[other].begin(), parts[other].end());
    const double without = figure_of(predictions, figure, others);
    if (!std::isfinite(without)) return {};
    const auto count = static_cast<double>(groups);
    values.push_back(count * whole - (count - 1) * without);
  }
  return values;
}

std::size_t count_rows(const Predictions& predictions) { return rows_of(predictions).size(); }

}  // namespace weft::train
