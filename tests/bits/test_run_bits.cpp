// Runs come to the committed bits on every instruction set that this machine has: 50 steps of each
// kind, and a few of each of its models, of each optimizer and of each kind of attention.
#include "core/simd.h"
#include "nn/options.h"
#include "tests/bits/recorded.h"
#include "tests/reliability/every_kind.h"
#include "train/config/options.h"

using namespace weft;
using namespace weft::test;
using Words = std::vector<std::string>;

namespace {

/// `words` with an option's value, new or another.
Words with(Words words, const std::string& option, const std::string& value) {
  const auto flag = std::find(words.begin(), words.end(), option);
  if (flag == words.end()) return words + Words{option, value};
  *(flag + 1) = value;
  return words;
}

/// The run's hash as summary.json says it. Runs by turns have one thread and two.
std::string bits_of(const TempFolder& folder, const Words& words, const std::string& simd) {
  static int number = 0;
  const std::string run = (folder / ("run" + std::to_string(++number))).string();
  Words command{"env", "WEFT_SIMD=" + simd, program()};
  command = command + words +
            Words{"--no-estimate", "--threads", std::to_string(1 + number % 2), "--out", run};
  const Outcome outcome = Running(command, folder).wait();
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  return nlohmann::json::parse(read_file(run + "/summary.json")).at("bits");
}

Words models_of(const train::Kind& kind) {
  for (const train::Field& field : kind.fields())
    if (field.name == "model") return field.choices;
  return {};  // one model
}

/// Without the options that do nothing with that model.
Words for_model(const train::Kind& kind, const Words& words, const std::string& model) {
  const auto config = kind.make();
  train::set_value(*config, *kind.find_field(*config, "model"), model, "test");
  Words kept;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string name = words[i].substr(0, words[i].find('='));
    std::replace(name.begin(), name.end(), '-', '_');
    const bool idle = name.starts_with("__") && !kind.meaningless(*config, name.substr(2)).empty();
    if (!idle) kept.push_back(words[i]);
    if (idle && words[i].find('=') == std::string::npos) ++i;
  }
  return with(kept, "--model", model);
}

/// `all`: with the portable kernels, too, which take a hundred times as long.
void check_run(const TempFolder& folder, const std::string& name, const Words& words,
               bool all = true) {
  for (const std::string& simd : simd_choices()) {
    if (!all && simd == "scalar" && simd_choices().size() > 1) continue;
    CAPTURE(simd);
    bits::check(name, bits_of(folder, words, simd));
  }
}

}  // namespace

TEST_CASE("50 steps of every kind have the committed bits") {
  const TempFolder folder;
  for (const auto& run : a_run_of_every_kind(folder)) {
    const std::string& kind = run.first;
    const Words& words = run.second;
    CAPTURE(kind);
    const bool epochs = std::find(words.begin(), words.end(), "--epochs") != words.end();
    check_run(folder, "run: " + kind + ", 50 steps",
              with(words, epochs ? "--epochs" : "--steps", epochs ? "10" : "50"));
  }
}

TEST_CASE("every kind trains in bf16 to the committed bits") {
  const TempFolder folder;
  for (const auto& run : a_run_of_every_kind(folder)) {
    const std::string& kind = run.first;
    CAPTURE(kind);
    check_run(folder, "run: " + kind + ", bf16", with(run.second, "--precision", "bf16"));
  }
}

TEST_CASE("every model trains to the committed bits") {
  const TempFolder folder;
  auto runs = a_run_of_every_kind(folder);
  // Data that every model can read.
  runs["sequence"] = with(runs["sequence"], "--data", "copy");
  runs["vision"] = {
      "train",         "vision", "--data",       std::string(WEFT_SOURCE_DIR) + "/data/sets/mnist",
      "--layers",      "1",      "--width",      "8",
      "--train-share", "0.002",  "--validation", "10",
      "--batch",       "5",      "--epochs",     "2",
      "--no-test"};
  for (const train::Kind* kind : train::kinds())
    for (const std::string& model : models_of(*kind)) {
      CAPTURE(kind->name());
      CAPTURE(model);
      check_run(folder, "run: " + kind->name() + ", " + model,
                for_model(*kind, runs.at(kind->name()), model), false);
    }
}

TEST_CASE("every augmentation trains to the committed bits") {
  const TempFolder folder;
  const Words vision = a_run_of_every_kind(folder).at("vision");
  check_run(folder, "run: vision, augmented",
            with(with(with(with(with(with(vision, "--least-crop", "0.4"), "--rand-augment", "2"),
                                "--rotate", "15"),
                           "--color-jitter", "0.3"),
                      "--erase", "0.5"),
                 "--mixup", "0.2") +
                Words{"--cutmix", "1"});
}

TEST_CASE("every optimizer and kind of attention trains to the committed bits") {
  const TempFolder folder;
  const Words text = a_run_of_every_kind(folder).at("text");
  for (const std::string& optimizer : train::optimizers().names())
    check_run(folder, "run: optimizer " + optimizer, with(text, "--optimizer", optimizer));
  for (const std::string& attention : nn::choices<nn::AttentionKind>())
    if (attention != "channels")  // never causal
      check_run(folder, "run: attention " + attention, with(text, "--attention", attention));
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // their libraries must be loaded first
TEST_CASE("a run that is stopped and goes on with another instruction set has the same bits") {
  const TempFolder folder;
  const Words words =
      with(with(a_run_of_every_kind(folder).at("text"), "--steps", "50"), "--no-estimate", "--out");
  const std::vector<std::string> sets = simd_choices();
  int number = 0;
  for (const std::string& first : sets)
    for (const std::string& second : sets) {
      CAPTURE(first);
      CAPTURE(second);
      const std::string out = (folder / ("stopped" + std::to_string(number++))).string();
      const Outcome stopped =
          Running(Words{"env", "WEFT_SIMD=" + first,
                        "LD_PRELOAD=" WEFT_BINARY_DIR "/tests/libraise_signal.so",
                        "WEFT_TEST_RAISE=15", "WEFT_TEST_RAISE_AT=step 25/50", program()} +
                      words + Words{out},
                  folder)
              .wait();
      REQUIRE_MESSAGE(stopped.code == 128 + SIGTERM, stopped.err);
      const Outcome resumed = Running({"env", "WEFT_SIMD=" + second, program(), "train", "text",
                                       "--resume", "--threads", "3", "--out", out},
                                      folder)
                                  .wait();
      REQUIRE_MESSAGE(resumed.code == 0, resumed.err);
      bits::check("run: text, 50 steps",
                  nlohmann::json::parse(read_file(out + "/summary.json")).at("bits"));
    }
}
#endif

TEST_CASE("samples of a model have the committed bits") {
  const TempFolder folder;
  const std::string run = (folder / "run").string();
  const Words words = with(a_run_of_every_kind(folder).at("text"), "--steps", "50");
  REQUIRE(weft_with(folder, words + Words{"--no-estimate", "--out", run}).code == 0);
  for (const std::string& simd : simd_choices()) {
    CAPTURE(simd);
    const Outcome text = Running({"env", "WEFT_SIMD=" + simd, program(), "sample", run, "--chars",
                                  "400", "--seed", "3", "--top-p", "0.9"},
                                 folder)
                             .wait();
    REQUIRE_MESSAGE(text.code == 0, text.err);
    bits::Hash hash;
    hash.add(std::string_view(text.out));
    bits::check("sample: text", hash.str());
  }
}
