// Moving averages of models with batch norms: their running statistics are averaged with the
// weights, except in runs of before.
#include <doctest/doctest.h>

#include "core/io/safetensors.h"
#include "tests/train/tiny_runs.h"
#include "train/loop/trainer.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/vision/vision_run.h"

namespace weft {
namespace {

using test::TempFolder;

train::VisionConfig averaged_resnet(const TempFolder& folder, std::int64_t format) {
  train::VisionConfig c = test::tiny_vision_config(folder);
  c.model = "resnet";
  c.ema = 0.9;
  c.format = format;
  return c;
}

struct StopAtThird : train::Observer {
  void on_step(const train::StepRecord& record) override { stop = record.step >= 3; }
  bool stop = false;
};

bool is_statistic(const std::string& name) { return name.find("running_") != std::string::npos; }

}  // namespace

TEST_CASE("running statistics are averaged, saved, resumed and used with the weights") {
  const TempFolder folder;
  for (const std::int64_t format : {train::kConfigFormat, std::int64_t{2}}) {
    CAPTURE(format);
    const auto whole = folder / ("whole" + std::to_string(format));
    const auto cut = folder / ("cut" + std::to_string(format));
    const train::VisionConfig c = averaged_resnet(folder, format);
    train::train_run(c, {.out = whole});
    StopAtThird observer;
    train::train_run(c, {.out = cut, .observer = &observer, .stop = [&] { return observer.stop; }});
    train::resume_run({.out = cut, .resume = true}, "vision", 0);

    const auto file = read_safetensors(whole / "last.safetensors");
    const auto resumed = read_safetensors(cut / "last.safetensors");
    CHECK(file.tensors.size() == resumed.tensors.size());
    int statistics = 0, averages = 0;
    for (const auto& [name, tensor] : file.tensors) {
      CHECK_MESSAGE(tensor.to_vector<double>() == resumed.find(name).to_vector<double>(), name);
      if (!is_statistic(name)) continue;
      ++(name.starts_with("ema.") ? averages : statistics);
    }
    CHECK(statistics > 0);
    CHECK(averages == (format < 3 ? 0 : statistics));

    const train::VisionRun run(train::read_run(whole));
    for (const auto& [name, tensor] : run.model().state_dict()) {
      const bool averaged = !is_statistic(name) || format >= 3;
      const Tensor saved = file.find(averaged ? "ema." + name : name);
      CHECK_MESSAGE(tensor.to_vector<double>() == saved.to_vector<double>(), name);
      if (averaged && is_statistic(name))
        CHECK_MESSAGE(tensor.to_vector<double>() != file.find(name).to_vector<double>(), name);
    }
  }
}

}  // namespace weft
