// A run of every kind that takes a moment.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>

#include "tests/cli/run_program.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/kinds.h"

namespace weft::test {

/// `train KIND ...` without --out, of about a dozen steps, for each of train::kinds(); a kind that
/// has none here fails the test.
inline std::map<std::string, std::vector<std::string>> a_run_of_every_kind(
    const TempFolder& folder) {
  std::string pairs, labeled;
  for (int i = 0; i < 120; ++i) {
    const std::string source = fmt::format("{}{}", i * 7 % 97, i % 2 == 0 ? "ab" : "cde");
    pairs += source + '\t' + std::string(source.rbegin(), source.rend()) + '\n';
    labeled += fmt::format("{}\t{} word{} and word{}\n", i % 3 == 0 ? "spam" : "ham",
                           i % 3 == 0 ? "winner" : "hello", i % 7, i % 5);
  }
  const auto put = [&](const char* name, const std::string& text) {
    if (!fs::exists(folder / name)) write_file((folder / name).string(), text);
    return (folder / name).string();
  };
  std::string people = "age,city,since,income\n";
  for (int i = 0; i < 160; ++i)
    people +=
        fmt::format("{},{},20{:02}-0{}-11,{}\n", i % 9 == 4 ? "" : std::to_string(20 + i % 37),
                    i % 3 == 0   ? "Leeds"
                    : i % 3 == 1 ? "\"York, old\""
                                 : "Hull",
                    10 + i % 13, 1 + i % 9, (i % 37 > 20) != (i % 3 == 0) ? "high" : "low");
  const std::string mnist = std::string(WEFT_SOURCE_DIR) + "/data/sets/mnist";
  const std::vector<std::string> small{"--layers", "1", "--heads", "2", "--width", "16"};
  const auto with = [&](const std::string& kind, std::vector<std::string> words,
                        const std::vector<std::string>& more = {}) {
    words.insert(words.begin(), {"train", kind});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  std::map<std::string, std::vector<std::string>> all{
      {"text", with("text",
                    {"--data", tiny_text_config(folder).data, "--context", "8", "--batch", "3",
                     "--steps", "12", "--eval-every", "5", "--dropout", "0.1"},
                    small)},
      {"vision", with("vision", {"--data", tiny_vision_config(folder).data, "--model", "resnet",
                                 "--layers", "1", "--width", "8", "--batch", "8", "--epochs", "3",
                                 "--validation", "10", "--flip=yes"})},
      {"detect", with("detect", {"--data", mnist, "--model", "faster_rcnn", "--width", "16",
                                 "--eval-scenes", "2", "--max-digits", "3", "--clutter", "2",
                                 "--batch", "1", "--steps", "8"})},
      {"sequence", with("sequence",
                        {"--data", "recall", "--symbols", "16", "--length", "32", "--held-out",
                         "32", "--batch", "8", "--steps", "12"},
                        small)},
      {"translate",
       with("translate", {"--data", put("pairs.tsv", pairs), "--batch", "16", "--steps", "12"},
            small)},
      {"tokens", with("tokens", {"--train", "512", "--validation", "64", "--test", "64", "--batch",
                                 "64", "--model", "linear", "--steps", "12"})},
      {"table",
       with("table", {"--data", put("people.csv", people), "--batch", "16", "--steps", "12"},
            small)},
      {"bert", with("bert",
                    {"--data", put("labeled.tsv", labeled), "--context", "16", "--vocabulary", "80",
                     "--batch", "16", "--steps", "12"},
                    small)},
      {"classify", with("classify",
                        {"--data", put("labeled.tsv", labeled), "--model", "bert", "--context",
                         "16", "--vocabulary", "80", "--batch", "16", "--steps", "12"},
                        small)},
      {"embedding", with("embedding", {"--data", "synonyms", "--width", "16", "--batch", "64",
                                       "--steps", "12"})},
      {"recommend", with("recommend", {"--model", "fm", "--users", "60", "--items", "40",
                                       "--topics", "6", "--interests", "2", "--history", "12",
                                       "--events", "24", "--batch", "64", "--epochs", "2"})}};
  for (const train::Kind* kind : train::kinds())
    REQUIRE_MESSAGE(all.contains(kind->name()), kind->name());
  return all;
}

}  // namespace weft::test
