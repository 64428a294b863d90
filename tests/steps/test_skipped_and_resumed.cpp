// A run that left a step out and is resumed has the bits of one that was never stopped: the
// optimizer and the moving average count their own updates.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/loss.h"
#include "core/io/safetensors.h"
#include "core/random.h"
#include "nn/models/mlp.h"
#include "tests/train/tiny_runs.h"
#include "train/loop/checkpoint.h"
#include "train/loop/run_folder.h"

using namespace weft;
using namespace weft::train;
using test::TempFolder;

namespace {

/// Three classes of numbers, of which the third batch is none.
class PoisonedTask : public Task {
 public:
  PoisonedTask() : model_({.input_shape = Shape{4}, .hidden = {8}, .n_class = 3}) {}

  nn::Module& model() override { return model_; }
  std::string unit() const override { return "rows"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(BatchRecord& seen) override {
    Generator numbers(7, "test" + std::to_string(next_));
    Tensor inputs = Tensor::empty({5, 4}, DType::f32);
    numbers.fill_normal(inputs);
    if (++next_ == 3) inputs.data<float>()[3] = NAN;
    const Tensor targets = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 0, 1}, {5});
    seen.add(5, inputs, targets, 5);
    return cross_entropy(model_(inputs), targets);
  }
  Evaluation evaluate(data::Split, const std::function<bool(double)>&) override {
    return {.loss = 1};
  }
  std::string data_json() const override { return "{}"; }
  std::string fingerprint() const override { return "f"; }

 private:
  nn::Mlp model_;
  std::int64_t next_ = 0;
};

constexpr std::int64_t kSteps = 12;

RunConfig config_with(const std::string& optimizer) {
  RunConfig config;
  config.optimizer = optimizer;
  config.on_nan = "skip";
  config.ema = 0.999;  // still in its warm-up, in which each update has its own decay
  config.schedule = "constant";
  config.warmup = 0;
  config.eval_every = config.save_every = kSteps;
  return config;
}

/// Of a run that is stopped after so many steps and goes on: all numbers of its last checkpoint.
std::vector<std::vector<double>> numbers_after(const fs::path& out, const RunConfig& config,
                                               std::int64_t stop_after) {
  for (const bool resume : {false, true}) {
    random::seed(1);
    PoisonedTask task;
    const RunFolder folder = resume ? RunFolder::open(out) : RunFolder::create(out, "{}");
    std::int64_t asked = 0;
    const RunOptions options{
        .out = out, .resume = resume, .stop = [&] { return !resume && asked++ >= stop_after; }};
    const Summary summary = run_training(task, config, "{}", kSteps, false, folder, options);
    CHECK(summary.skipped == 1);
    if (!summary.interrupted) break;
  }
  std::vector<std::vector<double>> numbers;
  for (const auto& [name, tensor] : read_safetensors(out / "last.safetensors").tensors)
    numbers.push_back(tensor.to_vector<double>());
  return numbers;
}

}  // namespace

TEST_CASE("skipped, stopped and resumed is skipped and never stopped, for every optimizer") {
  for (const std::string& optimizer : optimizers().names()) {
    CAPTURE(optimizer);
    const TempFolder folder;
    const RunConfig config = config_with(optimizer);
    const auto whole = numbers_after(folder / "whole", config, kSteps + 1);
    CHECK(numbers_after(folder / "stopped", config, 6) == whole);
  }
}

TEST_CASE(
    "a checkpoint says how many updates were made; of one that does not, the steps that were not "
    "left out count") {
  const TempFolder folder;
  numbers_after(folder / "run", config_with("adamw"), kSteps + 1);
  const fs::path file = folder / "run" / "last.safetensors";
  const CheckpointFacts facts = read_checkpoint_facts(file);
  CHECK(facts.optimizer_steps == kSteps - 1);
  CHECK(facts.ema_updates == kSteps - 1);
  TensorFile before = read_safetensors(file);
  REQUIRE(before.metadata.erase("updates") == 1);
  write_safetensors(folder / "before.safetensors", before);
  CHECK(read_checkpoint_facts(folder / "before.safetensors").optimizer_steps == kSteps - 1);
  CHECK(read_checkpoint_facts(folder / "before.safetensors").ema_updates == kSteps - 1);
  before.metadata["updates"] = R"({"optimizer":-1,"ema":0})";
  write_safetensors(folder / "wrong.safetensors", before);
  CHECK_THROWS_WITH_AS(read_checkpoint_facts(folder / "wrong.safetensors"),
                       doctest::Contains("is damaged"), ConfigError);
}
