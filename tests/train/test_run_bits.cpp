// What a run's bits are made of, and where two runs differ first: files that say little else.
#include "train/loop/run_bits.h"

#include <doctest/doctest.h>

#include <functional>

#include "core/io/safetensors.h"
#include "tests/train/tiny_runs.h"

using namespace weft;
using namespace weft::test;

namespace {

/// Tensors of one size: nothing but their names can put them in order.
struct Files {
  std::vector<std::pair<std::string, Tensor>> tensors{
      {"weight", Tensor::from<float>({1, 2, 3}, {3})},
      {"bias", Tensor::from<float>({4, 5, 6}, {3})}};
  std::string metrics = R"({"step": 1, "loss": 2.5, "seconds": 0.5}
{"step": 2, "loss": 2.25, "tokens_per_s": 9.5}
)";
  std::string summary = R"({"steps": 2, "val_loss": 2.125, "peak_mib": 7.5})";
};

using Change = std::function<void(Files&)>;

fs::path written(const TempFolder& folder, const std::string& name, const Change& change) {
  Files files;
  change(files);
  const fs::path run = folder / name;
  fs::create_directory(run);
  write_safetensors(run / "last.safetensors", {.tensors = files.tensors});
  write_file((run / "metrics.jsonl").string(), files.metrics);
  write_file((run / "summary.json").string(), files.summary);
  return run;
}

std::string bits(const fs::path& run) {
  return train::run_bits(run, read_file((run / "summary.json").string()));
}

/// `text` with one piece replaced by another.
void swap(std::string& text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  text.replace(at, what.size(), by);
}

struct Pair {
  std::string name;
  Change change;
  std::string difference;  ///< what first_difference says
};

}  // namespace

TEST_CASE("what tells of the machine, or of how a run was written, is no part of its bits") {
  const std::vector<std::pair<std::string, Change>> changes = {
      {"seconds", [](Files& f) { swap(f.metrics, "0.5}", "0.75}"); }},
      {"speed", [](Files& f) { swap(f.metrics, "9.5", "8.5"); }},
      {"memory", [](Files& f) { swap(f.summary, "7.5", "6.5"); }},
      {"no memory", [](Files& f) { swap(f.summary, ", \"peak_mib\": 7.5", ""); }},
      {"bits", [](Files& f) { swap(f.summary, "{", "{\"bits\": \"0123456789abcdef\", "); }},
      {"order of keys",
       [](Files& f) { swap(f.metrics, R"("step": 1, "loss": 2.5)", R"("loss": 2.5, "step": 1)"); }},
      {"order of tensors", [](Files& f) { std::swap(f.tensors[0], f.tensors[1]); }},
      {"a record in two parts",
       [](Files& f) {
         swap(f.metrics, R"("step": 1, "loss": 2.5,)",
              "\"step\": 1, \"loss\": 2.5}\n{\"step\": 1,");
       }},
  };
  const TempFolder folder;
  const fs::path one = written(folder, "one", [](Files&) {});
  for (const auto& [name, change] : changes) {
    CAPTURE(name);
    const fs::path other = written(folder, name, change);
    CHECK(bits(one) == bits(other));
    CHECK(train::first_difference(one, other) == "");
    CHECK(train::first_difference(other, one) == "");
  }
}

TEST_CASE("all else is part of a run's bits, and the first difference is named") {
  const std::vector<Pair> changes = {
      {"a value", [](Files& f) { swap(f.metrics, "2.25", "2.26"); },
       "step 2, loss: 2.25 against 2.26"},
      {"a new value", [](Files& f) { swap(f.metrics, "2.5,", "2.5, \"rate\": 1,"); },
       "step 1, rate: nothing against 1"},
      {"a new step", [](Files& f) { f.metrics += "{\"step\": 3}\n"; },
       "step 3 is in the record of one run alone"},
      {"an element",
       [](Files& f) {
         f.tensors[0].second = Tensor::from<float>({1, 2, 4}, {3});
       },
       "the checkpoints, weight"},
      {"the first tensor's element",
       [](Files& f) {
         f.tensors[1].second = Tensor::from<float>({4, 5, 7}, {3});
       },
       "the checkpoints, bias"},
      {"a name", [](Files& f) { f.tensors[0].first = "width"; },
       "the checkpoints hold other tensors"},
      {"one tensor less", [](Files& f) { f.tensors.erase(f.tensors.begin()); },
       "the checkpoints hold other tensors"},
      {"a figure", [](Files& f) { swap(f.summary, "2.125", "2.126"); },
       "the end, val_loss: 2.125 against 2.126"},
      {"a new figure", [](Files& f) { swap(f.summary, "{", "{\"accuracy\": 1, "); },
       "the end, accuracy: nothing against 1"},
  };
  const TempFolder folder;
  const fs::path one = written(folder, "one", [](Files&) {});
  for (const Pair& pair : changes) {
    CAPTURE(pair.name);
    const fs::path other = written(folder, pair.name, pair.change);
    CHECK(bits(one) != bits(other));
    CHECK(train::first_difference(one, other) == pair.difference);
  }
}
