#include "train/explain/heat_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/page/html.h"

namespace weft::explain {
namespace {

constexpr double kDeep = 0.72;  // from here on white ink reads better

}  // namespace

std::string heat_color(double share) {
  return fmt::format("rgb({} / {:.3f})", share < 0 ? "191 82 20" : "45 105 210",
                     0.12 + 0.88 * std::min(1.0, std::abs(share)));
}

std::string matrix_table(const NamedMatrix& matrix) {
  const NumberFormat format(matrix);
  const auto values = matrix.values.to_vector<double>();
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  std::string html = fmt::format("<table class=\"matrix\"><caption>{}</caption>\n<tr><td></td>",
                                 report::escape_html(matrix.title));
  for (const std::string& name : matrix.columns)
    html += fmt::format("<th scope=\"col\">{}</th>", report::escape_html(name));
  html += "</tr>\n";
  for (std::size_t r = 0; r < matrix.rows.size(); ++r) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", report::escape_html(matrix.rows[r]));
    for (std::size_t c = 0; c < matrix.columns.size(); ++c) {
      const double value = values[r * matrix.columns.size() + c];
      if (std::abs(value) <= matrix.zero_below || value == 0)
        html += "<td class=\"zero\">0</td>";
      else
        html += fmt::format("<td{} style=\"background:{}\">{}</td>",
                            std::abs(value) > kDeep * largest ? " class=\"deep\"" : "",
                            heat_color(value / largest), format(value));
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

}  // namespace weft::explain
