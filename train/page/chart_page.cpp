#include "train/page/chart_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/io/file.h"
#include "train/page/embedded.h"
#include "train/page/html.h"

namespace weft::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostPoints = 400;

constexpr const char* kStyle = ".chart { position: relative; height: 22rem; }\n";

Json to_json(const Chart& chart) {
  Json series = Json::array();
  for (const Series& one : chart.series) {
    Json points = Json::array();
    for (const auto& [x, y] : one.points) {
      if (std::isfinite(x) && std::isfinite(y)) points.push_back({x, y});
    }
    series.push_back({{"name", one.name},
                      {"points", std::move(points)},
                      {"thin", one.thin},
                      {"dashed", one.dashed}});
  }
  return {{"x_label", chart.x_label},
          {"y_label", chart.y_label},
          {"log_x", chart.log_x},
          {"log_y", chart.log_y},
          {"series", std::move(series)}};
}

/// Means of consecutive groups, so that at most kMostPoints are left.
std::vector<std::pair<double, double>> thinned(
    const std::vector<std::pair<double, double>>& points) {
  const std::size_t group = (points.size() + kMostPoints - 1) / kMostPoints;
  if (group <= 1) return points;
  std::vector<std::pair<double, double>> result;
  for (std::size_t begin = 0; begin < points.size(); begin += group) {
    const std::size_t end = std::min(points.size(), begin + group);
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += points[i].second;
    result.emplace_back(points[end - 1].first, sum / static_cast<double>(end - begin));
  }
  return result;
}

}  // namespace

std::string to_html(const ChartPage& page) {
  std::string html = page_begin(page.title, kStyle);
  for (const std::string& paragraph : page.paragraphs)
    html += fmt::format("<p>{}</p>\n", escape_html(paragraph));
  Json charts = Json::array();
  for (std::size_t i = 0; i < page.charts.size(); ++i) {
    html += fmt::format(
        "<h2>{}</h2>\n<div class=\"chart\"><canvas id=\"chart{}\" role=\"img\" "
        "aria-label=\"{}\"></canvas></div>\n",
        escape_html(page.charts[i].title), i, escape_html(page.charts[i].title));
    charts.push_back(to_json(page.charts[i]));
  }
  for (const auto& [heading, text] : page.texts)
    html += fmt::format("<h2>{}</h2>\n<pre>{}</pre>\n", escape_html(heading), escape_html(text));
  html += "<script>";
  html += kChartJs;
  html += "</script>\n<script>\nconst charts = ";
  html += for_script(charts.dump(-1, ' ', false, Json::error_handler_t::replace));
  html += ";\n";
  html += kChartsScript;
  return html + "</script>\n" + page_end();
}

void write_page(const std::filesystem::path& path, const ChartPage& page) {
  write_file(path.string(), to_html(page));
}

Chart loss_chart(const std::filesystem::path& run, const std::string& title) {
  Series training{.name = "training", .points = {}, .thin = true};
  Series validation{.name = "validation", .points = {}};
  const std::string text = read_file((run / "metrics.jsonl").string());
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const Json json = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                  text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    begin = end + 1;
    if (!json.is_object() || !json.contains("step") || !json["step"].is_number()) continue;
    const double step = json["step"].get<double>();
    if (json.contains("train_loss") && json["train_loss"].is_number())
      training.points.emplace_back(step, json["train_loss"].get<double>());
    if (json.contains("val_loss") && json["val_loss"].is_number())
      validation.points.emplace_back(step, json["val_loss"].get<double>());
  }
  training.points = thinned(training.points);
  return {.title = title,
          .x_label = "step",
          .y_label = "loss (nats)",
          .series = {std::move(training), std::move(validation)}};
}

}  // namespace weft::report
