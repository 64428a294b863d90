// weft compare as a user has it: whole suites of tiny runs, killed, resumed, broken.
#include <doctest/doctest.h>

#include <csignal>
#include <set>

#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "train/compare/plan.h"
#include "train/compare/shipped.h"

using namespace weft;
using test::comparison_results;
using test::Outcome;
using test::Running;
using test::TempFolder;
using test::weft_with;

namespace fs = std::filesystem;

namespace {

/// Two tasks on one tiny text, three arms, six seeds; `budget` and `arms` are parts of the file.
std::string suite_text(const TempFolder& folder, const std::string& budget,
                       const std::string& more = "", const std::string& steps = "8") {
  const std::string data = test::tiny_text_config(folder).data;
  return R"(name = "tiny"
question = { en = "Does it work?", zh = "行吗？" }
kind = "text"
seeds = 6
margin = 5
lr_factors = [0.5, 2]
[budget]
)" + budget +
         R"(
[base]
layers = 1
width = 16
heads = 2
context = 8
batch = 3
dropout = 0.1
data = ")" +
         data + R"("
steps = )" +
         steps + R"(
[[task]]
name = "short"
metric = "test_bits_per_byte"
[[task]]
name = "bytes"
metric = "test_loss"
set = { tokenizer = "byte" }
[[arm]]
name = "plain"
set = { norm = "layer" }
[[arm]]
name = "rms"
set = { norm = "rms" }
[[arm]]
name = "swiglu"
set = { activation = "swiglu" }
[[contrast]]
task = "short"
a = "rms"
b = "plain"
question = "Is it?"
)" + more;
}

fs::path write_suite(const TempFolder& folder, const std::string& text) {
  write_file((folder / "tiny.toml").string(), text);
  return folder / "tiny.toml";
}

/// All that a comparison says but its times and places.
nlohmann::json findings(const fs::path& folder) {
  nlohmann::json json = comparison_results(folder);
  nlohmann::json cells = nlohmann::json::array();
  for (const auto& cell : json["cells"])
    cells.push_back({cell["task"], cell["arm"], cell["values"], cell["lr"], cell["tried"],
                     cell["curve"], cell["parameters"], cell["steps"]});
  nlohmann::json pairing = nlohmann::json::array();
  for (const auto& task : json["tasks"]) pairing.push_back(task["pairing"]);
  return {cells, pairing, json["contrasts"], json["exploratory"], json["controls"]};
}

}  // namespace

TEST_CASE("a suite runs, says what it found, and can be killed at any time without a difference") {
  const TempFolder folder;
  const std::string suite = write_suite(
      folder, suite_text(folder, "equal = \"parameters\"\nreference = \"plain\"\ntolerance = 0.1\n",
                         "", "20"));
  const std::string whole = (folder / "whole").string(), cut = (folder / "cut").string();
  const Outcome done = weft_with(folder, {"compare", suite, "--out", whole, "--jobs", "2"});
  CAPTURE(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.out.find("Does it work?") != std::string::npos);
  CHECK(done.out.find("`rms`") != std::string::npos);
  const auto json = comparison_results(whole);
  CHECK(json["complete"] == true);
  CHECK(json["runs_done"] == 36);
  REQUIRE(json["cells"].size() == 6);
  for (const auto& cell : json["cells"]) {
    CHECK(cell["values"].size() == 6);
    CHECK(std::abs(cell["parameters"].get<double>() /
                       json["cells"][cell["task"] == "short" ? 0 : 3]["parameters"].get<double>() -
                   1) <= 0.1);
    CHECK(cell["tried"].size() >= 2);
    CHECK(cell["tried"].size() == json["cells"][cell["task"] == "short" ? 0 : 3]["tried"].size());
    for (const auto& run : cell["runs"]) {
      const auto summary =
          nlohmann::json::parse(read_file(run["folder"].get<std::string>() + "/summary.json"));
      CHECK(summary[cell["task"] == "short" ? "test_bits_per_byte" : "test_loss"] == run["value"]);
      CHECK(summary["params"] == cell["parameters"]);
      CHECK(summary["batch_hash"] == json["tasks"][cell["task"] == "short" ? 0 : 1]["pairing"]
                                         [run["seed"].get<std::size_t>() - 1]["hash"]);
    }
  }
  // Seeds see different batches, tasks different data.
  std::set<std::string> hashes;
  for (const auto& task : json["tasks"]) {
    for (const auto& pairing : task["pairing"]) {
      CHECK(pairing["equal"] == true);
      CHECK(pairing["runs"] == 3);
      hashes.insert(pairing["hash"].get<std::string>());
    }
  }
  CHECK(hashes.size() == 12);
  const std::string csv = read_file(whole + "/results.csv");
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 37);
  CHECK(fs::exists(fs::path(whole) / "report.html"));

  // The same, killed five times and once asked to stop.
  for (int i = 0; i < 6; ++i) {
    Running running({test::program(), "compare", suite, "--out", cut, "--jobs", "2"}, folder);
    std::this_thread::sleep_for(std::chrono::milliseconds(120 + 130 * i));
    running.signal(i == 5 ? SIGTERM : SIGKILL);
    const Outcome stopped = running.wait();
    CAPTURE(stopped.err);
    if (i == 5 && stopped.code != 0) {
      CHECK(stopped.code == 143);
      // On a slow machine it may still be planning or reading data, with nothing to be saved.
      if (stopped.err.find("weft: stopped\n") != std::string::npos) continue;
      CHECK(stopped.err.find("Continue with:\n  weft compare " + suite + " --out " + cut) !=
            std::string::npos);
      CHECK(comparison_results(cut)["complete"] == false);
    }
  }
  REQUIRE(weft_with(folder, {"compare", suite, "--out", cut}).code == 0);
  CHECK(findings(cut) == findings(whole));

  // Nothing is run twice; a changed suite, other seeds and other things in the folder are refused.
  const auto before = fs::last_write_time(fs::path(whole) / "runs/short/rms/seed-3/summary.json");
  CHECK(weft_with(folder, {"compare", suite, "--out", whole, "--json"}).code == 0);
  CHECK(fs::last_write_time(fs::path(whole) / "runs/short/rms/seed-3/summary.json") == before);
  CHECK(weft_with(folder, {"compare", suite, "--out", whole, "--quick"}).code == 2);
  CHECK(weft_with(folder, {"compare", suite, "--out", (folder / "").string()})
            .err.find("contains other files") != std::string::npos);
  fs::create_directory(folder / "mine");
  write_file((folder / "mine" / "suite.toml").string(), "mine");
  CHECK(weft_with(folder, {"compare", suite, "--out", (folder / "mine").string()})
            .err.find("contains other files") != std::string::npos);
  // What a comparison left that was killed before it had begun is taken for its beginning.
  fs::create_directory(folder / "killed");
  write_file((folder / "killed" / "suite.toml").string(), read_file(suite));
  write_file((folder / "killed" / "compare.json.17.0.part").string(), "{");
  REQUIRE(weft_with(folder, {"compare", suite, "--out", (folder / "killed").string()}).code == 0);
  CHECK(findings((folder / "killed").string()) == findings(whole));
  write_suite(folder,
              suite_text(folder, "equal = \"parameters\"\nreference = \"plain\"\ntolerance = 0.1\n",
                         "", "21"));
  CHECK(weft_with(folder, {"compare", suite, "--out", whole}).err.find("before it was changed") !=
        std::string::npos);
  CHECK(findings(cut) == findings(whole));

  // Arms that did not see the same batches: an error, and no verdict.
  const fs::path metrics = fs::path(whole) / "runs/short/rms/seed-3/metrics.jsonl";
  std::string text = read_file(metrics.string());
  text.replace(text.rfind("\"batch_hash\":\"") + 14, 4, "0000");
  write_file(metrics.string(), text);
  write_suite(folder,
              suite_text(folder, "equal = \"parameters\"\nreference = \"plain\"\ntolerance = 0.1\n",
                         "", "20"));
  const Outcome unpaired = weft_with(folder, {"compare", suite, "--out", whole});
  CHECK(unpaired.code == 1);
  CHECK(unpaired.err.find("did not see the same batches: task short, seed 3") != std::string::npos);
  CHECK(comparison_results(whole)["contrasts"][0]["verdict"] == "undecided");
}

TEST_CASE("a run that fails is reported, and its contrast undecided") {
  const TempFolder folder;
  const std::string suite = write_suite(
      folder,
      suite_text(
          folder, "equal = \"steps\"\n",
          "[[arm]]\nname = \"wild\"\nset = { lr = 1e6, optimizer = \"sgd\", clip = 0 }\n"
          "[[contrast]]\ntask = \"short\"\na = \"wild\"\nb = \"plain\"\nquestion = \"Wild?\"\n"));
  const Outcome done = weft_with(folder, {"compare", suite, "--out", (folder / "c").string()});
  CAPTURE(done.err);
  CHECK(done.code != 0);  // two contrasts want seven seeds
  std::string text = read_file(suite);
  text.replace(text.find("seeds = 6"), 9, "seeds = 7");
  write_file(suite, text);
  const Outcome again = weft_with(folder, {"compare", suite, "--out", (folder / "c").string()});
  CAPTURE(again.err);
  REQUIRE(again.code == 1);
  CHECK(again.err.find("14 of 56 runs failed") != std::string::npos);
  CHECK(again.out.find("failed: wild on short, seed 1: ") != std::string::npos);
  const auto json = comparison_results(folder / "c");
  CHECK(json["complete"] == true);
  CHECK(json["runs_failed"] == 14);
  CHECK(json["contrasts"][1]["verdict"] == "undecided");
  CHECK(json["contrasts"][1]["reason"] == "failed_runs");
  CHECK(json["contrasts"][0]["failed"] == 0);
}

TEST_CASE("equal FLOPs are solved by the steps, equal seconds by the measured pace") {
  const TempFolder folder;
  const std::string flops = write_suite(
      folder, suite_text(folder, "equal = \"flops\"\nreference = \"plain\"\n", "", "40"));
  REQUIRE(weft_with(folder, {"compare", flops, "--out", (folder / "f").string()}).code == 0);
  const auto json = comparison_results(folder / "f");
  for (const auto& cell : json["cells"]) {
    const double target = json["cells"][cell["task"] == "short" ? 0 : 3]["training_flops"];
    CHECK(std::abs(cell["training_flops"].get<double>() / target - 1) <=
          0.5 / cell["steps"].get<double>() + 0.01);
    if (cell["arm"] == "swiglu") CHECK(cell["steps"] < 40);
  }
  for (const auto& pairing : json["tasks"][0]["pairing"]) {
    CHECK(pairing["equal"] == true);  // as far as the shortest goes
    CHECK(pairing["steps"] < 40);
  }
  const std::string seconds =
      write_suite(folder, suite_text(folder, "equal = \"seconds\"\namount = 1\n"));
  REQUIRE(weft_with(folder, {"compare", seconds, "--check"}).code == 0);
}

TEST_CASE("every shipped suite can be planned, and its quick form too") {
  for (const EmbeddedFile& shipped : compare::shipped_suites()) {
    CAPTURE(shipped.name);
    const compare::Suite suite =
        compare::parse_suite(shipped.text, std::string(shipped.name) + ".toml");
    CHECK(suite.name == shipped.name);
    CHECK(suite.question.zh != suite.question.en);
    for (const compare::Contrast& contrast : suite.contrasts)
      CHECK(contrast.question.zh != contrast.question.en);
    CHECK(compare::make_plan(suite).runs() > 0);
    REQUIRE(suite.quick.has_value());
    CHECK(compare::make_plan(compare::quick_form(suite)).runs() > 0);
  }
}

TEST_CASE("what is wrong with a comparison is said") {
  const TempFolder folder;
  CHECK(weft_with(folder, {"compare", "cros-dimension"})
            .err.find("there is no suite and no file cros-dimension") != std::string::npos);
  CHECK(weft_with(folder, {"compare", "--jobs", "0"}).code == 2);
  CHECK(weft_with(folder, {"compare", "--list"}).code == 0);
  const std::string suite = write_suite(folder, "name = 3\n");
  CHECK(weft_with(folder, {"compare", suite})
            .err.find("tiny.toml:1] name must be a text in quotes") != std::string::npos);
}
