// `weft bench --against COMMAND`: peers that answer, and those that do not.
#include <doctest/doctest.h>

#include "tests/cli/run_program.h"

using namespace weft;
using test::operator+;
using test::Outcome;
using test::TempFolder;
using test::weft_with;

namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

Outcome against(const TempFolder& folder, const std::string& command, const Words& more = {}) {
  return weft_with(folder,
                   Words{"bench",     "gpt", "--layers", "1", "--heads",   "1",    "--width",  "8",
                         "--context", "4",   "--batch",  "1", "--steps",   "2",    "--warmup", "1",
                         "--threads", "1",   "--rounds", "3", "--against", command} +
                       more);
}

void check_failed(const Outcome& outcome, int code, const std::string& says) {
  CAPTURE(outcome.err);
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  CHECK((outcome.err.starts_with("weft: [bench] ") || outcome.err.starts_with("weft: [process] ") ||
         outcome.err.starts_with("weft: [weft bench gpt] ")));
  CHECK(outcome.err.find(says) != std::string::npos);
}

}  // namespace

TEST_CASE("a peer is run alternately with weft, and the ratios are of each round") {
  const TempFolder folder;
  const std::string count = (folder / "count").string();
  // Slower each time it runs; talks before its last line, and on stderr.
  const std::string peer = "echo x >>" + count + "; n=$(wc -l <" + count +
                           "); echo warming up; echo noise >&2; echo \"{\\\"median_ms\\\": "
                           "${n}000, \\\"peak_mib\\\": 7}\"";
  const Outcome outcome = against(folder, peer, {"--json"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const Json json = Json::parse(outcome.out);
  CHECK(json["command"] == peer);
  CHECK(json["rounds"] == 3);
  CHECK(json["peer"]["median_ms"]["median"] == 2000);
  CHECK(json["peer"]["median_ms"]["low"] == 1000);
  CHECK(json["peer"]["median_ms"]["high"] == 3000);
  CHECK(json["peer"]["peak_mib"]["median"] == 7);
  REQUIRE(json["ours"]["runs"].size() == 3);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(json["ours"]["runs"][i]["kind"] == "gpt");
    CHECK(json["ours"]["runs"][i]["params"] == json["ours"]["runs"][0]["params"]);
    ratios.push_back(json["peer"]["runs"][i]["median_ms"].get<double>() /
                     json["ours"]["runs"][i]["median_ms"].get<double>());
    CHECK(json["ratios"][i].get<double>() == doctest::Approx(ratios.back()));
  }
  std::sort(ratios.begin(), ratios.end());
  CHECK(json["ratio"]["low"].get<double>() == doctest::Approx(ratios[0]));
  CHECK(json["ratio"]["median"].get<double>() == doctest::Approx(ratios[1]));
  CHECK(json["ratio"]["high"].get<double>() == doctest::Approx(ratios[2]));
}

TEST_CASE("a person reads how many times as fast it is") {
  const TempFolder folder;
  const Outcome outcome = against(folder, "echo '{\"median_ms\": 1e6}'", {"--rounds", "1"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.find("times as fast") != std::string::npos);
  CHECK(outcome.out.find("1000000.000") != std::string::npos);
}

TEST_CASE("without a model the defaults are measured") {
  const TempFolder folder;
  const Outcome outcome = weft_with(
      folder, {"bench", "--against", "echo '{\"median_ms\": 1}'", "--rounds", "1", "--json"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(Json::parse(outcome.out)["ours"]["runs"][0]["params"] == 818176);
}

TEST_CASE("peers that fail, are not there, or say nothing of use") {
  const TempFolder folder;
  check_failed(against(folder, "echo 'no torch here' >&2; exit 3"), 1,
               "the command ended with exit code 3");
  check_failed(against(folder, "echo 'no torch here' >&2; exit 3"), 1,
               "it printed:\nno torch here");
  check_failed(against(folder, "no-such-program-at-all"), 1,
               "the command was not found: no-such-program-at-all");
  check_failed(against(folder, "kill -9 $$"), 1, "exit code 137");
  check_failed(against(folder, "true"), 1, "must be a JSON object: true; it printed nothing");
  check_failed(against(folder, "echo 31 ms"), 1, "must be a JSON object");
  check_failed(against(folder, "echo '{\"median_ms\": 3'"), 1, "must be a JSON object");
  check_failed(against(folder, "echo '[1, 2]'"), 1, "must be a JSON object");
  check_failed(against(folder, "echo '{\"median_ms\": 3}'; echo done"), 1, "must be a JSON object");
  check_failed(against(folder, "echo '{\"ms\": 3}'"), 1, "must hold a `median_ms` above 0");
  check_failed(against(folder, "echo '{\"median_ms\": \"3\"}'"), 1,
               "must hold a `median_ms` above 0");
  check_failed(against(folder, "echo '{\"median_ms\": 0}'"), 1, "must hold a `median_ms` above 0");
  check_failed(against(folder, "printf '\\377\\376'"), 1, "must be a JSON object");
  check_failed(against(folder, "yes"), 1, "printed more than 16 MiB");
  check_failed(against(folder, "true", {"--rounds", "0"}), 2,
               "rounds must be from 1 to 1000, got 0");
  check_failed(against(folder, " "), 2, "against must be a command");
  check_failed(against(folder, "echo '{\"median_ms\": 1}'", {"--steps", "0"}), 2,
               "steps must be from 1");
}
