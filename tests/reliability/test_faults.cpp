// Disks that fail at any call, damaged files, numbers that go wrong: nothing is lost, and whoever
// trains is told.
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <cerrno>
#include <cmath>

#include "autograd/ops/binary.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "core/io/file_calls.h"
#include "core/random.h"
#include "nn/batch_norm.h"
#include "nn/child.h"
#include "nn/models/mlp.h"
#include "tests/train/tiny_runs.h"
#include "train/loop/build_optimizer.h"
#include "train/loop/checkpoint.h"
#include "train/loop/run_folder.h"
#include "train/tasks/common/kinds.h"

using namespace weft;
using test::TempFolder;

namespace fs = std::filesystem;

namespace {

/// While it lives, call number `at` (from 1) of the writing system calls fails, or those that a
/// function picks.
class FaultAt {
 public:
  FaultAt(std::int64_t at, int error) {
    file_calls::set_fault([this, at, error](const char*) { return ++calls_ == at ? error : 0; });
  }
  explicit FaultAt(file_calls::Fault fault) { file_calls::set_fault(std::move(fault)); }
  ~FaultAt() { file_calls::set_fault({}); }
  FaultAt(const FaultAt&) = delete;
  FaultAt& operator=(const FaultAt&) = delete;
  std::int64_t calls() const { return calls_; }

 private:
  std::int64_t calls_ = 0;
};

struct Notes : train::Observer {
  void on_note(const std::string& text) override { notes.push_back(text); }
  void on_step(const train::StepRecord& record) override { steps = record.step; }
  bool tells(const std::string& part) const {
    return std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
      return note.find(part) != std::string::npos;
    });
  }
  std::vector<std::string> notes;
  std::int64_t steps = 0;
};

/// A tiny classification whose step `at` goes wrong in one of several ways.
class PoisonedTask : public train::Task {
 public:
  enum class Where { nowhere, batch, loss, gradient, weight };
  PoisonedTask(Where where, std::int64_t at)
      : model_({.input_shape = Shape{4}, .hidden = {8}, .n_class = 3}), where_(where), at_(at) {}

  nn::Module& model() override { return model_; }
  std::string unit() const override { return "rows"; }
  void start(std::int64_t number) override { next_ = number; }
  Tensor next_loss(train::BatchRecord& seen) override {
    Generator numbers(7, "test" + std::to_string(next_));
    Tensor inputs = Tensor::empty({5, 4}, DType::f32);
    numbers.fill_normal(inputs);
    const bool now = ++next_ == at_;
    if (now && where_ == Where::batch) inputs.data<float>()[3] = NAN;
    if (now && where_ == Where::weight)
      model_.named_parameters().front().second.data<float>()[0] = INFINITY;
    const Tensor targets = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 0, 1}, {5});
    seen.add(5, inputs, targets, 5);
    Tensor loss = cross_entropy(model_(inputs), targets);
    if (now && where_ == Where::loss)
      loss = log(loss - loss - Tensor::full({}, 1.0, DType::f32));  // of -1
    if (now && where_ == Where::gradient)
      loss = loss + sqrt(loss - loss);  // 0, whose slope is infinite
    return loss;
  }
  train::Evaluation evaluate(data::Split, const std::function<bool(double)>&) override {
    return {.loss = losses.empty() ? 1 : losses.at(static_cast<std::size_t>(evaluations_++))};
  }
  std::string data_json() const override { return "{}"; }
  std::string fingerprint() const override { return "f"; }

  std::vector<double> losses;  ///< of the evaluations in turn; empty: 1

 private:
  nn::Mlp model_;
  Where where_;
  std::int64_t at_;
  std::int64_t next_ = 0;
  std::int64_t evaluations_ = 0;
};

train::RunConfig poisoned_config(const std::string& on_nan) {
  train::RunConfig c;
  c.lr = 1e-2;
  c.warmup = 0;
  c.eval_every = 5;
  c.save_every = 5;
  c.on_nan = on_nan;
  return c;
}

train::Summary run_poisoned(PoisonedTask& task, const std::string& on_nan, const fs::path& out,
                            Notes& notes) {
  const train::RunFolder folder = train::RunFolder::create(out, "{}");
  return train::run_training(task, poisoned_config(on_nan), "{}", 20, false, folder,
                             {.out = out, .observer = &notes});
}

train::CheckpointFacts facts_at(std::int64_t step) {
  train::CheckpointFacts facts;
  facts.config = facts.data = "{}";
  facts.progress.step = step;
  return facts;
}

std::int64_t saved_step(const fs::path& run) {
  return train::read_checkpoint_facts(run / "last.safetensors").progress.step;
}

}  // namespace

TEST_CASE("a write that fails at the n-th call, for every n: the last good checkpoint loads") {
  random::seed(1);
  nn::Mlp model({.input_shape = Shape{4}, .hidden = {8}, .n_class = 3});
  const auto optimizer = train::build_optimizer({}, model);
  const TempFolder folder;
  const fs::path path = folder / "last.safetensors";
  const auto save = [&](std::int64_t step) {
    train::save_checkpoint(path, facts_at(step), model, *optimizer, nullptr);
  };
  save(0);
  std::int64_t tried = 0;
  for (const int error : {ENOSPC, EIO}) {
    for (std::int64_t n = 1;; ++n) {
      const std::int64_t before = train::read_checkpoint_facts(path).progress.step;
      std::int64_t calls = 0;
      bool failed = false;
      try {
        const FaultAt fault(n, error);
        try {
          save(before + 1);
        } catch (...) {
          calls = fault.calls();
          throw;
        }
        calls = fault.calls();
      } catch (const IoError& refused) {
        failed = true;
        CHECK((dynamic_cast<const DiskFullError*>(&refused) != nullptr) == (error == ENOSPC));
      }
      CAPTURE(n);
      // Whole, old or new; and nothing half-written stays beside it.
      CHECK(train::load_checkpoint(path, model, *optimizer, nullptr).progress.step >= before);
      if (!failed) CHECK(train::read_checkpoint_facts(path).progress.step == before + 1);
      CHECK(std::distance(fs::directory_iterator(folder / ""), fs::directory_iterator()) == 1);
      ++tried;
      if (calls < n) break;
    }
  }
  CHECK(tried > 20);
}

TEST_CASE(
    "a run whose disk fails at the n-th call ends with an error or not at all, and goes on to the "
    "same bits") {
  const TempFolder folder;
  const train::TextConfig c = tiny_text_config(folder);
  train::train_run(c, {.out = folder / "whole"});
  std::int64_t calls = 0;
  {
    const FaultAt none(0, 0);
    train::train_run(c, {.out = folder / "counted"});
    calls = none.calls();
  }
  REQUIRE(calls > 40);
  for (std::int64_t n = 1; n <= calls; n += 3) {
    CAPTURE(n);
    const fs::path out = folder / ("run" + std::to_string(n));
    try {
      const FaultAt fault(n, n % 2 == 0 ? ENOSPC : EIO);
      train::train_run(c, {.out = out});
    } catch (const IoError&) {
    }
    if (!fs::exists(out / "config.json")) continue;  // it never began
    if (!fs::exists(out / "summary.json"))
      CHECK_NOTHROW(train::resume_run({.out = out, .resume = true}, "text", 0));
    const auto a = read_safetensors(out / "last.safetensors"),
               b = read_safetensors(folder / "whole" / "last.safetensors");
    for (std::size_t i = 0; i < a.tensors.size(); ++i)
      CHECK(a.tensors[i].second.to_vector<double>() == b.tensors[i].second.to_vector<double>());
    CHECK(test::read_metrics(out).size() == test::read_metrics(folder / "whole").size());
  }
}

TEST_CASE("a full disk pauses saving, and training continues until there is room again") {
  const TempFolder folder;
  PoisonedTask task(PoisonedTask::Where::nowhere, 0);
  Notes notes;
  const train::RunFolder run = train::RunFolder::create(folder / "run", "{}");
  std::int64_t calls = 0;
  train::Summary summary;
  {
    const FaultAt fault([&](const char*) { return ++calls > 20 && notes.steps < 17 ? ENOSPC : 0; });
    summary = train::run_training(task, poisoned_config("stop"), "{}", 20, false, run,
                                  {.out = folder / "run", .observer = &notes});
  }
  CHECK(summary.steps == 20);
  CHECK(notes.tells("the disk is full: step "));
  CHECK(notes.tells("space is available again: step 20 is saved"));
  CHECK(saved_step(folder / "run") == 20);
  CHECK(test::read_metrics(folder / "run").size() == 20);

  // Still full at the end: an error that says what is there.
  PoisonedTask again(PoisonedTask::Where::nowhere, 0);
  const train::RunFolder full = train::RunFolder::create(folder / "full", "{}");
  Notes more;
  {
    const FaultAt fault([&](const char*) { return more.steps >= 12 ? ENOSPC : 0; });
    CHECK_THROWS_WITH_AS(train::run_training(again, poisoned_config("stop"), "{}", 20, false, full,
                                             {.out = folder / "full", .observer = &more}),
                         doctest::Contains("the disk is full: step 20 is not saved"),
                         DiskFullError);
  }
  CHECK(saved_step(folder / "full") == 10);
}

TEST_CASE(
    "a real file system of one MiB that fills up: the last good checkpoint loads, and the run goes "
    "on to the same bits") {
  const TempFolder folder;
  const fs::path disk = folder / "disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m") != 0) {
    MESSAGE("left out: only root may mount a file system");
    return;
  }
  struct Unmount {
    fs::path path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } const unmount{disk};
  train::TextConfig c = test::tiny_text_config(folder);
  c.width = 48;  // checkpoints of 450 KiB: the third, beside the two that are there, has no room
  c.steps = 24;
  train::train_run(c, {.out = folder / "whole"});
  const auto size = fs::file_size(folder / "whole" / "last.safetensors");
  REQUIRE(size > 350'000);
  REQUIRE(size < 500'000);
  Notes notes;
  CHECK_THROWS_WITH_AS(train::train_run(c, {.out = disk / "run", .observer = &notes}),
                       doctest::Contains("the disk is full: step 24 is not saved"), DiskFullError);
  CHECK(notes.tells("the disk is full: step "));
  CHECK(notes.steps == 24);
  const std::int64_t saved = saved_step(disk / "run");
  CHECK(saved > 0);
  CHECK(saved < 24);
  REQUIRE(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=4m") == 0);
  train::resume_run({.out = disk / "run", .resume = true}, "text", 0);
  const auto a = read_safetensors(disk / "run" / "last.safetensors"),
             b = read_safetensors(folder / "whole" / "last.safetensors");
  for (std::size_t i = 0; i < a.tensors.size(); ++i)
    CHECK(a.tensors[i].second.to_vector<double>() == b.tensors[i].second.to_vector<double>());
  CHECK(test::read_metrics(disk / "run").size() == 24);
}

TEST_CASE("after a full disk the best checkpoint is what the run says it is") {
  const TempFolder folder;
  PoisonedTask task(PoisonedTask::Where::nowhere, 0);
  task.losses = {1.0, 0.5, 0.8, 0.9};
  Notes notes;
  const train::RunFolder run = train::RunFolder::create(folder / "run", "{}");
  train::Summary summary;
  {
    const FaultAt fault([&](const char*) { return notes.steps == 10 ? ENOSPC : 0; });
    summary = train::run_training(task, poisoned_config("stop"), "{}", 20, false, run,
                                  {.out = folder / "run", .observer = &notes});
  }
  CHECK(summary.best_step == 15);
  CHECK(summary.best_val_loss == 0.8);
  CHECK(train::read_checkpoint_facts(folder / "run" / "best.safetensors").progress.step == 15);
  CHECK(train::read_checkpoint_facts(folder / "run" / "last.safetensors").progress.best_step == 15);
}

TEST_CASE("no checkpoint is ahead of the metrics in their file") {
  const TempFolder folder;
  PoisonedTask task(PoisonedTask::Where::nowhere, 0);
  Notes notes;
  const train::RunFolder run = train::RunFolder::create(folder / "run", "{}");
  const FaultAt fault([&](const char*) {
    return notes.steps >= 8 && notes.steps < 12 && !notes.tells("room") ? ENOSPC : 0;
  });
  // Full from step 8 to 11; then somebody makes room and stops the run before another line is
  // written.
  const auto stop = [&] {
    if (notes.steps < 11) return false;
    notes.notes.emplace_back("room");
    return true;
  };
  const auto summary =
      train::run_training(task, poisoned_config("stop"), "{}", 20, false, run,
                          {.out = folder / "run", .observer = &notes, .stop = stop});
  CHECK(summary.interrupted);
  CHECK(saved_step(folder / "run") == 11);
  CHECK(test::read_metrics(folder / "run").size() == 11);
}

TEST_CASE("a last.safetensors that cannot be inspected is not taken for none") {
  const TempFolder folder;
  const train::TextConfig c = tiny_text_config(folder);
  Notes first;
  train::train_run(
      c, {.out = folder / "run", .observer = &first, .stop = [&] { return first.steps >= 6; }});
  const fs::path last = folder / "run" / "last.safetensors";
  fs::rename(last, folder / "aside");
  fs::create_symlink(last, last);  // leads in circles
  CHECK_THROWS_WITH_AS(train::resume_run({.out = folder / "run", .resume = true}, "text", 0),
                       doctest::Contains("last.safetensors] cannot be inspected"), IoError);
  fs::remove(last);
  fs::rename(folder / "aside", last);
  CHECK_NOTHROW(train::resume_run({.out = folder / "run", .resume = true}, "text", 0));
  CHECK(test::read_metrics(folder / "run").size() == 12);
}

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

TEST_CASE("half a line at the end of metrics.jsonl is dropped with a note") {
  const TempFolder folder;
  const train::TextConfig c = tiny_text_config(folder);
  Notes first;
  train::train_run(
      c, {.out = folder / "run", .observer = &first, .stop = [&] { return first.steps >= 6; }});
  const std::string path = (folder / "run" / "metrics.jsonl").string();
  write_file(path, read_file(path) + "{\"step\":7,\"train_lo");
  Notes notes;
  train::resume_run({.out = folder / "run", .resume = true, .observer = &notes}, "text", 0);
  CHECK(notes.tells("ended with an incomplete line"));
  CHECK(test::read_metrics(folder / "run").size() == 12);
}
