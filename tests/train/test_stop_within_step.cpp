// A run may be stopped amid a step or an evaluation: nothing of it is kept, and the run that goes
// on is the undisturbed one.
#include <doctest/doctest.h>

#include <map>

#include "tests/reliability/run_result.h"
#include "tests/train/tiny_runs.h"
#include "train/tasks/common/kinds.h"

using namespace weft;
using test::TempFolder;

namespace {

/// Stops after every `every`-th op, again and again, until the run is done; returns how often.
template <class C>
int stop_again_and_again(const C& config, const std::filesystem::path& out, std::int64_t every) {
  for (int stops = 0;; ++stops) {
    std::int64_t ops = 0;
    const auto stopped = [&] { return ops >= every; };
    const train::RunOptions options{.out = out,
                                    .resume = stops > 0,
                                    .estimate = false,
                                    .stop = stopped,
                                    .stop_within_step = [&] { return ++ops >= every; }};
    const train::Summary summary = stops == 0
                                       ? train::train_run(config, options)
                                       : train::resume_run(options, kind_of(config).name(), 0);
    if (!summary.interrupted) return stops;
    const auto metrics = test::read_metrics(out);
    const std::int64_t written = metrics.empty() ? 0 : metrics.back()["step"].get<std::int64_t>();
    CHECK(train::read_checkpoint_facts(out / "last.safetensors").progress.step == written);
    every += 1;  // or a step of more ops than that would never be done
    REQUIRE(stops < 2000);
  }
}

/// A step whose evaluation was interrupted has a record of each: here they become one.
void merge_metrics(const std::filesystem::path& run) {
  std::map<std::int64_t, nlohmann::json> steps;
  for (const auto& record : test::read_metrics(run))
    steps[record["step"].get<std::int64_t>()].update(record);
  std::string text;
  for (const auto& [step, record] : steps) text += record.dump() + "\n";
  write_file((run / "metrics.jsonl").string(), text);
}

template <class C>
void check_stops(const C& config, std::int64_t first) {
  const TempFolder folder;
  train::train_run(config, {.out = folder / "whole", .estimate = false});
  CHECK(stop_again_and_again(config, folder / "cut", first) >= 3);
  merge_metrics(folder / "cut");
  CHECK(test::result_of(folder / "cut") == test::result_of(folder / "whole"));
}

}  // namespace

TEST_CASE("amid forward, backward, accumulation and evaluation, with dropout") {
  const TempFolder folder;
  train::TextConfig c = test::tiny_text_config(folder);
  test::set(c, {{"dropout", "0.2"}});
  c.accumulate = 2;
  c.ema = 0.9;
  check_stops(c, 60);
}

TEST_CASE("amid steps that change running statistics") {
  const TempFolder folder;
  train::VisionConfig c = test::tiny_vision_config(folder);
  c.model = "resnet";
  test::set(c, {{"width", "8"}});
  check_stops(c, 40);
}
