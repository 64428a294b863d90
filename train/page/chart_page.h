// Charts as one HTML file that needs nothing else: Chart.js (Debian's libjs-chart.js) is built into
// the program and written into the page.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace weft::report {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
  bool thin = false;  ///< in the background: noisy figures
  bool dashed = false;
};

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Series> series;
  bool log_x = false;
  bool log_y = false;
};

struct ChartPage {
  std::string title;
  std::vector<std::string> paragraphs;  ///< plain text, above the charts
  std::vector<Chart> charts;
  std::vector<std::pair<std::string, std::string>>
      texts;  ///< heading and preformatted text, below the charts
};

/// The page as HTML in UTF-8; names and texts are escaped.
std::string to_html(const ChartPage& page);
/// Whole or not at all. Throws IoError.
void write_page(const std::filesystem::path& path, const ChartPage& page);

/// Training and validation loss of a run over its steps, from its metrics.jsonl; long curves are
/// thinned by averaging. Throws IoError.
Chart loss_chart(const std::filesystem::path& run, const std::string& title);

}  // namespace weft::report
