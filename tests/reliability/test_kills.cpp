// Runs and comparisons that are killed at random instants end as undisturbed ones do, bit for bit.
// WEFT_KILLS sets how often: the default is short, WEFT_KILLS=200 ./weft test -R reliability.kills
// is the long form.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "tests/reliability/run_result.h"

using namespace weft;
using test::operator+;
using test::result_of;
using test::Running;
using test::TempFolder;
using test::weft_with;

namespace {

using Words = std::vector<std::string>;

std::int64_t wanted_kills() {
  const char* const text = std::getenv("WEFT_KILLS");
  return text == nullptr ? 9 : std::max(1L, std::atol(text));
}

/// Runs `first`, killed after `kills` random waits and resumed by `again` each time; the last one
/// may end. Returns how often it was really killed.
std::int64_t kill_and_resume(const TempFolder& folder, const Words& first, const Words& again,
                             const std::filesystem::path& sign, std::int64_t kills,
                             std::int64_t longest_ms, Generator& random) {
  std::int64_t killed = 0;
  for (std::int64_t i = 0; i < kills; ++i) {
    const bool begun = std::filesystem::exists(sign);
    Running running(Words{test::program()} + (begun ? again : first), folder);
    std::this_thread::sleep_for(std::chrono::microseconds(
        random.next_below(static_cast<std::uint64_t>(longest_ms) * 1000)));
    running.signal(SIGKILL);
    const auto outcome = running.wait();
    if (outcome.code == 0) break;  // it was faster
    REQUIRE_MESSAGE(outcome.code == 128 + SIGKILL, outcome.err);
    ++killed;
  }
  const bool begun = std::filesystem::exists(sign);
  const auto end = weft_with(folder, begun ? again : first);
  REQUIRE_MESSAGE(end.code == 0, end.err);
  return killed;
}

/// Kills runs of one kind until `kills` were killed, each time against the undisturbed one.
void check_kills(const Words& flags, const std::string& kind, std::int64_t kills,
                 std::int64_t longest_ms) {
  const TempFolder folder;
  Generator random(wanted_kills(), "kills-" + kind);
  const std::string whole = (folder / "whole").string();
  const auto done = weft_with(folder, Words{"train", kind} + flags + Words{"--out", whole});
  REQUIRE_MESSAGE(done.code == 0, done.err);
  const nlohmann::json config = nlohmann::json::parse(read_file(whole + "/config.json"));
  for (std::size_t i = 0; i < flags.size(); ++i) {  // a flag by itself asks for what is tested here
    if (!flags[i].starts_with("--") || (i + 1 < flags.size() && !flags[i + 1].starts_with("--")))
      continue;
    std::string name = flags[i].substr(2);
    std::replace(name.begin(), name.end(), '-', '_');
    CHECK_MESSAGE(config.at(name) == true, name);
  }
  const std::string expected = result_of(whole);
  std::int64_t killed = 0;
  for (int round = 0; killed < kills; ++round) {
    const std::string cut = (folder / ("cut" + std::to_string(round))).string();
    killed += kill_and_resume(folder, Words{"train", kind} + flags + Words{"--out", cut},
                              {"train", kind, "--resume", "--out", cut}, cut + "/config.json",
                              std::min<std::int64_t>(kills - killed, 8), longest_ms, random);
    CHECK(result_of(cut) == expected);
    std::filesystem::remove_all(cut);
    if (round > 4 * kills) FAIL("the runs end before they can be killed");
  }
  MESSAGE(kind, ": killed ", killed, " times, the same result every time");
}

}  // namespace

TEST_CASE("text runs that are killed end the same: dropout, accumulation, moving average, Muon") {
  const TempFolder folder;
  check_kills({"--data",       test::tiny_text_config(folder).data,
               "--layers",     "1",
               "--heads",      "2",
               "--width",      "16",
               "--context",    "8",
               "--batch",      "3",
               "--steps",      "600",
               "--eval-every", "50",
               "--save-every", "7",
               "--dropout",    "0.2",
               "--accumulate", "2",
               "--ema",        "0.9",
               "--optimizer",  "muon",
               "--qk-norm"},
              "text", wanted_kills() / 3 + 1, 700);
}

TEST_CASE("vision runs that are killed end the same: augmentation, in the middle of an epoch") {
  const TempFolder folder;
  const train::VisionConfig tiny = test::tiny_vision_config(folder);
  check_kills({"--data",
               tiny.data,
               "--layers",
               "1",
               "--heads",
               "2",
               "--width",
               "16",
               "--patch",
               "4",
               "--batch",
               "8",
               "--epochs",
               "60",
               "--validation",
               "10",
               "--shift",
               "1",
               "--flip",
               "--dropout",
               "0.1",
               "--save-every",
               "3",
               "--eval-every",
               "11"},
              "vision", wanted_kills() / 3 + 1, 700);
}

TEST_CASE("comparisons that are killed end the same") {
  const TempFolder folder;
  const std::string suite = test::tiny_suite(folder, "steps = 60\nsave_every = 9\ndropout = 0.1\n",
                                             "lr_factors = [1, 2]\n");
  const auto findings = [](const std::string& out) {
    auto json = test::comparison_results(out);
    std::string text = json["contrasts"].dump() + json["tasks"].dump() + json["exploratory"].dump();
    for (const auto& cell : json["cells"])
      text += cell["values"].dump() + cell["tried"].dump() + cell["curve"].dump();
    return text;
  };
  const std::string whole = (folder / "whole").string();
  REQUIRE(weft_with(folder, {"compare", suite, "--out", whole}).code == 0);
  Generator random(wanted_kills(), "kills-compare");
  std::int64_t killed = 0;
  for (int round = 0; killed < wanted_kills() / 3 + 1; ++round) {
    const std::string cut = (folder / ("cut" + std::to_string(round))).string();
    const Words command{"compare", suite, "--out", cut};
    killed +=
        kill_and_resume(folder, command, command, cut + "/compare.json",
                        std::min<std::int64_t>(wanted_kills() / 3 + 1 - killed, 8), 900, random);
    CHECK(findings(cut) == findings(whole));
    std::filesystem::remove_all(cut);
    if (round > 4 * wanted_kills()) FAIL("the comparisons end before they can be killed");
  }
  MESSAGE("compare: killed ", killed, " times, the same result every time");
}
