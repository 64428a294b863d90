// Comparisons that are disturbed: stopped from the terminal, a full disk, runs that somebody else
// holds, failures that are made good with --retry.
#include <doctest/doctest.h>

#include <csignal>
#include <map>

#include "core/io/open_files.h"
#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "train/config/run_config.h"
#include "train/loop/checkpoint.h"

using namespace weft;
using test::comparison_results;
using test::operator+;
using test::Outcome;
using test::Running;
using test::TempFolder;
using test::tiny_suite;
using test::weft_with;

namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

const std::string kMargin = "margin = 5\n";
/// One seed to try rates with, and as many rates as a grid may have, so that it stays as it is.
const std::string kRates =
    kMargin + "tuning_seeds = 1\nlr_factors = [0.01, 0.1, 0.25, 0.5, 2, 4, 8]\n";

std::string values_of(const fs::path& folder) {
  const auto json = comparison_results(folder);
  std::string text;
  for (const auto& cell : json["cells"])
    text += cell["values"].dump() + cell["lr"].dump() + cell["tried"].dump();
  return text;
}

bool has_failures(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".failed") return true;
  return false;
}

}  // namespace

TEST_CASE("Ctrl-C in a terminal, which reaches the runs too, lets all of them save") {
  const TempFolder folder;
  const std::string suite = tiny_suite(
                        folder, "steps = 1000000\nsave_every = 500000\neval_every = 500000\n",
                        kMargin),
                    out = (folder / "c").string();
  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const fs::path one = folder / "c" / "runs/t/a/seed-1", other = folder / "c" / "runs/t/b/seed-1";
    std::map<fs::path, std::size_t> begun;
    for (const fs::path& run : {one, other})
      begun[run] = fs::exists(run / "metrics.jsonl") ? test::read_metrics(run).size() : 0;
    Running running({"setsid", test::program(), "compare", suite, "--out", out, "--jobs", "2"},
                    folder);
    // What is there already is of the time before: each must have gone on by itself.
    for (const auto& [run, steps] : begun)
      REQUIRE(test::wait_for(run / "metrics.jsonl", fmt::format("\"step\":{},", steps + 20)));
    // The runs are stopped meanwhile, so that the terminal's signal and what the comparison sends
    // them come at once.
    const auto runs = running.children();
    REQUIRE(runs.size() == 2);
    for (const pid_t run : runs) ::kill(run, SIGSTOP);
    running.signal_group(signal);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    for (const pid_t run : runs) ::kill(run, SIGCONT);
    const Outcome stopped = running.wait();
    CHECK_MESSAGE(stopped.code == 128 + signal, stopped.err);
    for (const fs::path& run : {one, other}) {
      REQUIRE(fs::exists(run / "last.safetensors"));
      CHECK(train::read_checkpoint_facts(run / "last.safetensors").progress.step ==
            static_cast<std::int64_t>(test::read_metrics(run).size()));
    }
    CHECK_FALSE(has_failures(out));
  }
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // their libraries must be loaded first
TEST_CASE("a full disk ends a comparison without a failed run, and it goes on when there is room") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 8\n", kMargin),
                    out = (folder / "c").string(), full = (folder / "full").string();
  write_file(full, "");
  const Words preloaded{
      "/usr/bin/env", std::string("LD_PRELOAD=") + WEFT_BINARY_DIR + "/tests/libfull_disk.so",
      "WEFT_TEST_FULL=" + full, "WEFT_TEST_FULL_FOR=.safetensors.", test::program()};
  const Outcome train =
      Running(preloaded + test::tiny_train(folder, (folder / "run").string()), folder).wait();
  CHECK(train.code == 3);
  CHECK_MESSAGE(train.err.find("the disk is full: step 12 is not saved") != std::string::npos,
                train.err);
  const Outcome stopped = Running(preloaded + Words{"compare", suite, "--out", out}, folder).wait();
  CHECK(stopped.code == 3);
  CHECK_MESSAGE(stopped.err.find("the disk is full; finished runs are kept") != std::string::npos,
                stopped.err);
  CHECK_FALSE(has_failures(out));
  fs::remove(full);
  const Outcome done = Running(preloaded + Words{"compare", suite, "--out", out}, folder).wait();
  REQUIRE_MESSAGE(done.code == 0, done.err);
  CHECK(comparison_results(out)["runs_done"] == 12);
}

TEST_CASE("where the disk is full for the comparison itself, its runs save") {
  const TempFolder folder;
  const std::string suite =
      tiny_suite(folder, "steps = 2000\nsave_every = 2000\neval_every = 2000\n",
                 kMargin + "tuning_seeds = 1\nlr_factors = [0.5, 1, 2]\n");
  const fs::path out = folder / "c",
                 tries[2] = {out / "runs/t/a/try-0.5-seed-0", out / "runs/t/a/try-1-seed-0"};
  const std::string full = (folder / "full").string();
  Running running(
      {"/usr/bin/env", std::string("LD_PRELOAD=") + WEFT_BINARY_DIR + "/tests/libfull_disk.so",
       "WEFT_TEST_FULL=" + full, "WEFT_TEST_FULL_FOR=/configs/", test::program(), "compare", suite,
       "--out", out.string(), "--jobs", "2"},
      folder);
  for (const fs::path& run : tries) REQUIRE(test::wait_for(run / "metrics.jsonl", "\"step\":20,"));
  const auto runs = running.children();
  REQUIRE(runs.size() == 2);
  write_file(full, "");
  ::kill(runs[1], SIGSTOP);  // so that one of them ends, and the other is in the middle
  for (int i = 0;
       i < 6000 && !fs::exists(tries[0] / "summary.json") && !fs::exists(tries[1] / "summary.json");
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ::kill(runs[1], SIGCONT);
  const Outcome stopped = running.wait();
  CHECK(stopped.code == 3);
  CHECK_MESSAGE(stopped.err.find("the disk is full; finished runs are kept") != std::string::npos,
                stopped.err);
  for (const fs::path& run : tries) CHECK(fs::exists(run / "last.safetensors"));
  CHECK_FALSE(has_failures(out));
}
#endif

TEST_CASE("a run that somebody else trains is waited for") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 8\n", kMargin),
                    out = (folder / "c").string();
  const fs::path held = folder / "c" / "runs/t/a/seed-1", last = folder / "c" / "runs/t/b/seed-6";
  Running first({test::program(), "compare", suite, "--out", out, "--jobs", "1"}, folder);
  REQUIRE(test::wait_for(held / "summary.json", "seed"));
  first.signal(SIGTERM);
  first.wait();
  fs::remove(held / "summary.json");  // as if it were not done
  auto lock = std::make_unique<files::FolderLock>(held);
  Running running({test::program(), "compare", suite, "--out", out}, folder);
  REQUIRE(test::wait_for(last / "summary.json", "seed"));
  lock.reset();
  const Outcome done = running.wait();
  REQUIRE_MESSAGE(done.code == 0, done.err);
  CHECK(comparison_results(out)["runs_done"] == 12);
  CHECK_FALSE(has_failures(out));
}

TEST_CASE("equal seconds: the pace is measured, also with a long warmup, and again with --retry") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 1000\nwarmup = 50\n", kMargin,
                                       "equal = \"seconds\"\namount = 1\n"),
                    out = (folder / "c").string();
  Running first({test::program(), "compare", suite, "--out", out}, folder);
  REQUIRE(test::wait_for(folder / "c" / "runs/t/b/pace-1/summary.json", "seed"));
  first.signal(SIGKILL);
  first.wait();
  fs::remove_all(folder / "c" / "runs/t/b/pace-1");
  write_file((folder / "c" / "runs/t/b/pace-1.failed").string(),
             "ended by signal 9 (out of memory?)\n");
  const Outcome stuck = weft_with(folder, {"compare", suite, "--out", out});
  CHECK(stuck.code == 2);
  CHECK_MESSAGE(stuck.err.find("its speed could not be measured: ended by signal 9 (out of "
                               "memory?); repeat it with --retry") != std::string::npos,
                stuck.err);
  const Outcome done =
      weft_with(folder, {"compare", suite, "--out", out, "--retry", "--jobs", "4"});
  REQUIRE_MESSAGE(done.code == 0, done.err);
  const auto json = comparison_results(out);
  CHECK(json["runs_done"] == 12);
  for (const auto& cell : json["cells"]) CHECK(cell["steps"].get<double>() > 20);
}

TEST_CASE("a learning rate that is tried again with --retry is every run's, or none's") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 12\n", kRates);
  const fs::path whole = folder / "whole", cut = folder / "cut", cell = cut / "runs/t/a";
  REQUIRE(weft_with(folder, {"compare", suite, "--out", whole.string()}).code == 0);
  fs::copy(whole, cut, fs::copy_options::recursive);
  // As if the best learning rate had failed when it was tried: the runs of the cell are made with
  // another one.
  const auto results = comparison_results(whole);
  std::string best, worse;  // worse: the worst of them
  double best_value = INFINITY, worst_value = -INFINITY;
  for (const auto& tried : results["cells"][0]["tried"]) {
    const std::string name = fmt::format("try-{}-seed-0", tried["factor"].get<double>());
    const double value = tried["value"].get<double>();
    if (value < best_value) {
      best = name;
      best_value = value;
    }
    if (value > worst_value) {
      worse = name;
      worst_value = value;
    }
  }
  fs::remove_all(cell);
  fs::create_directories(cell);
  for (const auto& entry : fs::directory_iterator(whole / "runs/t/a")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("try-") && name != best)
      fs::copy(entry.path(), cell / name, fs::copy_options::recursive);
  }
  write_file((cell / (best + ".failed")).string(), "ended by signal 9\n");
  REQUIRE(weft_with(folder, {"compare", suite, "--out", cut.string()}).code == 0);
  CHECK(values_of(cut) != values_of(whole));
  const fs::path mixed = folder / "mixed";
  fs::copy(cell, mixed, fs::copy_options::recursive);
  // One of them failed for a passing reason, too.
  fs::remove_all(cell / "seed-5");
  write_file((cell / "seed-5.failed").string(), "ended by signal 9\n");
  const auto other_arm = fs::last_write_time(cut / "runs/t/b/seed-3/summary.json");
  REQUIRE(weft_with(folder, {"compare", suite, "--out", cut.string(), "--retry"}).code == 0);
  CHECK(values_of(cut) == values_of(whole));
  CHECK(fs::last_write_time(cut / "runs/t/b/seed-3/summary.json") == other_arm);
  // Also where the next sitting knows nothing of it: some seeds have the one rate, some the other.
  for (const char* run : {"seed-2", "seed-4"}) {
    fs::remove_all(cell / run);
    fs::copy(mixed / run, cell / run, fs::copy_options::recursive);
  }
  REQUIRE(weft_with(folder, {"compare", suite, "--out", cut.string()}).code == 0);
  CHECK(values_of(cut) == values_of(whole));

  // The same try again, and nothing better: what is done stays.
  const auto kept = fs::last_write_time(cell / "seed-2/summary.json");
  fs::remove_all(cell / worse);
  write_file((cell / (worse + ".failed")).string(), "ended by signal 9\n");
  REQUIRE(weft_with(folder, {"compare", suite, "--out", cut.string(), "--retry"}).code == 0);
  CHECK(values_of(cut) == values_of(whole));
  CHECK(fs::last_write_time(cell / "seed-2/summary.json") == kept);
}

TEST_CASE("runs of an earlier version are kept, but get no new ones beside them") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 2\neval_every = 2\n", kMargin);
  const Words compare{"compare", suite, "--out", (folder / "c").string()};
  REQUIRE(weft_with(folder, compare).code == 0);
  const fs::path one = folder / "c" / "runs/t/a/seed-1", other = folder / "c" / "runs/t/b/seed-2";
  auto config = nlohmann::ordered_json::parse(read_file((one / "config.json").string()));
  config["format"] = 2;
  write_file((one / "config.json").string(), config.dump());
  CHECK(weft_with(folder, compare).code == 0);  // nothing is left to do
  fs::remove_all(other);
  const Outcome refused = weft_with(folder, compare);
  CHECK(refused.code == 2);
  CHECK_MESSAGE(refused.err.find("holds runs of an earlier version (format 2") != std::string::npos,
                refused.err);
  CHECK(!fs::exists(other));
  config["format"] = train::kConfigFormat;
  write_file((one / "config.json").string(), config.dump());
  CHECK(weft_with(folder, compare).code == 0);
  CHECK(fs::exists(other / "summary.json"));
}
