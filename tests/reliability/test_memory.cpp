// Memory: what a run needs is known before it starts, what cannot be is refused, and nothing grows.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/storage.h"
#include "tests/cli/run_program.h"
#include "train/memory_estimate.h"

using namespace weft;
using test::Running;
using test::TempFolder;
using test::weft_with;

namespace {

using MemoryWords = std::vector<std::string>;

/// What was estimated beside what `summary.json` says was held.
void check_estimate(const TempFolder& folder, const MemoryWords& run) {
  CAPTURE(run);
  MemoryWords estimate{"train"};
  estimate.insert(estimate.end(), run.begin(), run.end());
  MemoryWords train = estimate;
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
  MESSAGE("tensors: ", need.tensors_mib, " MiB foretold, ", tensors, " held; process: ", need.process_mib, " foretold, ", process, " held");
  CHECK(std::abs(need.tensors_mib / tensors - 1) <= 0.15);
}

}  // namespace

TEST_CASE("the estimate of a run's tensors is within 15 % of what it holds") {
  const TempFolder folder;
  check_estimate(folder, {"text", "--steps", "3", "--width", "64", "--batch", "40"});
  check_estimate(folder, {"text", "--preset", "text-best", "--steps", "3", "--layers", "2", "--batch", "24"});
  check_estimate(folder, {"vision", "--data", test::tiny_vision_config(folder).data, "--epochs", "1", "--validation", "10", "--batch", "40", "--patch", "2"});
}

TEST_CASE("a run that cannot fit is refused with what to change") {
  const TempFolder folder;
  const auto refused = weft_with(folder, {"train", "text", "--batch", "1000000", "--width", "64", "--layers", "1", "--out", (folder / "run").string()});
  CHECK(refused.code == 2);
  CHECK_MESSAGE(refused.err.find("MiB") != std::string::npos, refused.err);
  CHECK_MESSAGE(refused.err.find("batch") != std::string::npos, refused.err);
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("under a limited address space a run fails with a clear error") {
  const TempFolder folder;
  const auto limited = [&](const std::string& kib, const std::string& width) {
    const std::string command = "ulimit -v " + kib + "; exec " + test::program() + " train text --steps 2 --no-estimate --width " + width + " --out " + (folder / ("w" + width)).string();
    return Running({"/bin/sh", "-c", command}, folder).wait();
  };
  const auto tiny = limited("400000", "16");
  CHECK(tiny.code == 1);
  CHECK_MESSAGE(tiny.err.find("the address space is limited to 390 MiB (ulimit -v)") != std::string::npos, tiny.err);
  const auto small = limited("1500000", "2048");
  CHECK(small.code != 0);
  CHECK(small.code < 100);  // no signal
  CHECK_MESSAGE(small.err.find("memory") != std::string::npos, small.err);
  CHECK(limited("1800000", "16").code == 0);
}
#endif

TEST_CASE("ten thousand steps hold no more memory than a thousand") {
  const TempFolder folder;
  train::TextConfig c = test::tiny_text_config(folder);
  c.steps = 10000;
  c.eval_every = 1000;
  c.save_every = 1000;
  c.dropout = 0.1;
  struct Watch : train::Observer {
    void on_step(const train::StepRecord& record) override {
      if (record.step == 1500) early = memory_stats();
      if (record.step == 9999) late = memory_stats();
    }
    MemoryStats early, late;
  } watch;
  train::train_run(c, {.out = folder / "run", .observer = &watch});
  CHECK(watch.late.current == watch.early.current);
  CHECK(watch.late.peak == watch.early.peak);
  CHECK(watch.late.current + watch.late.cached <= watch.early.current + watch.early.cached);
}
