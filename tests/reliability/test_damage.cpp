// Damaged files and numbers that go wrong are noticed, named, and leave no trace.
#include <doctest/doctest.h>

#include <cerrno>
#include <cmath>

#include "core/io/file_calls.h"
#include "core/random.h"
#include "nn/batch_norm.h"
#include "nn/child.h"
#include "nn/models/mlp.h"
#include "tests/reliability/poisoned_task.h"
#include "train/loop/build_optimizer.h"
#include "train/loop/checkpoint.h"
#include "train/loop/run_folder.h"

using namespace weft;
using namespace weft::test;

namespace fs = std::filesystem;

TEST_CASE("a damaged checkpoint is noticed, whichever byte it is") {
  random::seed(1);
  nn::Mlp model({.input_shape = Shape{4}, .hidden = {8}, .n_class = 3});
  const auto optimizer = train::build_optimizer({}, model);
  const TempFolder folder;
  const fs::path path = folder / "last.safetensors";
  train::save_checkpoint(path, facts_at(0), model, *optimizer, nullptr);
  const std::string good = read_file(path.string());
  const std::size_t data = good.size() - 300;  // well inside the tensors
  for (std::size_t i = data; i < good.size(); i += 7) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    write_file(path.string(), bad);
    CHECK_THROWS_WITH_AS(train::load_checkpoint(path, model, *optimizer, nullptr),
                         doctest::Contains("is damaged: its tensors have the checksum"), IoError);
  }
  // What the header says: steps done, streams, names, shapes; and what only reads the header
  // notices it as well.
  std::uint64_t header = 0;
  std::copy_n(good.data(), sizeof header, reinterpret_cast<char*>(&header));
  for (std::size_t i = 0; i < 8 + header; ++i) {
    for (const int bit : {0x01, 0x10}) {
      CAPTURE(i);
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ bit);
      write_file(path.string(), bad);
      CHECK_THROWS_AS(train::read_checkpoint_facts(path), Error);
      CHECK_THROWS_AS(train::load_checkpoint(path, model, *optimizer, nullptr), Error);
    }
  }
  write_file(path.string(), good);
  CHECK_NOTHROW(train::load_checkpoint(path, model, *optimizer, nullptr));

  // A checkpoint of the first format has no checksum of its header, and is read; one of today
  // without it is damaged; one of tomorrow is refused.
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = read_file(path.string());
    REQUIRE(text.find(from) != std::string::npos);
    write_file(path.string(), text.replace(text.find(from), from.size(), to));
  };
  changed("weft_header_crc32", "another_text_here");
  CHECK_THROWS_WITH_AS(train::load_checkpoint(path, model, *optimizer, nullptr),
                       doctest::Contains("the checksum of its header is missing"), IoError);
  changed("weft-run-2", "weft-run-1");
  CHECK(train::load_checkpoint(path, model, *optimizer, nullptr).progress.step == 0);
  changed("weft-run-1", "weft-run-3");
  CHECK_THROWS_WITH_AS(train::load_checkpoint(path, model, *optimizer, nullptr),
                       doctest::Contains("is a checkpoint of another version: format weft-run-3"),
                       ConfigError);
}

TEST_CASE(
    "numbers that go wrong stop the run with the step and the op, or are skipped and counted") {
  using Where = PoisonedTask::Where;
  const std::vector<std::pair<Where, std::string>> cases = {{Where::batch, "[reshape]"},
                                                            {Where::loss, "[log]"},
                                                            {Where::gradient, "[sqrt]"},
                                                            {Where::weight, "the weight "}};
  for (const auto& [where, culprit] : cases) {
    CAPTURE(culprit);
    const TempFolder folder;
    random::seed(3);
    PoisonedTask task(where, 13);
    Notes notes;
    std::string error;
    try {
      run_poisoned(task, "stop", folder / "run", notes);
    } catch (const NumericError& stopped) {
      error = stopped.what();
    }
    CAPTURE(error);
    CHECK(error.find("at step 13: ") != std::string::npos);
    CHECK(error.find(culprit) != std::string::npos);
    CHECK(error.find("holds step 10") != std::string::npos);
    CHECK(saved_step(folder / "run") == 10);

    if (where == Where::weight) continue;  // no later step would be better
    random::seed(3);
    PoisonedTask lenient(where, 13);
    const auto summary = run_poisoned(lenient, "skip", folder / "skipped", notes);
    CHECK(summary.steps == 20);
    CHECK(summary.skipped == 1);
    CHECK(notes.tells("step 13 is skipped"));
    CHECK(nlohmann::json::parse(
              read_file((folder / "skipped" / "summary.json").string()))["skipped"] == 1);
    for (const auto& [name, tensor] : lenient.model().named_parameters()) {
      for (const float value : tensor.to_vector<float>()) CHECK(std::isfinite(value));
    }
  }
  // A weight that is broken stays so: skipping ends where nothing else happens.
  const TempFolder folder;
  PoisonedTask broken(Where::weight, 1);
  Notes notes;
  const train::RunFolder run = train::RunFolder::create(folder / "run", "{}");
  std::string ends;
  try {
    train::run_training(broken, poisoned_config("skip"), "{}", 200, false, run,
                        {.out = folder / "run", .observer = &notes});
  } catch (const NumericError& error) {
    ends = error.what();
  }
  REQUIRE(ends.find("50 steps in a row were skipped, up to step ") != std::string::npos);
  // At the same step where it was stopped and resumed in between.
  PoisonedTask stopped(Where::weight, 1), resumed(Where::weight, 1);
  const train::RunFolder other = train::RunFolder::create(folder / "other", "{}");
  Notes before, after;
  const auto first = train::run_training(
      stopped, poisoned_config("skip"), "{}", 200, false, other,
      {.out = folder / "other", .observer = &before, .stop = [&] { return before.steps >= 33; }});
  REQUIRE(first.interrupted);
  CHECK_THROWS_WITH_AS(
      train::run_training(resumed, poisoned_config("skip"), "{}", 200, false, other,
                          {.out = folder / "other", .resume = true, .observer = &after}),
      doctest::Contains(ends.substr(0, ends.find(',', ends.find("up to step"))).c_str()),
      NumericError);
}

TEST_CASE("a step that is left out leaves no trace in running statistics") {
  struct Normed : nn::Module {
    Normed() : nn::Module("Normed") {}
    nn::Child<nn::BatchNorm2d> norm{*this, "norm", 2};
  };
  struct NormedTask : train::Task {
    nn::Module& model() override { return model_; }
    std::string unit() const override { return "images"; }
    void start(std::int64_t number) override { next = number; }
    Tensor next_loss(train::BatchRecord& seen) override {
      Tensor images = Tensor::full({3, 2, 2, 2}, 0.0, DType::f32);
      Generator numbers(7, "test" + std::to_string(next++));
      numbers.fill_normal(images);
      if (next == poisoned) images.data<float>()[5] = NAN;
      seen.add(3, images, images, 3);
      const Tensor out = model_.norm(images);
      return mean(out * out);
    }
    train::Evaluation evaluate(data::Split, const std::function<bool(double)>&) override {
      return {.loss = 1};
    }
    std::string data_json() const override { return "{}"; }
    std::string fingerprint() const override { return "f"; }
    Normed model_;
    std::int64_t next = 0, poisoned = 0;
  };
  const TempFolder folder;
  // What it is after twelve steps of which the last is left out is what it is after eleven.
  std::vector<std::vector<float>> statistics;
  for (const bool whole : {true, false}) {
    NormedTask task;
    task.poisoned = whole ? 0 : 12;
    Notes notes;
    const fs::path out = folder / (whole ? "whole" : "poisoned");
    const train::RunFolder run = train::RunFolder::create(out, "{}");
    const auto summary = train::run_training(task, poisoned_config("skip"), "{}", whole ? 11 : 12,
                                             false, run, {.out = out, .observer = &notes});
    CHECK(summary.skipped == (whole ? 0 : 1));
    for (const auto& [name, tensor] : task.model().named_buffers())
      statistics.push_back(tensor.to_vector<float>());
  }
  REQUIRE(statistics.size() == 4);
  CHECK(statistics[0] == statistics[2]);
  CHECK(statistics[1] == statistics[3]);
}
