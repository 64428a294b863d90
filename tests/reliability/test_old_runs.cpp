// Runs that earlier versions began (tests/old_runs) go on to the ends that those versions reached,
// and stay of use.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/io/safetensors.h"
#include "tests/cli/run_program.h"
#include "train/loop/figures_json.h"

using namespace weft;
using namespace weft::test;
using Json = nlohmann::json;

namespace {

const fs::path kOldRuns = fs::path(WEFT_SOURCE_DIR) / "tests" / "old_runs";

Json read_json(const fs::path& file) { return Json::parse(read_file(file.string())); }

/// The folders with a run in them.
std::vector<fs::path> old_runs() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(kOldRuns))
    if (fs::exists(entry.path() / "run" / "config.json")) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

Outcome with_data(const fs::path& old, const TempFolder& scratch,
                  const std::vector<std::string>& words) {
  std::vector<std::string> command{program()};
  if (fs::exists(old / "data"))
    command = {"env", "WEFT_DATA=" + (old / "data").string(), program()};
  return Running(command + words, scratch).wait();
}

/// Every value of `before` is in `now`, too: numbers with a fraction to within `tolerance` of it,
/// all else exactly.
void check_says(const Json& now, const Json& before, double tolerance, const std::string& place) {
  CAPTURE(place);
  if (before.is_object()) {
    for (const auto& [key, value] : before.items()) {
      if (train::is_machine_bound(key)) continue;
      REQUIRE_MESSAGE(now.contains(key), "nothing is said of " << key);
      check_says(now[key], value, tolerance, place + "." + key);
    }
  } else if (before.is_array()) {
    REQUIRE(now.size() == before.size());
    for (std::size_t i = 0; i < before.size(); ++i)
      check_says(now[i], before[i], tolerance, place + "[" + std::to_string(i) + "]");
  } else if (before.is_number_float() && tolerance > 0) {
    CHECK(now.get<double>() == doctest::Approx(before.get<double>()).epsilon(tolerance));
  } else {
    CHECK(now == before);
  }
}

void check_same_weights(const fs::path& now, const fs::path& before) {
  const TensorFile a = read_safetensors(now), b = read_safetensors(before);
  CHECK(a.metadata.at("streams") == b.metadata.at("streams"));
  // Optimizers count the steps of each parameter by now; all have taken part in each step here.
  const auto others = [](const TensorFile& file) {
    return std::count_if(file.tensors.begin(), file.tensors.end(), [](const auto& entry) {
      return !entry.first.starts_with("optimizer.step.");
    });
  };
  REQUIRE(others(a) == others(b));
  const double steps = Json::parse(a.metadata.at("progress")).at("step");
  for (const auto& [name, tensor] : a.tensors)
    if (name.starts_with("optimizer.step.")) CHECK(tensor.item() == steps);
  for (const auto& [name, tensor] : b.tensors) {
    CAPTURE(name);
    const auto found = std::find_if(a.tensors.begin(), a.tensors.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    REQUIRE(found != a.tensors.end());
    CHECK(data::batch_hash(found->second, {}) == data::batch_hash(tensor, {}));
  }
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace

TEST_CASE("runs of earlier versions go on to the same ends") {
  const TempFolder folder;
  const auto all = old_runs();
  REQUIRE(!all.empty());
  int with_weights = 0;
  for (const fs::path& old : all) {
    CAPTURE(old);
    const fs::path run = folder / old.filename().string(), finished = old / "finished";
    fs::copy(old / "run", run, fs::copy_options::recursive);
    const std::string kind = read_json(run / "config.json")["task"];
    // Up to format 4 bits depended on the CPU; what all versions since then come to is the same.
    const bool equal_bits = read_json(run / "config.json").value("format", 1) >= 5;
    const double tolerance = equal_bits ? 0 : 1e-3;
    const std::string config = read_file((run / "config.json").string());
    const Outcome outcome = with_data(
        old, folder, {"train", kind, "--resume", "--threads", "1", "--out", run.string()});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    CHECK(read_file((run / "config.json").string()) == config);
    check_says(read_json(run / "summary.json"), read_json(finished / "summary.json"), tolerance,
               "summary");
    check_says(Json(read_metrics(run)), Json(read_metrics(finished)), tolerance, "metrics");
    if (!fs::exists(finished / "last.safetensors")) continue;
    ++with_weights;
    if (tolerance > 0) continue;
    for (const char* file : {"last.safetensors", "best.safetensors"})
      check_same_weights(run / file, finished / file);
  }
  CHECK(with_weights > 0);
}

TEST_CASE("finished runs of earlier versions answer as they did") {
  const TempFolder folder;
  for (const fs::path& old : old_runs()) {
    CAPTURE(old);
    if (!fs::exists(old / "uses.json")) continue;
    const Json uses = read_json(old / "uses.json");
    REQUIRE(!uses.empty());
    for (const Json& use : uses) {
      const std::string run = (old / "finished").string(), data = (old / "data").string();
      std::vector<std::string> words;
      for (const std::string word : use["command"])
        words.push_back(replaced(replaced(word, "RUN", run), "DATA", data));
      CAPTURE(use["command"].dump());
      const Outcome outcome = with_data(old, folder, words);
      REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
      check_says(Json::parse(replaced(replaced(outcome.out, run, "RUN"), data, "DATA")),
                 use["answer"], 1e-3, "answer");
    }
  }
}
