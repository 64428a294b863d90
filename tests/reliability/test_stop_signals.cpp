// Every signal that asks a program to end, at every point of every kind of run: what there is to
// save is saved and goes on to the same bits, and where there is nothing yet, nothing is left.
#include <doctest/doctest.h>

#include <csignal>
#include <set>

#include "core/io/process.h"
#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "tests/reliability/every_kind.h"
#include "tests/reliability/run_result.h"

using namespace weft;
using test::operator+;
using test::Outcome;
using test::result_of;
using test::Running;
using test::TempFolder;
using test::tiny_train;
using test::weft_with;

namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

/// By a shell, with weft in $WEFT.
Outcome shell(const TempFolder& folder, const std::string& script) {
  return Running({"/usr/bin/env", "WEFT=" + test::program(), "/bin/sh", "-c", script}, folder)
      .wait();
}

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += " '" + word + "'";
  return text;
}

const Words kEndless{"--steps",      "1000000", "--eval-every", "50",
                     "--save-every", "500000",  "--no-estimate"};

/// In metrics.jsonl, which has two records of a step whose evaluation was interrupted.
std::int64_t last_step(const fs::path& run) {
  return test::read_metrics(run).back()["step"].get<std::int64_t>();
}

void check_saved(const fs::path& run) {
  REQUIRE(fs::exists(run / "last.safetensors"));
  CHECK(train::read_checkpoint_facts(run / "last.safetensors").progress.step == last_step(run));
  CHECK_FALSE(fs::exists(run / "summary.json"));
}

}  // namespace

TEST_CASE("each signal saves and exits with 128 and its number, and the run can go on") {
  const TempFolder folder;
  const std::string out = (folder / "run").string();
  std::int64_t begun = 0;
  for (const int signal : kStopSignals) {
    CAPTURE(signal);
    Running running(
        Words{test::program()} + (begun == 0 ? tiny_train(folder, out) + kEndless
                                             : Words{"train", "text", "--resume", "--out", out}),
        folder);
    REQUIRE(test::wait_for(out + "/metrics.jsonl", fmt::format("\"step\":{},", begun + 20)));
    running.signal(signal);
    const Outcome stopped = running.wait();
    CHECK_MESSAGE(stopped.code == 128 + signal, stopped.err);
    CHECK_MESSAGE(stopped.err.find("weft train text --resume --out " + out) != std::string::npos,
                  stopped.err);
    check_saved(out);
    CHECK(last_step(out) >= begun + 20);
    begun = last_step(out);
  }
}

TEST_CASE("what is ignored from the start stays ignored, and the system's signals may come twice") {
  const TempFolder folder;
  const std::string out = (folder / "run").string();
  Running running(
      {"/bin/sh", "-c",
       "trap '' HUP; exec " + test::program() + joined(tiny_train(folder, out) + kEndless)},
      folder);
  REQUIRE(test::wait_for(out + "/metrics.jsonl", "\"step\":20,"));
  running.signal(SIGHUP);
  const std::int64_t after = last_step(out);
  REQUIRE(test::wait_for(out + "/metrics.jsonl", fmt::format("\"step\":{},", after + 40)));
  for (const int signal : {SIGSTOP, SIGUSR1, SIGXCPU, SIGCONT})
    running.signal(signal);  // a warning, and another
  const Outcome stopped = running.wait();
  CHECK_MESSAGE((stopped.code == 128 + SIGUSR1 || stopped.code == 128 + SIGXCPU), stopped.err);
  CHECK_MESSAGE(stopped.err.find("and saved") != std::string::npos, stopped.err);
  check_saved(out);
}

TEST_CASE("the limit of the processor's time, and nobody who reads the progress, save the run") {
  const TempFolder folder;
  const std::string timed = (folder / "timed").string(), unread = (folder / "unread").string();
  const Outcome late = shell(
      folder, "ulimit -S -t 1; exec \"$WEFT\"" + joined(tiny_train(folder, timed) + kEndless));
  CHECK_MESSAGE(late.code == 128 + SIGXCPU, late.err);
  check_saved(timed);
  const Outcome alone =
      shell(folder, "{ \"$WEFT\"" + joined(tiny_train(folder, unread) + kEndless) +
                        " 3>&1 >/dev/null 2>&3; echo \"code $?\" >&4; } 4>" +
                        (folder / "code").string() + " | head -n 1");
  CHECK(alone.out.find("parameters") != std::string::npos);
  CHECK(read_file((folder / "code").string()) == fmt::format("code {}\n", 128 + SIGPIPE));
  check_saved(unread);
}

TEST_CASE(
    "a file as large as ulimit -f allows is an error with what to do, and the run goes on without "
    "the limit") {
  const TempFolder folder;
  const std::string out = (folder / "run").string(), compared = (folder / "c").string();
  const std::string suite = test::tiny_suite(folder, "steps = 8\n", "margin = 5\n");
  const Outcome limited =
      shell(folder, "ulimit -f 8; exec \"$WEFT\"" + joined(tiny_train(folder, out)));
  CHECK(limited.code == 3);
  CHECK_MESSAGE(limited.err.find("a file would be larger than `ulimit -f` allows: step 4 is not "
                                 "saved, and training continues") != std::string::npos,
                limited.err);
  CHECK_MESSAGE(
      limited.err.find("raise that limit and continue with --resume") != std::string::npos,
      limited.err);
  CHECK(test::read_metrics(out).size() == 12);
  CHECK(weft_with(folder, {"train", "text", "--resume", "--out", out}).code == 0);
  CHECK(fs::exists(out + "/summary.json"));

  const Outcome comparison =
      shell(folder, "ulimit -f 8; exec \"$WEFT\" compare '" + suite + "' --out '" + compared + "'");
  CHECK(comparison.code == 3);
  CHECK_MESSAGE(comparison.err.find(
                    "larger than `ulimit -f` allows; finished runs are kept: raise that limit") !=
                    std::string::npos,
                comparison.err);
  const Outcome printed = shell(
      folder, "(ulimit -f 0; exec \"$WEFT\" info 2>&1 >" + (folder / "info").string() + ") | cat");
  CHECK_MESSAGE(printed.out.find("[output] the output could not be written: File too large") !=
                    std::string::npos,
                printed.out);
}

TEST_CASE("standard descriptors that are closed are not taken by files") {
  const TempFolder folder;
  const std::string whole = (folder / "whole").string();
  REQUIRE(weft_with(folder, tiny_train(folder, whole)).code == 0);
  int number = 0;
  const std::vector<std::pair<std::string, bool>> all{
      {"<&-", true},      {"2>&-", true},      {"<&- 2>&-", true},     {">&-", false},
      {"<&- >&-", false}, {">&- 2>&-", false}, {"<&- >&- 2>&-", false}};
  for (const auto& [closed, heard] : all) {  // whether the results can be printed
    CAPTURE(closed);
    const std::string out = (folder / fmt::format("run{}", number++)).string();
    const Outcome run =
        shell(folder, "exec \"$WEFT\"" + joined(tiny_train(folder, out)) + " " + closed);
    CHECK_MESSAGE(run.code == (heard ? 0 : 1), run.err);
    if (!heard && closed.find("2>&-") == std::string::npos)
      CHECK_MESSAGE(run.err.find("[output] the output could not be written") != std::string::npos,
                    run.err);
    CHECK(result_of(out) == result_of(whole));  // reads every line of metrics.jsonl
  }
}

TEST_CASE("a signal to a comparison lets its runs save; a run that alone is warned goes on") {
  const TempFolder folder;
  const std::string suite = test::tiny_suite(
                        folder, "steps = 1000000\nsave_every = 500000\neval_every = 500000\n",
                        "margin = 5\n"),
                    out = (folder / "c").string();
  const fs::path one = folder / "c" / "runs/t/a/seed-1";
  for (const int signal : {SIGHUP, SIGUSR1, SIGXCPU}) {
    CAPTURE(signal);
    const std::int64_t begun = fs::exists(one / "metrics.jsonl") ? last_step(one) : 0;
    Running running({test::program(), "compare", suite, "--out", out, "--jobs", "1"}, folder);
    REQUIRE(test::wait_for(one / "metrics.jsonl", fmt::format("\"step\":{},", begun + 20)));
    if (signal == SIGUSR1) {
      const auto runs = running.children();
      REQUIRE(runs.size() == 1);
      ::kill(runs[0], signal);
      while (running.children() == runs) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      REQUIRE(test::wait_for(one / "metrics.jsonl",
                             fmt::format("\"step\":{},", last_step(one) + 20)));  // begun again
    }
    running.signal(signal);
    const Outcome stopped = running.wait();
    CHECK_MESSAGE(stopped.code == 128 + signal, stopped.err);
    check_saved(one);
    for (const auto& entry : fs::recursive_directory_iterator(out))
      CHECK(entry.path().extension() != ".failed");
  }
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // their libraries must be loaded first
namespace {

/// With the signal raised where the program has written `at`, and each phase told as it begins.
Outcome raised(const TempFolder& folder, const Words& words, int signal, const std::string& at) {
  return Running(Words{"/usr/bin/env", "WEFT_TELL_AFTER=0", "TMPDIR=" + (folder / "tmp").string(),
                       std::string("LD_PRELOAD=") + WEFT_BINARY_DIR + "/tests/libraise_signal.so",
                       fmt::format("WEFT_TEST_RAISE={}", signal), "WEFT_TEST_RAISE_AT=" + at,
                       test::program()} +
                     words,
                 folder)
      .wait();
}

std::vector<std::string> phases_of(const std::string& err) {
  std::vector<std::string> phases;
  std::set<std::string> seen;
  for (std::size_t at = 0; at < err.size();) {
    const std::size_t end = std::min(err.find('\n', at), err.size());
    const std::string line = err.substr(at, end - at);
    if (line.starts_with("weft is ") && seen.insert(line).second) phases.push_back(line);
    at = end + 1;
  }
  return phases;
}

/// A signal at each phase of the preparation leaves nothing; one amid training saves, and the run
/// goes on to the same bits.
void check_every_point(const TempFolder& folder, const std::string& kind, const Words& words,
                       std::size_t& turn) {
  CAPTURE(kind);
  const auto next_signal = [&] { return kStopSignals[turn++ % kStopSignals.size()]; };
  const std::string whole = (folder / ("whole-" + kind)).string(),
                    cut = (folder / ("cut-" + kind)).string();
  const Outcome undisturbed =
      raised(folder, words + Words{"--out", whole}, SIGTERM, "\n never written");
  REQUIRE_MESSAGE(undisturbed.code == 0, undisturbed.err);
  const auto phases = phases_of(undisturbed.err.substr(0, undisturbed.err.find(" parameters, ")));
  CHECK(phases.size() >= 1);
  for (const std::string& phase : phases) {
    CAPTURE(phase);
    const int signal = next_signal();
    const Outcome stopped = raised(folder, words + Words{"--out", cut}, signal, phase + "\n");
    CHECK_MESSAGE(stopped.code == 128 + signal, stopped.err);
    CHECK_FALSE(fs::exists(cut));
    CHECK(fs::is_empty(folder / "tmp"));
  }
  const int signal = next_signal();
  const Outcome stopped = raised(folder, words + Words{"--out", cut}, signal, "\"step\":3,");
  CHECK_MESSAGE(stopped.code == 128 + signal, stopped.err);
  check_saved(cut);
  const Outcome resumed = weft_with(folder, {"train", kind, "--resume", "--out", cut});
  REQUIRE_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(result_of(cut) == result_of(whole));
}

}  // namespace

TEST_CASE("a signal at every phase of every kind of run") {
  const TempFolder folder;
  fs::create_directory(folder / "tmp");
  std::size_t turn = 0;
  for (const auto& [kind, words] : test::a_run_of_every_kind(folder))
    check_every_point(folder, kind, kind == "text" ? words : words + Words{"--no-estimate"}, turn);
}

TEST_CASE("a signal while a comparison that goes on looks at its data ends it at once") {
  const TempFolder folder;
  fs::create_directory(folder / "tmp");
  const std::string suite = test::tiny_suite(folder, "steps = 2\n", "margin = 5\n");
  const Words words{"compare", suite, "--out", (folder / "c").string()};
  REQUIRE(weft_with(folder, words).code == 0);
  fs::remove_all(folder / "c" / "runs/t/b/seed-2");
  const Outcome stopped = raised(folder, words, SIGTERM, "those of earlier runs\n");
  CHECK(stopped.code == 128 + SIGTERM);
  CHECK_MESSAGE(stopped.err.ends_with("those of earlier runs\nweft: stopped\n"), stopped.err);
  CHECK_FALSE(fs::exists(folder / "c" / "runs/t/b/seed-2"));
  CHECK(weft_with(folder, words).code == 0);
}

TEST_CASE("a signal while a trained model is used ends that at once") {
  const TempFolder folder;
  fs::create_directory(folder / "tmp");
  const std::string run = (folder / "run").string(), page = (folder / "page.html").string();
  REQUIRE(weft_with(folder, tiny_train(folder, run)).code == 0);
  for (const Words& words :
       {Words{"eval", run}, Words{"sample", run, "--chars", "20", "--json"},
        Words{"explain", "attention", run, "--out", page}, Words{"info", run}}) {
    CAPTURE(words[0]);
    const Outcome whole = raised(folder, words, SIGTERM, "\n never written");
    REQUIRE_MESSAGE(whole.code == 0, whole.err);
    const auto phases = phases_of(whole.err);
    CHECK(phases.size() >= 1);
    fs::remove(page);
    for (const std::string& phase : phases) {
      CAPTURE(phase);
      const Outcome stopped = raised(folder, words, SIGINT, phase + "\n");
      CHECK_MESSAGE(stopped.code == 128 + SIGINT, stopped.err);
      CHECK(stopped.out.empty());
      CHECK_FALSE(fs::exists(page));
    }
  }
}
#endif
