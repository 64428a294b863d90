#include "train/report/compare_page.h"

#include "train/page/embedded.h"
#include "train/page/html.h"
#include "train/report/chart_data.h"
#include "train/report/compare_parts.h"

namespace weft::report {

std::string compare_page(const std::string& results_json) {
  const compare::Results results = compare::read_results(results_json);
  std::string html = page_head(results.suite + ": weft compare", page::kCompareStyle);
  for (const auto part :
       {page::top, page::matrix, page::differences, page::curves, page::costs, page::controls,
        page::methods, page::certificates, page::exploratory, page::runs, page::machine})
    html += part(results);
  html += "<script>";
  html += kChartJs;
  html += "</script>\n<script>\nconst results = ";
  html += for_script(chart_data(results));
  html += ";\n";
  html += page::kCompareScript;
  return html + "</script>\n" + page_end();
}

}  // namespace weft::report
