#include <doctest/doctest.h>

#include <functional>

#include "core/error.h"
#include "tests/cli/run_program.h"
#include "tests/report/sample_results.h"
#include "train/report/compare_page.h"

using namespace weft;
using test::Json;

namespace {

std::string page_of(const Json& results) { return report::compare_page(results.dump()); }

/// The page without its scripts: what is read.
std::string readable(const std::string& page) { return page.substr(0, page.find("<script>")); }

/// What stands between two texts, the first time.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const std::size_t to = text.find(end, from + begin.size());
  REQUIRE(to != std::string::npos);
  return text.substr(from + begin.size(), to - from - begin.size());
}

std::vector<std::string> pieces(const std::string& text, const std::string& mark) {
  std::vector<std::string> result;
  for (std::size_t at = text.find(mark); at != std::string::npos;) {
    const std::size_t next = text.find(mark, at + 1);
    result.push_back(text.substr(at, next - at));
    at = next;
  }
  return result;
}

std::size_t count(const std::string& text, const std::string& what) {
  return pieces(text, what).size();
}

std::string complaint(const std::string& text) {
  try {
    report::compare_page(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

std::string complaint(const std::function<void(Json&)>& spoil) {
  Json results = test::sample_results();
  spoil(results);
  return complaint(results.dump());
}

}  // namespace

TEST_CASE("all figures of the results are in the matrix, each in its place") {
  const Json results = test::sample_results();
  const std::string matrix =
      between(readable(page_of(results)), "<table id=\"matrix\"", "</table>");
  const auto rows = pieces(between(matrix, "<tbody>", "</tbody>"), "<tr>");
  REQUIRE(rows.size() == results["arms"].size());
  for (const Json& cell : results["cells"]) {
    std::size_t arm = 0, task = 0;
    while (results["arms"][arm]["name"] != cell["arm"]) ++arm;
    while (results["tasks"][task]["name"] != cell["task"]) ++task;
    CHECK(rows[arm].find("<th scope=\"row\"><code>" + cell["arm"].get<std::string>() + "</code>") !=
          std::string::npos);
    const auto cells = pieces(rows[arm], "<td");
    REQUIRE(cells.size() == results["tasks"].size());
    const auto figures = pieces(cells[task], "<data value=\"");
    REQUIRE(figures.size() == 3);
    CHECK(std::stod(between(figures[0], "value=\"", "\"")) == cell["mean"].get<double>());
    CHECK(std::stod(between(figures[1], "value=\"", "\"")) == cell["interval"][0].get<double>());
    CHECK(std::stod(between(figures[2], "value=\"", "\"")) == cell["interval"][1].get<double>());
  }
}

TEST_CASE("the page says what was found, in both languages, with what it rests on") {
  const std::string page = readable(page_of(test::sample_results()));
  for (const char* text :
       {"<code>full</code> is better than <code>diagonal</code> on <code>different</code>: +0.4",
        "<code>full</code> 在 <code>different</code> 上优于 <code>diagonal</code>",
        "6 declared contrasts:", "预设对比共 6 项", "4 of 4 controls hold", "equal training steps",
        "some intervals miss zero by chance", "总有一些区间会偶然不含零", "9f3c100000007919",
        "weft train tokens --task different --model full --steps 600 --lr 0.003 --seed 8",
        "13 min 32 s", "AMD EPYC 7B13", "Learning rates tried"})
    CHECK_MESSAGE(page.find(text) != std::string::npos, text);
  CHECK(count(page, "<span lang=\"en\">") == count(page, "<span lang=\"zh-CN\">"));
  CHECK(count(page, "data-en-") == count(page, "data-zh-"));
}

TEST_CASE("the page needs nothing from outside") {
  const std::string page = page_of(test::sample_results());
  CHECK(page.find("Chart.js v") != std::string::npos);
  CHECK(readable(page).find("http") == std::string::npos);
  CHECK(page.find("<link") == std::string::npos);
  CHECK(readable(page).find("src=") == std::string::npos);
}

TEST_CASE("names cannot break out of where they stand") {
  Json results = test::sample_results();
  const std::string evil = "</script><script>alert(1)</script>\"'&<b>`x";
  results["suite"] = evil;
  results["question"]["en"] = evil;
  results["machine"]["cpu"] = evil;
  results["tasks"][0]["about"]["zh"] = evil;
  results["cells"][0]["runs"][0]["command"] = evil;
  results["cells"][0]["runs"][0]["error"] = evil;
  results["cells"][0]["runs"][0]["status"] = evil;
  results["contrasts"][0]["expectation"]["en"] = evil;
  results["arms"][0]["choices"][evil] = evil;
  for (auto& cell : results["cells"])
    cell["task"] = cell["task"] == "random" ? evil : cell["task"].get<std::string>();
  results["tasks"][5]["name"] = evil;
  const std::string page = page_of(results);
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(page.find("</script><script>alert") == std::string::npos);
  CHECK(readable(page).find("<b>`x") == std::string::npos);
  CHECK(count(page, "<script>") == 2);
}

TEST_CASE("figures that are not there are dashes") {
  Json results = test::sample_results();
  Json& cell = results["cells"][0];
  for (auto& value : cell["values"]) value = nullptr;
  cell["failed"] = 8;
  for (const char* key : {"mean", "deviation", "parameters", "forward_flops", "training_flops",
                          "seconds", "peak_mib", "steps", "width", "lr"})
    cell[key] = nullptr;
  cell["interval"] = {nullptr, nullptr};
  cell["curve"]["mean"][0] = nullptr;
  results["contrasts"][0]["detectable"] = nullptr;
  results["contrasts"][1]["difference"] = nullptr;
  results["contrasts"][1]["interval"] = {nullptr, nullptr};
  results["contrasts"][1]["verdict"] = "undecided";
  results["controls"][0]["mean"] = nullptr;
  results["controls"][0]["holds"] = false;
  results["tasks"][0]["chance"] = nullptr;
  results["seconds"] = nullptr;
  const std::string page = readable(page_of(results));
  CHECK(page.find("8 of 8 failed") != std::string::npos);
  CHECK(page.find("no seed has a figure of both") != std::string::npos);
  for (const char* word : {"nan", "inf<", "null"})
    CHECK_MESSAGE(page.find(word) == std::string::npos, word);
}

TEST_CASE("one seed, one arm, nothing yet") {
  CHECK(readable(page_of(test::sample_results({.seeds = 1})))
            .find("fewer than six seeds decide nothing") != std::string::npos);
  CHECK(page_of(test::sample_results({.seeds = 2, .tasks = 1, .arms = 1})).size() > 10000);
  Json results = test::sample_results();
  for (const char* key : {"cells", "contrasts", "exploratory", "controls"})
    results[key] = Json::array();
  results["complete"] = false;
  results["runs_done"] = 0;
  const std::string page = readable(page_of(results));
  CHECK(page.find("<b>Not finished:</b> 0 of 576 runs are done.") != std::string::npos);
  CHECK(page.find("No run has recorded one yet.") != std::string::npos);
  CHECK(page.find("尚未完成") != std::string::npos);
}

TEST_CASE("a comparison under way says what is missing, and what failed") {
  const std::string page = readable(page_of(test::unfinished_results()));
  for (const char* text :
       {"<b>Not finished:</b> 470 of 576", "<b>1 run failed.</b> The matrix", "✕ 1 of 8 failed",
        "4 of 8 seeds", "not run", "Controls that do not hold",
        "the loss is not finite at step 212", "another budget than the others"})
    CHECK_MESSAGE(page.find(text) != std::string::npos, text);
}

TEST_CASE("unequal budgets are labeled everywhere") {
  Json results = test::sample_results();
  results["budget"]["equal"] = "unequal";
  std::string page = readable(page_of(results));
  CHECK(page.find("<b>The arms had unequal budgets.</b>") != std::string::npos);
  CHECK(count(page, "Unequal budgets: <code>") == 6);
  results = test::sample_results();
  results["arms"][4]["unequal"] = true;  // diagonal: in four of the six
  page = readable(page_of(results));
  CHECK(count(page, "Unequal budgets: <code>") == 4);
  CHECK(count(between(page, "<table id=\"matrix\"", "</table>"), "class=\"unequal\"") == 7);
}

TEST_CASE("two hundred arms") {
  const std::string page = page_of(test::sample_results({.seeds = 2, .tasks = 2, .arms = 200}));
  CHECK(count(between(page, "<table id=\"matrix\"", "</table>"), "<tr>") == 201);
}

TEST_CASE("a broken file is refused with what is wrong") {
  CHECK(complaint("{\"suite\": ").starts_with("[results.json] is not JSON from byte"));
  CHECK(complaint("") == "[results.json] is not JSON from byte 1 on");
  CHECK(complaint("[]") == "[results.json] the whole must be an object, got array");
  CHECK(complaint("{}") == "[results.json] suite is missing");
  CHECK(complaint("{\"suite\": 1e999}").starts_with("[results.json] a number is beyond"));
  CHECK(complaint(std::string(200000, '[')).starts_with("[results.json]"));
  CHECK(complaint([](Json& r) { r["tasks"][2].erase("metric"); }) ==
        "[results.json] tasks[2].metric is missing");
  CHECK(complaint([](Json& r) { r["arms"][1]["name"] = 7; }) ==
        "[results.json] arms[1].name must be a text, got number");
  CHECK(complaint([](Json& r) { r["cells"][3]["values"].erase(0); }) ==
        "[results.json] cells[3].values holds 7 numbers for 8 seeds");
  CHECK(complaint([](Json& r) { r["cells"][3]["arm"] = "nobody"; }) ==
        "[results.json] cells[3].arm is nobody, which is not one of arms");
  CHECK(complaint([](Json& r) { r["cells"][0]["mean"] = "high"; }) ==
        "[results.json] cells[0].mean must be a number or null, got string");
  CHECK(complaint([](Json& r) {
          r["cells"][0]["interval"] = {1, 2, 3};
        }) == "[results.json] cells[0].interval must hold two numbers, got 3");
  CHECK(complaint([](Json& r) { r["cells"][0]["curve"]["low"].erase(0); }) ==
        "[results.json] cells[0].curve has 12 steps, and 11 figures for them");
  CHECK(complaint([](Json& r) { r["contrasts"][0]["verdict"] = "won"; }) ==
        "[results.json] contrasts[0].verdict is won, which is not one of better, worse, "
        "equivalent, undecided");
  CHECK(complaint([](Json& r) { r["controls"][0].erase("holds"); }) ==
        "[results.json] controls[0].holds is missing");
  CHECK(complaint([](Json& r) {
          r["runs_done"] = 1e300;
        }).starts_with("[results.json] runs_done must be a count"));
  CHECK(complaint([](Json& r) { r["cells"] = "none"; }) ==
        "[results.json] cells must be a list, got string");
}

TEST_CASE("weft report writes the page beside the figures, and says what a folder lacks") {
  const test::TempFolder folder;
  write_file((folder / "results.json").string(), test::sample_results().dump());
  auto outcome = test::weft_with(folder, {"report", (folder / "").string()});
  CHECK(outcome.code == 0);
  CHECK(read_file((folder / "report.html").string()) == page_of(test::sample_results()));
  outcome = test::weft_with(
      folder, {"report", (folder / "").string(), "--out", (folder / "paper.html").string()});
  CHECK(outcome.out == (folder / "paper.html").string() + "\n");
  CHECK(test::fs::exists(folder / "paper.html"));

  test::fs::create_directory(folder / "run");
  outcome = test::weft_with(folder, {"report", (folder / "run").string()});
  CHECK(outcome.code == 1);
  CHECK(outcome.err.find("holds no results.json") != std::string::npos);
  write_file((folder / "run" / "config.json").string(), "{}");
  outcome = test::weft_with(folder, {"report", (folder / "run").string()});
  CHECK(outcome.code == 2);
  CHECK(outcome.err.find("the folder of a single run") != std::string::npos);
  outcome = test::weft_with(folder, {"report", (folder / "nowhere").string()});
  CHECK(outcome.code == 1);
  CHECK(outcome.err.find("is not a folder") != std::string::npos);
  write_file((folder / "run" / "results.json").string(), "{\"suite\": \"x\"}");
  outcome = test::weft_with(folder, {"report", (folder / "run").string()});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "weft: [results.json] seeds is missing\n");
  CHECK(test::weft_with(folder, {"report", "--help"}).out.find("Example:") != std::string::npos);
}
