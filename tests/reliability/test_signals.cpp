// Signals, locks and clocks: a second signal leaves at once, a killed process leaves no lock,
// others may read while one trains, and the time of day may go back.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "tests/reliability/run_result.h"

using namespace weft;
using test::operator+;
using test::result_of;
using test::Running;
using test::TempFolder;
using test::tiny_train;
using test::weft_with;

namespace {

using Words = std::vector<std::string>;

/// A run that goes on for a long while, and has begun.
std::unique_ptr<Running> long_run(const TempFolder& folder, const std::string& out) {
  auto running = std::make_unique<Running>(
      Words{test::program()} + tiny_train(folder, out) +
          Words{"--steps", "1000000", "--eval-every", "50", "--save-every", "50"},
      folder);
  REQUIRE(test::wait_for(std::filesystem::path(out) / "metrics.jsonl", "\"step\":60,"));
  return running;
}

}  // namespace

TEST_CASE("a second signal leaves at once") {
  const TempFolder folder;
  const std::string out = (folder / "run").string();
  const auto running = long_run(folder, out);
  // Both wait while the process is stopped, so that no step and no saving can come between them.
  for (const int signal : {SIGSTOP, SIGINT, SIGTERM, SIGCONT}) running->signal(signal);
  const auto stopped = running->wait();
  CHECK((stopped.code == 130 || stopped.code == 143));  // whichever was handled last
  CHECK_MESSAGE(stopped.err.find("and saved") == std::string::npos, stopped.err);
  CHECK(weft_with(folder, {"info", out}).code == 0);  // what the run had saved before is whole
}

TEST_CASE(
    "while a run trains, others may read it but not train into it; killed, it leaves no lock") {
  const TempFolder folder;
  const std::string out = (folder / "run").string();
  const auto running = long_run(folder, out);
  for (const Words& words : {Words{"info", out}, Words{"eval", out},
                             Words{"sample", out, "--prompt", "the", "--chars", "5"}}) {
    const auto reader = weft_with(folder, words);
    CHECK_MESSAGE(reader.code == 0, words[0], ": ", reader.err);
  }
  CHECK(test::read_metrics(out).size() >= 60);  // each line there is can be parsed

  const auto second = weft_with(folder, {"train", "text", "--resume", "--out", out});
  CHECK(second.code == 1);
  CHECK_MESSAGE(
      second.err.find("another program is training into this folder") != std::string::npos,
      second.err);
  CHECK(weft_with(folder, tiny_train(folder, out)).code == 2);  // nor is it taken for a new one

  running->signal(SIGKILL);
  CHECK(running->wait().code == 128 + SIGKILL);
  Running again({test::program(), "train", "text", "--resume", "--out", out}, folder);
  const std::size_t before = test::read_metrics(out).size();
  REQUIRE(test::wait_for(out + "/metrics.jsonl", fmt::format("\"step\":{},", before + 50)));
  again.signal(SIGTERM);
  CHECK(again.wait().code == 143);
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // their libraries must be loaded first
TEST_CASE("a time of day that goes back changes nothing") {
  const TempFolder folder;
  const auto backwards = [&](const Words& words) {
    return Running(
               Words{"/usr/bin/env",
                     std::string("LD_PRELOAD=") + WEFT_BINARY_DIR + "/tests/libbackwards_clock.so",
                     test::program()} +
                   words,
               folder)
        .wait();
  };
  const std::string plain = (folder / "plain").string(), odd = (folder / "odd").string();
  REQUIRE(weft_with(folder, tiny_train(folder, plain)).code == 0);
  const auto run = backwards(tiny_train(folder, odd));
  REQUIRE_MESSAGE(run.code == 0, run.err);
  CHECK(result_of(odd) == result_of(plain));
  double last = 0;
  for (const auto& record : test::read_metrics(odd)) {
    CHECK(record["seconds"].get<double>() >= last);
    CHECK(record["tokens_per_s"].get<double>() > 0);
    last = record["seconds"];
  }

  // A comparison says when it began, and nothing else depends on the time of day: not even where it
  // is said to have begun tomorrow.
  const std::string suite = test::tiny_suite(folder, "steps = 10\n");
  const auto findings = [&](const std::string& out) {
    const auto json = test::comparison_results(out);
    CHECK(json["seconds"].get<double>() > 0);
    return json["contrasts"].dump() + json["tasks"].dump();
  };
  const std::string one = (folder / "one").string(), two = (folder / "two").string();
  REQUIRE(weft_with(folder, {"compare", suite, "--out", one}).code == 0);
  const auto compared = backwards({"compare", suite, "--out", two});
  REQUIRE_MESSAGE(compared.code == 0, compared.err);
  CHECK(findings(two) == findings(one));
  // As an earlier version left it.
  std::filesystem::remove(two + "/sessions.json");
  write_file(two + "/sittings.json", "{\"started\":\"2999-12-31T23:59:59Z\",\"seconds\":1.5}\n");
  REQUIRE(backwards({"compare", suite, "--out", two}).code == 0);
  CHECK(findings(two) == findings(one));
  CHECK(
      nlohmann::json::parse(read_file(two + "/results.json")).dump().find("2999-12-31T23:59:59Z") !=
      std::string::npos);
}
#endif
