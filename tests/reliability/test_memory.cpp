// Memory: what a run needs is known before it starts, what cannot be is refused, and nothing grows.
// WEFT_MEMORY_TABLE=1 checks more runs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "core/error.h"
#include "core/memory_limits.h"
#include "core/storage.h"
#include "tests/cli/run_program.h"
#include "train/loop/memory_estimate.h"
#include "train/tasks/common/kinds.h"

using namespace weft;
using test::Running;
using test::TempFolder;
using test::weft_with;

namespace {

using Words = std::vector<std::string>;

/// What was estimated beside what `summary.json` says was held, as a line of a table.
void check_estimate(const TempFolder& folder, const Words& run) {
  std::string words;
  for (const std::string& word : run) words += word + " ";
  CAPTURE(words);
  Words estimate{"train"};
  estimate.insert(estimate.end(), run.begin(), run.end());
  Words train = estimate;
  estimate.insert(estimate.end(), {"--estimate", "--json"});
  const auto told = weft_with(folder, estimate);
  REQUIRE_MESSAGE(told.code == 0, told.err);
  const train::MemoryNeed need = train::memory_need_from_json(told.out);
  const std::string out = (folder / "run").string();
  train.insert(train.end(), {"--out", out, "--json"});
  const auto done = weft_with(folder, train);
  REQUIRE_MESSAGE(done.code == 0, done.err);
  const auto metrics = test::read_metrics(out);
  const double tensors = metrics.back()["memory_mib"];
  const double process = nlohmann::json::parse(done.out)["peak_mib"];
  std::filesystem::remove_all(out);
  MESSAGE(
      fmt::format("tensors {:6.1f} MiB foretold, {:6.1f} held ({:+.0f} %); process {:6.1f} "
                  "foretold, {:6.1f} held ({:+.0f} %): {}",
                  need.tensors_mib, tensors, 100 * (need.tensors_mib / tensors - 1),
                  need.process_mib, process, 100 * (need.process_mib / process - 1), words));
  CHECK(std::abs(need.tensors_mib / tensors - 1) <= 0.15);
#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // which take as much again, in ways of their own
  CHECK(std::abs(need.process_mib / process - 1) <= 0.15);
#endif
}

}  // namespace

TEST_CASE("the estimate of what a run takes is within 15 % of what it holds") {
  const TempFolder folder;
  const Words few_images{"--epochs",     "1",   "--train-share", "0.01",
                         "--validation", "500", "--no-test"};
  const auto vision = [&](Words words) {
    words.insert(words.begin(), "vision");
    words.insert(words.end(), few_images.begin(), few_images.end());
    return words;
  };
  check_estimate(folder, {"text", "--steps", "3", "--width", "64", "--batch", "40"});
  check_estimate(folder, vision({"--batch", "64", "--layers", "2"}));
  check_estimate(folder, vision({"--batch", "64", "--model", "resnet"}));
  check_estimate(folder, {"sequence", "--preset", "recall", "--steps", "3", "--no-test"});
  check_estimate(folder, {"detect", "--steps", "2", "--batch", "4", "--width", "32",
                          "--eval-scenes", "8", "--no-test"});
  if (std::getenv("WEFT_MEMORY_TABLE") == nullptr) return;  // the rest takes a minute more
  check_estimate(folder, {"text", "--preset", "text-best", "--steps", "3"});
  check_estimate(folder, {"text", "--preset", "tang", "--steps", "3"});
  check_estimate(folder, vision({"--batch", "64", "--model", "cnn"}));
  check_estimate(folder,
                 {"bert", "--data", "sms-spam", "--steps", "3", "--layers", "2", "--width", "64"});
}

TEST_CASE(
    "a cgroup's limit counts, of version 1 and 2, its own and those above it; and what is free") {
  const TempFolder folder;
  const std::string root = (folder / "root").string();
  const auto write = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    write_file(root + path, text);
  };
  const train::MemoryNeed need{
      .tensors_mib = 300, .process_mib = 400, .batch = 40, .per_example_mib = 5};
  const auto refusal = [&] {
    try {
      train::check_memory_need(need, available_memory(root));
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  const auto mib = [](std::int64_t n) { return std::to_string(n << 20) + "\n"; };
  CHECK(cgroup_memory_limit(root) == std::numeric_limits<std::int64_t>::max());
  write("/proc/self/cgroup", "0::/user/job\n");
  write("/sys/fs/cgroup/user/job/memory.max", "max\n");
  CHECK(refusal() == "none");
  write("/sys/fs/cgroup/user/memory.max", mib(300));
  CHECK(refusal() ==
        "[config] this run needs about 400 MiB, and 300 MiB are the limit of its cgroup: lower the "
        "batch from 40 to 20 at most (--accumulate makes up for it)");
  write("/sys/fs/cgroup/user/job/memory.max", mib(150));
  CHECK(refusal() ==
        "[config] this run needs about 400 MiB, and 150 MiB are the limit of its cgroup: lower "
        "width, layers or context: even a batch of one does not fit");
  write("/sys/fs/cgroup/user/job/memory.high", mib(140));
  CHECK(cgroup_memory_limit(root) == std::int64_t{140} << 20);
  write("/proc/self/cgroup", "7:cpu,memory:/box\n1:name=systemd:/box\n");
  CHECK(refusal() == "none");
  write("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", mib(350));
  CHECK(cgroup_memory_limit(root) == std::int64_t{350} << 20);
  write("/proc/self/cgroup", "0::/../odd\nrubbish\n");
  write("/proc/meminfo",
        "MemTotal:  900000 kB\nMemFree: 1 kB\nMemAvailable:   204800 kB\nSwapFree:  102400 kB\n");
  CHECK(refusal().find("300 MiB are free") != std::string::npos);
}

TEST_CASE("a run that cannot fit is refused with what to change") {
  const TempFolder folder;
  const auto refused = weft_with(folder, {"train", "text", "--batch", "1000000", "--width", "64",
                                          "--layers", "1", "--out", (folder / "run").string()});
  CHECK(refused.code == 2);
  CHECK_MESSAGE(refused.err.find("MiB") != std::string::npos, refused.err);
  CHECK_MESSAGE(refused.err.find("batch") != std::string::npos, refused.err);
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("under a limited address space a run fails with a clear error") {
  const TempFolder folder;
  const auto limited = [&](const std::string& kib, const std::string& width) {
    const std::string command = "ulimit -v " + kib + "; exec " + test::program() +
                                " train text --steps 2 --no-estimate --width " + width + " --out " +
                                (folder / ("w" + width)).string();
    return Running({"/bin/sh", "-c", command}, folder).wait();
  };
  const auto tiny = limited("400000", "16");
  CHECK(tiny.code == 1);
  CHECK_MESSAGE(
      tiny.err.find("the address space is limited to 390 MiB (ulimit -v)") != std::string::npos,
      tiny.err);
  const auto small = limited("1500000", "2048");
  CHECK(small.code != 0);
  CHECK(small.code < 100);  // no signal
  CHECK_MESSAGE(small.err.find("memory") != std::string::npos, small.err);
  CHECK(limited("1800000", "16").code == 0);
}
#endif

namespace {

/// What tensors took, in use and kept for the next, early and late in a run.
struct MemoryWatch : train::Observer {
  MemoryWatch(std::int64_t early_step, std::int64_t late_step)
      : early_step(early_step), late_step(late_step) {}
  void on_step(const train::StepRecord& record) override {
    if (record.step == early_step) early = memory_stats();
    if (record.step == late_step) late = memory_stats();
  }
  std::int64_t early_step, late_step;
  MemoryStats early, late;
};

}  // namespace

TEST_CASE("ten thousand steps hold no more memory than a thousand") {
  const TempFolder folder;
  train::TextConfig c = test::tiny_text_config(folder);
  c.steps = 10000;
  c.eval_every = 1000;
  c.save_every = 1000;
  test::set(c, {{"dropout", "0.1"}});
  MemoryWatch watch(1500, 9999);
  train::train_run(c, {.out = folder / "run", .observer = &watch});
  CHECK(watch.late.current == watch.early.current);
  CHECK(watch.late.peak == watch.early.peak);
  CHECK(watch.late.current + watch.late.cached <= watch.early.current + watch.early.cached);
}

TEST_CASE("batches of ever different lengths do not gather memory") {
  const TempFolder folder;
  std::string lines;
  for (int i = 0; i < 2000; ++i) {
    lines += i % 3 == 0 ? "spam\t" : "ham\t";
    for (int word = 0; word < 1 + i * i % 97; ++word)
      lines += fmt::format("{} ", (i * 31 + word * 7) % 23);
    lines += '\n';
  }
  write_file((folder / "labels.tsv").string(), lines);
  const train::Kind& kind = train::find_kind("classify", "test");
  const auto config =
      train::resolve(kind, train::Sources{.preset = "",
                                          .file = {},
                                          .flags = {{"data", (folder / "labels.tsv").string()},
                                                    {"context", "200"},
                                                    {"layers", "1"},
                                                    {"heads", "2"},
                                                    {"width", "32"},
                                                    {"batch", "8"},
                                                    {"steps", "1500"}}});
  MemoryWatch watch(150, 1499);
  train::train_run(kind, *config, {.out = folder / "run", .estimate = false, .observer = &watch});
  MESSAGE(fmt::format(
      "in use at most {:.1f} MiB, kept in all {:.1f} MiB after 150 steps and {:.1f} after 1,500",
      static_cast<double>(watch.late.peak) / (1 << 20),
      static_cast<double>(watch.early.current + watch.early.cached) / (1 << 20),
      static_cast<double>(watch.late.current + watch.late.cached) / (1 << 20)));
  CHECK(watch.late.current + watch.late.cached <=
        watch.late.peak + watch.late.peak / 2 + (4 << 20));
}
