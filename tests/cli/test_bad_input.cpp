// Every kind of bad input: one clear line, the right exit code, and nothing touched.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/cli/refused.h"

using namespace weft;
using test::check_refused;
using test::operator+;
using test::Outcome;
using test::TempFolder;
using test::tiny_train;
using test::weft_with;
namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

Words text(const std::string& data, const TempFolder& folder) {
  return {
      "train",   "text", "--data",    data, "--layers", "1", "--width", "16",
      "--heads", "2",    "--context", "8",  "--steps",  "3", "--out",   (folder / "run").string()};
}

Words vision(const std::string& data, const TempFolder& folder) {
  return {"train",    "vision", "--data",       data, "--layers", "1",
          "--width",  "16",     "--heads",      "2",  "--batch",  "8",
          "--epochs", "1",      "--validation", "10", "--out",    (folder / "run").string()};
}

}  // namespace

TEST_CASE("data files that are missing, empty, cut off or not UTF-8") {
  const TempFolder folder;
  const std::string file = (folder / "data.txt").string();
  check_refused(weft_with(folder, text((folder / "missing.txt").string(), folder)), 1,
                "missing.txt");
  write_file(file, "");
  check_refused(weft_with(folder, text(file, folder)), 1, "data.txt");
  write_file(file, "short");
  check_refused(weft_with(folder, text(file, folder)), 2, "context is longer than the data");
  write_file(file, test::tiny_text() + "\xc3\x28" + test::tiny_text());
  check_refused(weft_with(folder, text(file, folder)), 1, "UTF-8");
  write_file(file, test::tiny_text() + "\xe6\xb0");  // ends inside a character
  check_refused(weft_with(folder, text(file, folder)), 1, "UTF-8");
  check_refused(weft_with(folder, text((folder / "").string(), folder)), 1, "");  // a folder
  check_refused(weft_with(folder, text("/dev/zero", folder)), 1, "/dev/zero");
  CHECK_FALSE(fs::exists(folder / "run"));
}

TEST_CASE("images that are missing, cut off, or lie about their size") {
  const TempFolder folder;
  const fs::path data = folder / "images";
  check_refused(weft_with(folder, vision(data.string(), folder)), 1, "images");
  const auto images = data / "train-images-idx3-ubyte";
  const auto labels = data / "train-labels-idx1-ubyte";
  test::write_tiny_images(data);
  const std::string good = read_file(images.string());
  const std::string good_labels = read_file(labels.string());
  write_file(images.string(), good.substr(0, 1000));
  check_refused(weft_with(folder, vision(data.string(), folder)), 1, "train-images");
  std::string lie = good;
  lie[4] = '\x7f';  // more than two thousand million images
  write_file(images.string(), lie);
  check_refused(weft_with(folder, vision(data.string(), folder)), 1, "train-images");
  write_file(images.string(), std::string("\x1f\x8b\x08\x00", 4) + "no gzip");
  check_refused(weft_with(folder, vision(data.string(), folder)), 1, "train-images");
  write_file(images.string(), "");
  check_refused(weft_with(folder, vision(data.string(), folder)), 1, "train-images");
  write_file(images.string(), good);
  write_file(labels.string(), good_labels.substr(0, 30));
  check_refused(weft_with(folder, vision(data.string(), folder)), 1, "labels");
  write_file(labels.string(), good_labels);
  check_refused(weft_with(folder, vision(data.string(), folder) + Words{"--patch", "3"}), 2,
                "patch must divide the image: patch 3, images 8 x 8");
  check_refused(weft_with(folder, vision(data.string(), folder) + Words{"--validation", "50"}), 2,
                "validation");
  CHECK_FALSE(fs::exists(folder / "run"));
}

TEST_CASE("flags that are unknown, out of range or contradict each other") {
  const TempFolder folder;
  const Words base = tiny_train(folder, (folder / "run").string());
  check_refused(weft_with(folder, base + Words{"--layrs", "2"}), 2,
                "unknown option --layrs; did you mean --layers?");
  check_refused(weft_with(folder, base + Words{"--lr", "nan"}), 2, "lr must be a number above 0");
  check_refused(weft_with(folder, base + Words{"--lr", "-1"}), 2, "lr must be a number above 0");
  check_refused(weft_with(folder, base + Words{"--lr"}), 2, "--lr");
  check_refused(weft_with(folder, base + Words{"--batch", "0"}), 2,
                "batch must be a whole number from 1");
  check_refused(weft_with(folder, base + Words{"--heads", "3"}), 2,
                "width must be divisible by heads: width 16, heads 3");
  check_refused(weft_with(folder, base + Words{"--context", "100000"}), 2,
                "context is longer than the data");
  check_refused(weft_with(folder, base + Words{"--width", "200000", "--layers", "1000"}), 2,
                "this cannot fit in memory");
  check_refused(weft_with(folder, base + Words{"--batch", "10000000", "--context", "300"}), 2,
                "lower the batch from 10000000 to");
  check_refused(weft_with(folder, base + Words{"--seed", "-1"}), 2, "seed");
  check_refused(weft_with(folder, base + Words{"--threads", "100000"}), 2, "threads");
  check_refused(weft_with(folder, base + Words{"--preset", "text-bset"}), 2,
                "did you mean text-best?");
  check_refused(weft_with(folder, base + Words{"--muon-lr", "0.1"}), 2,
                "has no effect with optimizer adamw");
  check_refused(weft_with(folder, base + Words{"surprise"}), 2, "surprise");
  check_refused(weft_with(folder, {"train", "txt"}), 2, "did you mean text?");
  check_refused(weft_with(folder, {"train"}), 2, "");
  check_refused(weft_with(folder, {"smaple"}), 2, "did you mean sample?");
  check_refused(weft_with(folder, {"sample"}), 2, "run");
  CHECK_FALSE(fs::exists(folder / "run"));
}

TEST_CASE("an --out that is there already or cannot be written stays untouched") {
  const TempFolder folder;
  const std::string run = (folder / "run").string();
  REQUIRE(weft_with(folder, tiny_train(folder, run)).code == 0);
  const std::string before = read_file(run + "/last.safetensors");
  check_refused(
      weft_with(folder, tiny_train(folder, run)), 2,
      "already contains a run, which is kept; choose another --out, or continue with --resume");
  CHECK(read_file(run + "/last.safetensors") == before);
  check_refused(weft_with(folder, tiny_train(folder, "/proc/nowhere/run")), 1, "/proc/nowhere/run");
  check_refused(weft_with(folder, tiny_train(folder, (folder / "text.txt").string() + "/run")), 1,
                "text.txt");
  check_refused(weft_with(folder, tiny_train(folder, (folder / "text.txt").string())), 2,
                "is a file, not a folder");
}

TEST_CASE("resuming: nothing there, another task, flags that would change the run") {
  const TempFolder folder;
  const std::string run = (folder / "run").string();
  check_refused(weft_with(folder, {"train", "text", "--resume"}), 2, "--out");
  check_refused(weft_with(folder, {"train", "text", "--resume", "--out", run}), 1,
                "is not a run folder");
  REQUIRE(weft_with(folder, tiny_train(folder, run)).code == 0);
  check_refused(weft_with(folder, {"train", "vision", "--resume", "--out", run}), 2, "a text run");
  check_refused(weft_with(folder, {"train", "text", "--resume", "--out", run, "--lr", "1"}), 2,
                "a run resumes with its own configuration: remove --lr 1");
}

TEST_CASE("checkpoints that are torn, of another shape, or no checkpoints") {
  const TempFolder folder;
  const std::string run = (folder / "run").string();
  const std::string last = run + "/last.safetensors";
  REQUIRE(weft_with(folder, tiny_train(folder, run)).code == 0);
  const std::string good = read_file(last);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, std::size_t{100}, good.size() / 2, good.size() - 1}) {
    CAPTURE(size);
    write_file(last, good.substr(0, size));
    check_refused(weft_with(folder, {"sample", run}), 1, "last.safetensors");
    check_refused(weft_with(folder, {"eval", run}), 1, "last.safetensors");
    check_refused(weft_with(folder, {"info", run}), 1, "last.safetensors");
  }
  const std::string wide = (folder / "wide").string();
  REQUIRE(weft_with(folder, tiny_train(folder, wide) + Words{"--width", "32"}).code == 0);
  fs::copy_file(wide + "/last.safetensors", last, fs::copy_options::overwrite_existing);
  check_refused(weft_with(folder, {"sample", run}), 2, "is a checkpoint of another model");
  check_refused(weft_with(folder, {"train", "text", "--resume", "--out", run}), 2,
                "is a checkpoint of another model");
  check_refused(weft_with(folder, {"predict", wide, "x.png"}), 2,
                "this command expects a vision run");
  check_refused(weft_with(folder, {"sample", (folder / "none").string()}), 1,
                "there is no such run");
  check_refused(weft_with(folder, {"sample", wide, "--prompt", "水"}), 2, "prompt");
  check_refused(weft_with(folder, {"sample", wide, "--temperature", "-1"}), 2, "temperature");
  check_refused(weft_with(folder, {"sample", wide, "--chars", "0"}), 2, "chars");
  write_file(run + "/config.json", "{\"task\":\"text\",\"width\":");
  check_refused(weft_with(folder, {"sample", run}), 2, "is not a JSON object");
}

TEST_CASE("what is printed and cannot be written is no success") {
  const TempFolder folder;
  for (const char* words : {"info", "--help", "train text --help", "compare --list --json"}) {
    CAPTURE(words);
    const Outcome outcome =
        test::Running({"/bin/sh", "-c", test::program() + " " + words + " >/dev/full"}, folder)
            .wait();
    CHECK(outcome.code == 3);
    CHECK_MESSAGE(outcome.err.find("weft: [output] ") != std::string::npos, outcome.err);
  }
}

TEST_CASE("a configuration that cannot be inspected") {
  const TempFolder folder;
  fs::create_symlink(folder / "loop", folder / "loop");
  for (const std::string& file : {(folder / "loop" / "x").string(), std::string(300, 'x')}) {
    const Outcome outcome =
        weft_with(folder, {"train", "text", "--config", file, "--out", (folder / "run").string()});
    check_refused(outcome, 1, file);
    CHECK_MESSAGE(outcome.err.find("[output]") == std::string::npos, outcome.err);
  }
}

TEST_CASE("a table of too few rows, a folder for temporary files that is not there") {
  const TempFolder folder;
  write_file((folder / "t.csv").string(), "a,b\n1,2\n3,4\n5,6\n");
  const std::string out = (folder / "run").string();
  const Words table{"train",   "tokens", "--data",  (folder / "t.csv").string(),
                    "--model", "linear", "--batch", "1",
                    "--steps", "2",      "--out",   out};
  CHECK(weft_with(folder, table).code == 0);  // one to train on, one to validate, one to test
  fs::remove_all(out);
  write_file((folder / "t.csv").string(), "a,b\n1,2\n3,4\n");
  check_refused(weft_with(folder, table), 2,
                "validation 1 and test 1 leave 0 of 2 rows to train on");
  CHECK_FALSE(fs::exists(out));

  const Outcome trained =
      test::Running(Words{"/usr/bin/env", "TMPDIR=" + (folder / "gone").string(), test::program()} +
                        tiny_train(folder, out),
                    folder)
          .wait();
  CHECK_MESSAGE(trained.code == 0, trained.err);
}
