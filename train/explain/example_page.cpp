// The worked example as one HTML file.
#include <fmt/format.h>

#include "train/explain/embedded.h"
#include "train/explain/example_names.h"
#include "train/explain/heat_html.h"
#include "train/explain/worked_example.h"
#include "train/page/html.h"

namespace weft::explain {
namespace {

constexpr std::int64_t kWidestTable = 12;

std::string counts_table(const Example& example) {
  std::string html =
      "<div class=\"wide\"><table class=\"plain\"><thead><tr><th scope=\"col\">W<sub>Q</sub>, "
      "W<sub>K</sub>, W<sub>V</sub></th><th "
      "scope=\"col\">same token</th>"
      "<th scope=\"col\">other tokens</th><th scope=\"col\">weights held constant</th><th "
      "scope=\"col\">largest, i ≠ j</th><th "
      "scope=\"col\">largest, i = j</th></tr></thead><tbody>\n";
  const auto share = [](const CrossCount& count) {
    return fmt::format("{} of {}", count.nonzero, count.of);
  };
  for (const Arm& arm : example.arms)
    html += fmt::format(
        "<tr><th "
        "scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{:.4f}</td><td>{:.4f}</td></"
        "tr>\n",
        arm.name(), share(arm.whole.within), share(arm.whole.between), share(arm.frozen.cross()),
        arm.whole.largest_cross, arm.whole.largest_same);
  return html + "</tbody></table></div>\n";
}

std::string products_tables(const Example& example) {
  std::string html = "<div class=\"matrices\">\n";
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= example.tokens.x.size(1); ++i) names.push_back(std::to_string(i));
  for (const Products& products : example.products)
    html += matrix_table({.title = fmt::format("{}: {} of {}", to_name(products.mixing),
                                               products.cross.nonzero, products.cross.of),
                          .rows = names,
                          .columns = names,
                          .values = products.sizes,
                          .zero_below = zero_below(products.sizes)});
  return html + "</div>\n";
}

}  // namespace

std::string to_html(const Example& example) {
  std::string html = report::page_begin("Does dimension 1 meet only dimension 1?", kHeatStyle);
  const bool small =
      example.tokens.x.size(0) <= kWidestTable && example.tokens.x.size(1) <= kWidestTable;
  html += fmt::format(
      "<p>{}. The layer and nothing else: no norm, no residual, no output projection. All figures "
      "by automatic differentiation in f64.</p>\n",
      report::escape_html(example_title(example)));
  html += fmt::format("<p class=\"conclusion\">{}</p>\n", report::escape_html(conclusion(example)));
  html +=
      "<h2>Which output dimension depends on which input dimension</h2>\n"
      "<p>The Jacobian dz/dx: a row for each output, a column for each input, token by token and "
      "in each its dimensions. "
      "<span class=\"key plus\"></span> above zero, <span class=\"key minus\"></span> below, "
      "deeper where larger (in its own picture); a dot is "
      "exactly zero. "
      "Under each picture: entries of different dimensions that are not zero, within a token and "
      "across tokens. Choose one to see its numbers.</p>\n"
      "<div id=\"maps\"></div>\n<div id=\"detail\" aria-live=\"polite\"></div>\n";
  html += "<h2>Entries dz<sub>i</sub>/dx<sub>j</sub> with i ≠ j that are not zero</h2>\n" +
          counts_table(example);
  if (small) {
    html +=
        "<h2>Which dimension of a query meets which dimension of a key</h2>\n"
        "<p>Sizes of ∂²score / ∂x<sub>query, i</sub> ∂x<sub>key, j</sub>, one head: a row for each "
        "i, a column for each j; above each, how many with "
        "i ≠ j are not zero.</p>\n" +
        products_tables(example);
    for (const Mixing mixing : {Mixing::identity, Mixing::diagonal, Mixing::full}) {
      html += fmt::format("<h2>Step by step: matrices {}, {} head{}</h2>\n", to_name(mixing),
                          example.heads, example.heads == 1 ? "" : "s");
      for (const auto& row : step_matrices(example, mixing)) {
        html += "<div class=\"matrices\">\n";
        for (const NamedMatrix& matrix : row) html += matrix_table(matrix);
        html += "</div>\n";
      }
    }
  } else {
    html +=
        "<p>The steps have too many numbers for a page: <code>weft explain attention --json</code> "
        "prints them all.</p>\n";
  }
  html += "<script>\nconst data = " + report::for_script(to_json(example)) + ";\n" + kHeatScript +
          kExampleScript + "</script>\n";
  return html + report::page_end();
}

}  // namespace weft::explain
