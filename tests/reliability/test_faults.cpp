// Disks that fail at any call: nothing is lost, and whoever trains is told.
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <cerrno>
#include <cmath>

#include "core/io/file_calls.h"
#include "core/random.h"
#include "nn/models/mlp.h"
#include "tests/reliability/poisoned_task.h"
#include "train/loop/build_optimizer.h"
#include "train/loop/checkpoint.h"
#include "train/loop/run_folder.h"

using namespace weft;
using namespace weft::test;

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
  test::set(
      c,
      {{"width",
        "48"}});  // checkpoints of 450 KiB: the third, beside the two that are there, has no room
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
