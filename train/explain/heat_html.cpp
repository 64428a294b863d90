#include "train/explain/heat_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/page/html.h"

namespace weft::explain {
namespace {

constexpr double kDeep = 0.72;  // from here on white ink reads better

}  // namespace

const char* const kHeatStyle = R"css(
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
.conclusion { color: var(--ink); border-left: 3px solid rgb(45 105 210); padding-left: .9rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .2rem; white-space: nowrap; }
.matrix th { font-weight: 400; color: var(--dim); padding: .1rem .45rem; white-space: nowrap; text-align: right; }
.matrix td { text-align: right; padding: .15rem .45rem; border: 1px solid var(--paper); min-width: 2.2rem; white-space: nowrap; }
.matrix td.deep { color: #fff; } .matrix td.zero { color: var(--dim); }
.matrix .edge { border-left: 3px solid var(--paper); } .matrix tr.edge td, .matrix tr.edge th { border-top: 5px solid var(--paper); }
.plain th, .plain td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right; }
.plain th:first-child { text-align: left; font-weight: 400; white-space: nowrap; } .plain thead th { color: var(--dim); font-weight: 400;
    vertical-align: bottom; }
.wide { overflow-x: auto; }
.matrices { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; margin: .8rem 0; overflow-x: auto; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; vertical-align: -1px; }
.key.plus { background: rgb(45 105 210 / .8); } .key.minus { background: rgb(191 82 20 / .8); }
#maps { display: grid; grid-template-columns: repeat(var(--across, 4), minmax(0, 1fr)); gap: .8rem; }
#maps button { font: inherit; font-size: .8rem; line-height: 1.35; color: var(--ink); background: none; border: 1px solid var(--line);
    border-radius: 6px; padding: .7rem; text-align: left; cursor: pointer; }
#maps button[aria-pressed=true] { border-color: rgb(45 105 210); box-shadow: 0 0 0 1px rgb(45 105 210); }
#maps canvas { display: block; width: 100%; margin-bottom: .5rem; image-rendering: pixelated; }
#detail canvas { max-width: 100%; width: 40rem; display: block; }
@media (max-width: 640px) { #maps { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media print { #maps button { break-inside: avoid; } .matrices, table { break-inside: avoid; } body { margin: 0; max-width: none; } }
)css";

const char* const kHeatScript = R"js(
const heat = share => 'rgb(' + (share < 0 ? '191 82 20' : '45 105 210') + ' / ' + (0.12 + 0.88 * Math.min(1, Math.abs(share))).toFixed(3) + ')';
)js";

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
