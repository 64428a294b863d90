// results.json: what is written is read back whole, also what an earlier weft wrote.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/report/sample_results.h"
#include "train/compare/results.h"
#include "train/report/compare_page.h"

using namespace weft;
using test::Json;

namespace {

/// Of weft 0.1.0, format 1: failed runs, rates that were tried, arms outside the budget, controls.
std::string old_results() {
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/tests/report/old_results.json");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("results that an earlier weft wrote are read, and written again byte for byte") {
  const std::string text = old_results();
  REQUIRE(Json::parse(text)["format"] == 1);
  const compare::Results results = compare::read_results(text);
  CHECK(compare::results_json(results) == text);
  CHECK(results.runs_failed == 6);
  CHECK(results.cells.size() == 7);
  const compare::ResultCell* const wild = results.cell(0, 3);
  REQUIRE(wild != nullptr);
  CHECK(results.cell(1, 3) == nullptr);
  CHECK(wild->failed == 6);
  CHECK(wild->runs[0].status == "failed");
  CHECK(wild->runs[0].error == "every learning rate that was tried failed");
  CHECK(std::isnan(wild->mean));
  CHECK(compare::choice_text(results.arms[2].choices[2].second) == "2.5");
  CHECK(compare::choice_text(results.arms[2].choices[1].second) == "false");
  const std::string csv = compare::results_csv(results);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 7 * 6);
}

TEST_CASE("nothing of the page is lost between reading results and writing them") {
  for (const std::string& text : {test::sample_results().dump(), old_results()}) {
    const std::string again = compare::results_json(compare::read_results(text));
    CHECK(report::compare_page(again) == report::compare_page(text));
    CHECK(compare::results_json(compare::read_results(again)) == again);
  }
}

TEST_CASE("what an older file does not hold keeps its default, and a newer one is refused") {
  Json json = Json::parse(old_results());
  json.erase("format");
  json["budget"].erase("tuning_seed");
  json["tasks"][0]["pairing"][0].erase("steps");
  const compare::Results results = compare::read_results(json.dump());
  CHECK(results.tuning_seeds == std::vector<std::int64_t>{0});
  CHECK(results.tasks[0].pairing[0].steps == 0);
  json["format"] = 2;
  CHECK_THROWS_WITH_AS(compare::read_results(json.dump()),
                       "[results.json] was written by a newer weft (format 2): this one reads "
                       "format 1",
                       ConfigError);
}
