// `weft bench ops`.
#include <doctest/doctest.h>

#include "tests/cli/run_program.h"

using namespace weft;
using test::Outcome;
using test::TempFolder;
using test::weft_with;

TEST_CASE("the ops of a pattern, against the machine's peak") {
  const TempFolder folder;
  const Outcome outcome =
      weft_with(folder, {"bench", "ops", "Layer_norm", "--threads", "2", "--json"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const auto json = nlohmann::json::parse(outcome.out);
  const double flops = json["peak_gflop_per_s"].get<double>(),
               bytes = json["peak_gb_per_s"].get<double>();
  CHECK(json["threads"] == 2);
  CHECK(flops > 0);
  CHECK(bytes > 0);
  REQUIRE(!json["ops"].empty());
  for (const auto& op : json["ops"]) {
    CHECK(op["name"] == "layer_norm");
    CHECK(op["ms"].get<double>() > 0);
    CHECK(op["backward_ms"].get<double>() > 0);
    CHECK(op["share_of_peak"].get<double>() ==
          doctest::Approx(std::max(op["gflop_per_s"].get<double>() / flops,
                                   op["gb_per_s"].get<double>() / bytes)));
  }
}

TEST_CASE("ops without gradient or arithmetic have none in the table") {
  const TempFolder folder;
  const Outcome outcome = weft_with(folder, {"bench", "ops", "argm", "--threads", "1"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.find("sgemm") != std::string::npos);
  CHECK(outcome.out.find("argmax") != std::string::npos);
  CHECK(outcome.out.find("  -  ") != std::string::npos);
}

TEST_CASE("patterns and threads that mean nothing are refused") {
  const TempFolder folder;
  const Outcome unknown = weft_with(folder, {"bench", "ops", "no-such-op"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("[bench] no op has `no-such-op` in its name") != std::string::npos);
  CHECK(weft_with(folder, {"bench", "ops", "relu", "--threads", "-2"}).code == 2);
}
