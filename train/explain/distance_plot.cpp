#include "train/explain/distance_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/page/html.h"

namespace weft::explain {
namespace {

constexpr double kWidth = 720, kHeight = 320, kLeft = 52, kRight = 210, kTop = 16, kBottom = 44;
constexpr double kLabelGap = 15;  // between the names of two lines

/// A round distance between ticks, so that there are about five.
double tick_step(double most) {
  const double rough = most / 5, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) return factor * power;
  return 10 * power;
}

}  // namespace

std::string distance_plot(const HeadDistances& distances,
                          const std::vector<std::pair<std::string, double>>& marks) {
  double most = 1e-9;
  for (const auto& layer : distances.mean)
    for (const double d : layer) most = std::max(most, d);
  for (const auto& [name, value] : marks) most = std::max(most, value);
  most *= 1.08;
  const auto y = [&](double value) {
    return kTop + (1 - value / most) * (kHeight - kTop - kBottom);
  };
  const double plot = kWidth - kLeft - kRight;
  const auto x = [&](std::size_t layer) {
    return kLeft +
           plot * (static_cast<double>(layer) + 0.5) / static_cast<double>(distances.mean.size());
  };

  std::string svg = fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Mean attention distance "
      "in {} by layer, a dot for each head\">\n",
      kWidth, kHeight, distances.unit);
  const double step = tick_step(most);
  for (double value = 0; value <= most; value += step)
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/><text x=\"{}\" "
        "y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>\n",
        kLeft, kWidth - kRight, y(value), y(value), kLeft - 8, y(value) + 4, value);
  const std::size_t every = (distances.mean.size() + 23) / 24;
  for (std::size_t layer = 0; layer < distances.mean.size(); layer += every)
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x(layer),
                       kHeight - kBottom + 18, layer + 1);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">layer</text>\n",
                     kLeft + plot / 2, kHeight - 6);
  svg += fmt::format(
      "<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      (kTop + kHeight - kBottom) / 2, distances.unit);

  // The names stand at the lines' heights, pushed apart from the top where lines are close.
  auto sorted = marks;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  double label = 0;
  for (const auto& [name, value] : sorted) {
    label = std::max(y(value) + 4, label + kLabelGap);
    svg += fmt::format(
        "<line class=\"mark\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/><text x=\"{}\" "
        "y=\"{:.1f}\">{} ({:.1f})</text>\n",
        kLeft, kWidth - kRight, y(value), y(value), kWidth - kRight + 8, label,
        report::escape_html(name), value);
  }
  const double spread = std::min(40.0, plot / static_cast<double>(distances.mean.size()) * 0.6);
  for (std::size_t layer = 0; layer < distances.mean.size(); ++layer) {
    const auto& heads = distances.mean[layer];
    for (std::size_t h = 0; h < heads.size(); ++h) {
      const double shift =
          heads.size() > 1
              ? spread * (static_cast<double>(h) / static_cast<double>(heads.size() - 1) - 0.5)
              : 0;
      svg += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\"><title>layer {}, head {}: {:.2f} "
          "{}</title></circle>\n",
          x(layer) + shift, y(heads[h]), layer + 1, h + 1, heads[h], distances.unit);
    }
  }
  return svg + "</svg>\n";
}

}  // namespace weft::explain
