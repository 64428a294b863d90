// `weft bench attention`.
#include <doctest/doctest.h>

#include "tests/cli/run_program.h"

using namespace weft;
using test::Outcome;
using test::TempFolder;
using test::weft_with;

TEST_CASE("attention by length: what each kind takes, and that tiles need no matrix") {
  const TempFolder folder;
  const Outcome outcome =
      weft_with(folder, {"bench", "attention", "--lengths", "128,512", "--heads", "2",
                         "--head-size", "8", "--rounds", "1", "--threads", "1", "--json", "--html",
                         (folder / "cost.html").string()});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const auto json = nlohmann::json::parse(outcome.out);
  REQUIRE(json["costs"].size() == 8);
  for (const auto& cost : json["costs"]) {
    CHECK(cost["measured"] == true);
    CHECK(cost["forward_ms"].get<double>() > 0);
    CHECK(cost["backward_ms"].get<double>() > 0);
    CHECK(cost["tokens_per_s"].get<double>() > 0);
    const double matrix = 4.0 * 2 * 512 * 512 / 1048576;
    if (cost["length"] == 512)
      CHECK((cost["extra_mib"].get<double>() > matrix) == (cost["kind"] == "plain"));
  }
  const std::string page = read_file((folder / "cost.html").string());
  for (const char* kind : {"plain", "flash", "lightning", "channels"})
    CHECK(page.find(fmt::format("\"name\":\"{}\",\"points\":[[128", kind)) != std::string::npos);
}

TEST_CASE("lengths that mean nothing are refused") {
  const TempFolder folder;
  const Outcome none = weft_with(folder, {"bench", "attention", "--lengths", "0"});
  CHECK(none.code != 0);
  CHECK(none.err.find("--lengths must be from 1 to 4194304, got 0") != std::string::npos);
  CHECK(
      weft_with(folder, {"bench", "attention", "--lengths", "4194304", "--batch", "65536"}).code !=
      0);
}
