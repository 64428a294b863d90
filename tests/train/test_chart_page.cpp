#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/train/tiny_runs.h"
#include "train/page/chart_page.h"

using namespace weft;
using test::TempFolder;

TEST_CASE("a page needs nothing from outside, and nothing in it can break out") {
  const std::string evil = "</script><script>alert(1)</script>";
  report::Chart chart{.title = evil,
                      .x_label = "x" + evil,
                      .y_label = "y",
                      .series = {{.name = evil, .points = {{1, 2}, {2, NAN}, {3, 1}}}}};
  const std::string html = report::to_html(
      {.title = "a < b & c", .paragraphs = {evil}, .charts = {chart}, .texts = {{"Text", "<b>"}}});
  CHECK(html.find("alert(1)</script>") == std::string::npos);
  CHECK(html.find("a &lt; b &amp; c") != std::string::npos);
  CHECK(html.find("Chart.js v") != std::string::npos);
  CHECK(html.find("src=\"http") == std::string::npos);
  CHECK(html.find("<link") == std::string::npos);
  CHECK(html.find("[[1.0,2.0],[3.0,1.0]]") != std::string::npos);  // NaN is left out
}

TEST_CASE("curves come from a run's metrics, thinned when long, half a line ignored") {
  const TempFolder folder;
  std::string lines;
  for (int step = 1; step <= 2000; ++step) {
    lines += R"({"step":)" + std::to_string(step) + R"(,"train_loss":2.0)" +
             (step % 500 == 0 ? R"(,"val_loss":1.5)" : "") + "}\n";
  }
  write_file((folder / "metrics.jsonl").string(), lines + "{\"step\":2001,\"tr");
  const report::Chart chart = report::loss_chart(folder / "", "t");
  REQUIRE(chart.series.size() == 2);
  CHECK(chart.series[0].points.size() == 400);
  CHECK(chart.series[0].points.back() == std::pair<double, double>{2000, 2});
  CHECK(chart.series[1].points.size() == 4);
  CHECK_THROWS_AS(report::loss_chart(folder / "no", "t"), IoError);
}
