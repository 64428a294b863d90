// Whole runs: the same bits whatever happens on the way, and a folder that is never half of
// anything.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "core/parallel.h"
#include "tests/train/tiny_runs.h"
#include "train/config/config_sources.h"
#include "train/loop/run_folder.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/text/text_run.h"

using namespace weft;
using test::read_metrics;
using test::TempFolder;
using test::tiny_text_config;
using test::tiny_vision_config;
namespace fs = std::filesystem;

namespace {

void check_same_tensors(const fs::path& a, const fs::path& b) {
  const auto left = read_safetensors(a);
  const auto right = read_safetensors(b);
  REQUIRE(left.tensors.size() == right.tensors.size());
  REQUIRE(left.tensors.size() > 5);
  for (std::size_t i = 0; i < left.tensors.size(); ++i) {
    CHECK(left.tensors[i].first == right.tensors[i].first);
    CHECK_MESSAGE(
        left.tensors[i].second.to_vector<double>() == right.tensors[i].second.to_vector<double>(),
        left.tensors[i].first);
  }
  CHECK(left.metadata.at("streams") == right.metadata.at("streams"));
}

void check_same_metrics(const fs::path& a, const fs::path& b) {
  const auto figures = [](const fs::path& run) {
    std::map<std::pair<std::int64_t, std::string>, double> all;
    for (const auto& record : read_metrics(run)) {
      for (const char* name : {"train_loss", "lr", "grad_norm", "val_loss", "val_accuracy"}) {
        if (record.contains(name))
          all[{record["step"].get<std::int64_t>(), name}] = record[name].get<double>();
      }
    }
    return all;
  };
  CHECK(figures(a) == figures(b));
}

/// Ends a run after a step, or inside the evaluation that follows it.
struct StopAt : train::Observer {
  std::int64_t step = 0;
  bool in_evaluation = false;
  bool stop = false;
  void on_step(const train::StepRecord& record) override {
    if (!in_evaluation && record.step == step) stop = true;
    reached = record.step == step;
  }
  void on_evaluating(double) override {
    if (in_evaluation && reached) stop = true;
  }
  bool reached = false;
};

train::Summary start(const train::TextConfig& c, const train::RunOptions& options) {
  return train::train_run(c, options);
}
train::Summary start(const train::VisionConfig& c, const train::RunOptions& options) {
  return train::train_run(c, options);
}

template <class C>
void check_resume(const C& config, const TempFolder& folder, std::int64_t step,
                  bool in_evaluation) {
  const std::string tag = std::to_string(step) + (in_evaluation ? "e" : "");
  const fs::path whole = folder / "whole";
  const fs::path cut = folder / ("cut" + tag);
  if (!fs::exists(whole)) CHECK_FALSE(start(config, {.out = whole}).interrupted);
  StopAt observer;
  observer.step = step;
  observer.in_evaluation = in_evaluation;
  const auto summary =
      start(config, {.out = cut, .observer = &observer, .stop = [&] { return observer.stop; }});
  CHECK(summary.interrupted);
  CHECK_FALSE(fs::exists(cut / "summary.json"));
  const auto resumed = train::resume_run(
      {.out = cut, .resume = true},
      train::kind_of_json(read_file((cut / "config.json").string()), "x").name(), 0);
  CHECK_FALSE(resumed.interrupted);
  CHECK(fs::exists(cut / "summary.json"));
  check_same_tensors(whole / "last.safetensors", cut / "last.safetensors");
  check_same_tensors(whole / "best.safetensors", cut / "best.safetensors");
  check_same_metrics(whole, cut);
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

}  // namespace

TEST_CASE("a resumed text run is the undisturbed run, bit by bit") {
  const TempFolder folder;
  train::TextConfig c = tiny_text_config(folder);
  SUBCASE("adamw, dropout, accumulation, moving average") {
    test::set(c, {{"dropout", "0.1"}});
    c.accumulate = 2;
    c.ema = 0.9;
    for (const std::int64_t step : {1, 7, 11}) check_resume(c, folder, step, false);
    check_resume(c, folder, 8, true);
    check_resume(c, folder, 12, true);
  }
  SUBCASE("muon") {
    c.optimizer = "muon";
    test::set(c, {{"tie", "false"}, {"positions", "rope"}});
    c.schedule = "wsd";
    check_resume(c, folder, 6, false);
  }
  SUBCASE("lion, byte tokenizer") {
    c.optimizer = "lion";
    c.lr = 1e-4;
    c.tokenizer = "byte";
    check_resume(c, folder, 5, false);
  }
}

TEST_CASE("a resumed vision run is the undisturbed run, bit by bit") {
  const TempFolder folder;
  train::VisionConfig c = tiny_vision_config(folder);
  test::set(c, {{"dropout", "0.1"}});
  check_resume(c, folder, 3, false);
  check_resume(c, folder, 7, false);
}

TEST_CASE("one and two threads give the same bits") {
  const TempFolder folder;
  const int before = num_threads();
  train::TextConfig c = tiny_text_config(folder);
  test::set(c, {{"width", "64"}});
  c.context = 32;
  test::set(c, {{"dropout", "0.1"}});
  c.steps = 5;
  c.threads = 1;
  train::train_run(c, {.out = folder / "one"});
  c.threads = 2;
  train::train_run(c, {.out = folder / "two"});
  check_same_tensors(folder / "one" / "last.safetensors", folder / "two" / "last.safetensors");
  train::VisionConfig v = tiny_vision_config(folder);
  test::set(v, {{"width", "32"}});
  v.epochs = 1;
  v.threads = 1;
  train::train_run(v, {.out = folder / "v1"});
  v.threads = 2;
  train::train_run(v, {.out = folder / "v2"});
  check_same_tensors(folder / "v1" / "last.safetensors", folder / "v2" / "last.safetensors");
  set_num_threads(before);
}

TEST_CASE("how often a run is evaluated changes nothing that it learns") {
  const TempFolder folder;
  train::TextConfig c = tiny_text_config(folder);
  test::set(c, {{"dropout", "0.2"}});
  train::train_run(c, {.out = folder / "a"});
  c.eval_every = 1;
  train::train_run(c, {.out = folder / "b"});
  const auto a = read_safetensors(folder / "a" / "last.safetensors");
  const auto b = read_safetensors(folder / "b" / "last.safetensors");
  for (std::size_t i = 0; i < a.tensors.size(); ++i)
    CHECK(a.tensors[i].second.to_vector<double>() == b.tensors[i].second.to_vector<double>());
}

TEST_CASE("the folder of a run holds what the design says, whole") {
  const TempFolder folder;
  const train::TextConfig c = tiny_text_config(folder);
  const auto summary = train::train_run(c, {.out = folder / "run"});
  CHECK(names_in(folder / "run") == std::set<std::string>{"best.safetensors", "config.json",
                                                          "last.safetensors", "metrics.jsonl",
                                                          "summary.json"});
  const auto json = nlohmann::json::parse(read_file((folder / "run" / "summary.json").string()));
  for (const char* name : {"val_loss", "val_bits_per_byte", "steps", "seconds", "params",
                           "peak_mib", "tokens_per_s", "seed", "best_val_loss", "best_step"}) {
    CHECK_MESSAGE(json.contains(name), name);
  }
  CHECK(json["steps"] == 12);
  CHECK(json["seed"] == 1);
  const auto metrics = read_metrics(folder / "run");
  REQUIRE(metrics.size() == 12);
  for (const char* name :
       {"step", "train_loss", "lr", "grad_norm", "seconds", "tokens_per_s", "memory_mib"})
    CHECK_MESSAGE(metrics[0].contains(name), name);
  CHECK_FALSE(metrics[0].contains("val_loss"));
  CHECK(metrics[3].contains("val_loss"));
  CHECK(metrics[11]["val_loss"].get<double>() == summary.validation.loss);

  const auto images = train::train_run(tiny_vision_config(folder), {.out = folder / "vision"});
  const auto vision =
      nlohmann::json::parse(read_file((folder / "vision" / "summary.json").string()));
  for (const char* name : {"val_loss", "val_accuracy", "test_accuracy", "images_per_s"})
    CHECK_MESSAGE(vision.contains(name), name);
  CHECK(vision["test_accuracy"].get<double>() == images.test.figure("accuracy"));
}

TEST_CASE("the tiny runs learn") {
  const TempFolder folder;
  train::TextConfig c = tiny_text_config(folder);
  c.steps = 150;
  c.lr = 1e-2;
  CHECK(train::train_run(c, {.out = folder / "text"}).validation.loss < 1.0);
  for (const char* model : {"vit", "mlp", "cnn", "resnet"}) {
    train::VisionConfig v = tiny_vision_config(folder);
    v.model = model;
    if (model != std::string("vit")) test::set(v, {{"width", "16"}});
    v.epochs = 20;
    v.shift = 0;
    if (model == std::string("mlp")) test::set(v, {{"layers", "1"}});
    CHECK_MESSAGE(train::train_run(v, {.out = folder / model}).test.figure("accuracy") == 1.0,
                  model);
  }
}

TEST_CASE("a target ends a run early") {
  const TempFolder folder;
  train::TextConfig c = tiny_text_config(folder);
  c.until = "val_loss=100";
  const auto summary = train::train_run(c, {.out = folder / "run"});
  CHECK(summary.reached_target);
  CHECK_FALSE(summary.interrupted);
  CHECK(summary.steps == 4);
  CHECK(nlohmann::json::parse(
            read_file((folder / "run" / "summary.json").string()))["reached_target"] == true);
  CHECK(train::resume_run({.out = folder / "run", .resume = true}, "text", 0).steps ==
        4);  // nothing is left to do
}

TEST_CASE("a loss that is not a number names its step and keeps the last good checkpoint") {
  const TempFolder folder;
  train::TextConfig c = tiny_text_config(folder);
  c.steps = 100;
  c.optimizer = "sgd";
  test::set(c, {{"momentum", "0.9"}});
  c.clip = 0;
  c.lr = 1e6;
  c.warmup = 60;
  c.save_every = 1;
  c.eval_every = 100;
  CHECK_THROWS_WITH_AS(train::train_run(c, {.out = folder / "run"}), doctest::Contains("at step "),
                       NumericError);
  const auto facts = train::read_run(folder / "run").facts;
  CHECK(facts.progress.step >= 1);
  const train::TextRun run(train::read_run(folder / "run"));
  for (const auto& [name, tensor] : run.model().state_dict())
    CHECK_MESSAGE(raw::find_nonfinite(tensor) == -1, name);
}

TEST_CASE("a folder with something in it is refused and stays as it was") {
  const TempFolder folder;
  const train::TextConfig c = tiny_text_config(folder);
  train::train_run(c, {.out = folder / "run"});
  const std::string before = read_file((folder / "run" / "last.safetensors").string());
  const auto written = fs::last_write_time(folder / "run" / "metrics.jsonl");
  CHECK_THROWS_WITH_AS(train::train_run(c, {.out = folder / "run"}),
                       doctest::Contains("already contains a run"), ConfigError);
  CHECK(read_file((folder / "run" / "last.safetensors").string()) == before);
  CHECK(fs::last_write_time(folder / "run" / "metrics.jsonl") == written);

  fs::create_directory(folder / "other");
  write_file((folder / "other" / "notes").string(), "mine");
  CHECK_THROWS_WITH_AS(train::train_run(c, {.out = folder / "other"}),
                       doctest::Contains("other files in it"), ConfigError);
  CHECK(names_in(folder / "other") == std::set<std::string>{"notes"});
  // What a run left that was killed before it had begun is nothing to anyone.
  fs::create_directory(folder / "killed");
  write_file((folder / "killed" / "config.json.17.0.part").string(), "{");
  train::train_run(c, {.out = folder / "killed"});
  CHECK(names_in(folder / "killed") == names_in(folder / "run"));
  CHECK_THROWS_WITH_AS(train::train_run(c, {.out = folder / "text.txt"}),
                       doctest::Contains("is a file, not a folder"), ConfigError);
  CHECK_THROWS_AS(train::train_run(c, {.out = folder / "text.txt" / "run"}), Error);
  CHECK_THROWS_AS(train::train_run(c, {.out = "/proc/no/such/place"}), IoError);
  fs::create_directory(folder / "empty");
  CHECK_NOTHROW(train::train_run(c, {.out = folder / "empty"}));
}

TEST_CASE("what is wrong is found before a folder is made") {
  const TempFolder folder;
  train::TextConfig c = tiny_text_config(folder);
  c.context = 100000;
  CHECK_THROWS_AS(train::train_run(c, {.out = folder / "run"}), ConfigError);
  c = tiny_text_config(folder);
  c.data = (folder / "missing.txt").string();
  CHECK_THROWS_AS(train::train_run(c, {.out = folder / "run"}), IoError);
  c = tiny_text_config(folder);
  test::set(c, {{"width", "1000000"}, {"heads", "1"}, {"layers", "1000"}});
  CHECK_THROWS_AS(train::train_run(c, {.out = folder / "run"}), ConfigError);
  CHECK_FALSE(fs::exists(folder / "run"));
}

TEST_CASE("resuming what cannot be resumed changes nothing") {
  const TempFolder folder;
  const train::TextConfig c = tiny_text_config(folder);
  CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "none", .resume = true}, "text", 0),
                       doctest::Contains("is not a run folder"), IoError);
  StopAt observer;
  observer.step = 6;
  train::train_run(
      c, {.out = folder / "run", .observer = &observer, .stop = [&] { return observer.stop; }});
  CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "run", .resume = true}, "vision", 0),
                       doctest::Contains("a text run"), ConfigError);

  const fs::path last = folder / "run" / "last.safetensors";
  const std::string good = read_file(last.string());
  const std::string metrics = read_file((folder / "run" / "metrics.jsonl").string());
  SUBCASE("torn checkpoint") {
    write_file(last.string(), good.substr(0, good.size() - 100));
    CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "run", .resume = true}, "text", 0),
                         doctest::Contains("truncated"), IoError);
  }
  SUBCASE("checkpoint of another shape") {
    train::TextConfig wide = c;
    test::set(wide, {{"width", "32"}});
    train::train_run(wide, {.out = folder / "wide"});
    fs::copy_file(folder / "wide" / "last.safetensors", last, fs::copy_options::overwrite_existing);
    CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "run", .resume = true}, "text", 0),
                         doctest::Contains("is a checkpoint of another model"), ConfigError);
    CHECK_THROWS_WITH_AS(train::TextRun(train::read_run(folder / "run")),
                         doctest::Contains("is a checkpoint of another model"), ConfigError);
  }
  SUBCASE("checkpoint of another optimizer") {
    train::TextConfig other = c;
    other.optimizer = "lion";
    train::train_run(other, {.out = folder / "lion"});
    fs::copy_file(folder / "lion" / "last.safetensors", last, fs::copy_options::overwrite_existing);
    CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "run", .resume = true}, "text", 0),
                         doctest::Contains("another configuration"), ConfigError);
  }
  SUBCASE("data that changed") {
    write_file(c.data, test::tiny_text() + "the end.\n");
    CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "run", .resume = true}, "text", 0),
                         doctest::Contains("the data have changed"), ConfigError);
  }
  SUBCASE("no checkpoint format") {
    write_safetensors(last, {.tensors = {{"w", Tensor::ones({2})}}, .metadata = {}});
    CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "run", .resume = true}, "text", 0),
                         doctest::Contains("is not a checkpoint of a weft run"), ConfigError);
  }
  CHECK(read_file((folder / "run" / "metrics.jsonl").string()) == metrics);
}

TEST_CASE("a run that died before its first checkpoint begins again, the same") {
  const TempFolder folder;
  const train::TextConfig c = tiny_text_config(folder);
  train::train_run(c, {.out = folder / "whole"});
  train::TextConfig settled = c;
  train::settle_common(settled, settled.steps, settled.eval_every);
  fs::create_directory(folder / "dead");
  write_file((folder / "dead" / "config.json").string(), train::to_json(settled));
  write_file((folder / "dead" / "metrics.jsonl").string(),
             "{\"step\":1,\"train_loss\":3}\n{\"step\":2,\"tra");
  write_file((folder / "dead" / "last.safetensors.123.0.part").string(), "half");
  train::resume_run({.out = folder / "dead", .resume = true}, "text", 0);
  check_same_tensors(folder / "whole" / "last.safetensors", folder / "dead" / "last.safetensors");
  check_same_metrics(folder / "whole", folder / "dead");
  CHECK_FALSE(fs::exists(folder / "dead" / "last.safetensors.123.0.part"));
}

TEST_CASE("two programs do not train into one folder") {
  const TempFolder folder;
  const train::TextConfig c = tiny_text_config(folder);
  train::train_run(c, {.out = folder / "run"});
  const auto held = train::RunFolder::open(folder / "run");
  CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "run", .resume = true}, "text", 0),
                       doctest::Contains("another program"), IoError);
}

TEST_CASE("the moving average is what is evaluated and used") {
  const TempFolder folder;
  train::TextConfig c = tiny_text_config(folder);
  c.ema = 0.9;
  train::train_run(c, {.out = folder / "run"});
  const auto file = read_safetensors(folder / "run" / "last.safetensors");
  const train::TextRun run(train::read_run(folder / "run"));
  for (const auto& [name, tensor] : run.model().state_dict()) {
    CHECK(tensor.to_vector<double>() == file.find("ema." + name).to_vector<double>());
    CHECK(tensor.to_vector<double>() != file.find(name).to_vector<double>());
  }
}
