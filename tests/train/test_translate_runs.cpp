// Runs of the kind translate: learned, resumed, used, refused.
#include <doctest/doctest.h>

#include <set>

#include "core/error.h"
#include "tests/core/error_text.h"
#include "tests/train/tiny_runs.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/translate/translate_run.h"

using namespace weft;
using namespace weft::train;
using test::error_text;
using test::refusal;
using test::TempFolder;

namespace {

/// A word of two to four letters to the same word backwards, in capitals.
TranslateConfig tiny_translate_config(const TempFolder& folder) {
  std::string text;
  std::set<std::string> words;
  for (int i = 0; i < 400; ++i) {
    std::string word;
    for (int at = 0, rest = i * 7919 + 13; at < 2 + i % 3; ++at, rest /= 4)
      word += static_cast<char>('a' + rest % 4);
    if (!words.insert(word).second) continue;
    std::string answer(word.rbegin(), word.rend());
    for (char& letter : answer) letter = static_cast<char>(letter - 'a' + 'A');
    text += word + "\t" + answer + "\n";
  }
  write_file((folder / "words.tsv").string(), text);
  TranslateConfig c;
  c.data = (folder / "words.tsv").string();
  c.context = 6;
  test::set(c, {{"layers", "1"}, {"heads", "2"}, {"width", "32"}, {"dropout", "0"}});
  c.label_smoothing = 0;
  c.lr = 5e-3;
  c.batch = 32;
  c.steps = 200;
  c.eval_every = 100;
  return c;
}

}  // namespace

TEST_CASE("words are written backwards, as a trained run shows when it is used") {
  const TempFolder folder;
  const TranslateConfig c = tiny_translate_config(folder);
  const Summary summary = train_run(c, {.out = folder / "run"});
  CHECK(summary.test.figure("accuracy") > 0.9);
  CHECK(summary.test.figure("bits_per_byte") < 0.7);
  CHECK(static_cast<double>(summary.parameters) ==
        kind_of(c).parameters(c, *kind_of(c).inspect_data(c)));

  const TranslateRun run(read_run(folder / "run"));
  const auto found = run.translate("abca", 3);
  REQUIRE(found.size() >= 2);
  CHECK(found[0].text == "ACBA");
  CHECK(found[0].log_probability > found[1].log_probability);
  CHECK(error_text<ConfigError>([&] { run.translate("", 2); }) ==
        "[predict] an empty text has no translation");
  CHECK(error_text<ConfigError>([&] { run.translate("abcdabc", 2); }) ==
        "[predict] the text has 7 characters, and the model reads at most 6");
  CHECK(error_text<ConfigError>([&] { run.translate("xyz", 2); }).find("x") != std::string::npos);
}

TEST_CASE(
    "a translate run goes on to the same figures after it was stopped in the middle of an epoch") {
  const TempFolder folder;
  TranslateConfig c = tiny_translate_config(folder);
  c.steps = 30;
  test::set(c, {{"dropout", "0.2"}});
  c.label_smoothing = 0.1;
  train_run(c, {.out = folder / "whole"});
  int asked = 0;
  CHECK(train_run(c, {.out = folder / "parts", .stop = [&] { return ++asked > 13; }}).interrupted);
  CHECK_FALSE(resume_run({.out = folder / "parts", .resume = true}, "translate", 0).interrupted);
  const Progress whole = read_run(folder / "whole").facts.progress,
                 parts = read_run(folder / "parts").facts.progress;
  CHECK(whole.last.loss == parts.last.loss);
  CHECK(whole.batch_hash == parts.batch_hash);
}

TEST_CASE("what a translate run cannot be is said before it starts") {
  const TempFolder folder;
  TranslateConfig c = tiny_translate_config(folder);
  c.context = 3;
  CHECK(error_text<ConfigError>([&] {
          train_run(c, {.out = folder / "run"});
        }).find("have a text longer than the context 3; the longest, in line ") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
  c = tiny_translate_config(folder);
  test::set(c, {{"positions", "rope"}, {"width", "6"}});
  CHECK(refusal(c) ==
        "[config] rope rotates pairs of features, so the head size must be even, got 3");
  c = tiny_translate_config(folder);
  c.until = "val_auc=1";
  CHECK(refusal(c).find("auc") != std::string::npos);
}
