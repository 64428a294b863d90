// Tables for papers, the paragraph of methods, results without a machine, and what an earlier
// comparison says to a new one.
#include "train/report/tables.h"

#include <doctest/doctest.h>

#include <cmath>

#include <algorithm>

#include "tests/report/sample_results.h"
#include "train/compare/against.h"
#include "train/report/compare_page.h"

using namespace weft;

namespace {

compare::Results sample() { return compare::read_results(test::sample_results().dump()); }

std::string table(const std::string& name) {
  for (const auto& [file, text] : report::tables(sample()))
    if (file == name) return text;
  return "";
}

}  // namespace

TEST_CASE("every table of a comparison is there as LaTeX and as CSV, with its figures") {
  const compare::Results results = sample();
  for (const char* name : {"figures", "differences", "costs"}) {
    CAPTURE(name);
    const std::string csv = table(std::string(name) + ".csv"),
                      tex = table(std::string(name) + ".tex");
    const std::size_t rows =
        std::string(name) == "differences" ? results.contrasts.size() : results.cells.size();
    CHECK(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')) == rows + 1);
    CHECK(tex.starts_with("\\begin{tabular}{"));
    CHECK(tex.ends_with("\\bottomrule\n\\end{tabular}\n"));
    CHECK(tex.find("_") == tex.find("\\_") + 1);  // names are escaped
  }
  const compare::ResultCell& cell = results.cells.front();
  CHECK(table("figures.csv").find(fmt::format("{}", cell.mean)) != std::string::npos);
  CHECK(table("figures.csv").find(",test,8,") != std::string::npos);
  CHECK(table("differences.tex").find("\\texttt{better}") != std::string::npos);
}

TEST_CASE("the paragraph of methods says what was done, and cites what it rests on") {
  compare::Results results = sample();
  std::string page = report::compare_page(compare::results_json(results));
  for (const char* text : {"We compared 12 arms on 6 tasks with 8 paired seeds each",
                           "the same number of optimizer steps", "two-sided sign-flip test",
                           "@article{holm1979", "@software{weft", "我们以 weft"})
    CHECK_MESSAGE(page.find(text) != std::string::npos, text);
  CHECK(page.find("landemets1983") == std::string::npos);
  results.looks = {6, 8};
  results.equal = "seconds";
  results.amount = 30;
  results.tolerance = 0.05;
  results.suite_hash = "0123456789abcdef";
  results.tasks[0].test_rows = 75;
  page = report::compare_page(compare::results_json(results));
  for (const char* text :
       {"Looks at 6, 8 seeds were declared", "@article{landemets1983",
        "30 seconds of training within 5 %", "0123456789abcdef", "@article{satterthwaite1946"})
    CHECK_MESSAGE(page.find(text) != std::string::npos, text);
}

TEST_CASE("results without a machine keep all that was found") {
  const compare::Results results = sample();
  const std::string kept = compare::results_without_machine(results);
  for (const char* word : {"AMD", "peak_mib\": 1", "weft train"})
    CHECK_MESSAGE(kept.find(word) == std::string::npos, word);
  const compare::Results again = compare::read_results(kept);
  CHECK(compare::compare_results(again, results).agreement == compare::Agreement::same_bits);
  CHECK(again.contrasts.size() == results.contrasts.size());
}

TEST_CASE("a new run has the same bits, or the same verdicts, or other findings") {
  const compare::Results then = sample();
  CHECK(compare::compare_results(then, then).differences.empty());
  compare::Results now = sample();
  now.cells[0].values[0] += 1e-9;
  auto found = compare::compare_results(now, then);
  CHECK(found.agreement == compare::Agreement::same_verdicts);
  CHECK(found.differences.size() == 1);
  now.contrasts[0].statement.finding.difference.interval = {5, 6};
  CHECK(compare::compare_results(now, then).agreement == compare::Agreement::different);
  now = sample();
  now.contrasts[0].statement.finding.verdict = compare::Verdict::worse;
  found = compare::compare_results(now, then);
  CHECK(found.agreement == compare::Agreement::different);
  CHECK(found.differences[0].find("was better and is worse") != std::string::npos);
  now = sample();
  now.seeds.back() = 99;
  CHECK(compare::compare_results(now, then).agreement == compare::Agreement::different);
}

TEST_CASE("two arms that differ by little do not look like chance and the ceiling") {
  test::Json results = test::sample_results({.seeds = 8, .tasks = 1, .arms = 2});
  results["tasks"][0]["chance"] = nullptr;
  results["tasks"][0]["ceiling"] = nullptr;
  const std::string page = report::compare_page(results.dump());
  const std::string matrix = page.substr(page.find("<table id=\"matrix\""));
  const std::string body = matrix.substr(0, matrix.find("</table>"));
  CHECK(body.find("class=\"q8\"") == std::string::npos);
  CHECK(body.find("class=\"q0\"") == std::string::npos);
}
