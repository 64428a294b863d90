// A run that ends above chance says so; texts of a configuration are UTF-8 or are refused.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "train/config/config_sources.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/text/text_run.h"

using namespace weft;
using namespace weft::train;
using test::TempFolder;
using test::weft_with;
using Json = nlohmann::json;
namespace fs = std::filesystem;

TEST_CASE("a loss above chance is told in words and in summary.json") {
  const TempFolder folder;
  using test::operator+;
  const std::string bad = (folder / "bad").string(), good = (folder / "good").string();
  const auto lost =
      weft_with(folder, test::tiny_train(folder, bad) +
                            std::vector<std::string>{"--optimizer", "adamw", "--lr", "3", "--clip",
                                                     "0", "--schedule", "constant"});
  REQUIRE_MESSAGE(lost.code == 0, lost.err);
  const Json summary = Json::parse(read_file(bad + "/summary.json"));
  REQUIRE(summary["val_loss"].get<double>() > summary["chance_loss"].get<double>());
  CHECK(summary["above_chance"] == true);
  CHECK_MESSAGE(lost.err.find("is worse than chance") != std::string::npos, lost.err);
  const auto measured = weft_with(folder, {"eval", bad, "--json"});
  CHECK(measured.code == 0);
  CHECK(measured.err.find("is worse than chance") != std::string::npos);
  CHECK(Json::parse(measured.out)["above_chance"] == true);

  const auto learned = weft_with(folder, test::tiny_train(folder, good));
  REQUIRE(learned.code == 0);
  const Json fine = Json::parse(read_file(good + "/summary.json"));
  const double characters = static_cast<double>(TextRun(read_run(good)).tokenizer().vocab_size());
  CHECK(fine["chance_loss"].get<double>() == doctest::Approx(std::log(characters)));
  CHECK_FALSE(fine.contains("above_chance"));
  CHECK(learned.err.find("chance") == std::string::npos);
}

TEST_CASE("above chance is above it") {
  CHECK(above_chance(1.0, 2.0).empty());
  CHECK(above_chance(2.0, 2.0).empty());
  CHECK(above_chance(2.1, 2.0).find("the loss 2.1000 is worse than chance") == 0);
  CHECK(above_chance(2.1, std::nan("")).empty());
  CHECK(above_chance(std::nan(""), 2.0).empty());
}

TEST_CASE("a path that is not UTF-8 is refused before anything is done") {
  const TempFolder folder;
  const std::string odd = "caf\xe9";
  const std::string data = (folder / (odd + ".txt")).string();
  write_file(data, test::tiny_text());
  auto words = test::tiny_train(folder, (folder / "run").string());
  words[3] = data;
  const auto refused = weft_with(folder, words);
  CHECK(refused.code == 2);
  CHECK_MESSAGE(refused.err.find("is not UTF-8") != std::string::npos, refused.err);
  CHECK_FALSE(fs::exists(folder / "run"));

  // A name in UTF-8 in a folder that is not.
  fs::create_directories(folder / odd);
  write_file((folder / odd / "text.txt").string(), test::tiny_text());
  words[3] = "text.txt";
  words.insert(words.begin(), test::program());
  const auto inside = test::Running(words, folder, (folder / odd).string()).wait();
  CHECK(inside.code == 2);
  CHECK_MESSAGE(inside.err.find("is not UTF-8") != std::string::npos, inside.err);
  CHECK_FALSE(fs::exists(folder / "run"));

  // The folder of a run stands in none of its files: it is carried through, to the run's last step.
  const std::string run = (folder / odd / "run").string();
  CHECK(weft_with(folder, test::tiny_train(folder, run)).code == 0);
  CHECK(weft_with(folder, {"train", "text", "--resume", "--out", run}).code == 0);
  CHECK(weft_with(folder, {"eval", run}).code == 0);
  // That of a comparison does, in the commands that make its runs again.
  const auto comparison = weft_with(folder, {"compare", test::tiny_suite(folder, "steps = 2\n"),
                                             "--out", (folder / odd / "c").string()});
  CHECK(comparison.code == 2);
  CHECK_MESSAGE(comparison.err.find("is not UTF-8") != std::string::npos, comparison.err);
  CHECK_FALSE(fs::exists(folder / odd / "c"));
}

TEST_CASE("every text of a configuration is UTF-8, however it came in") {
  for (const Kind* kind : kinds()) {
    CAPTURE(kind->name());
    for (const Field* const each : kind->fields(*kind->make())) {
      const Field& field = *each;
      const auto config = kind->make();
      const Field::Member member = field.member(*config);
      auto* const* text = std::get_if<std::string*>(&member);
      if (text == nullptr || !field.choices.empty()) continue;
      CAPTURE(field.name);
      CHECK_THROWS_WITH_AS(set_from_text(*config, field, "caf\xe9", "flags"),
                           doctest::Contains("is not UTF-8"), ConfigError);
      **text = "caf\xe9";
      CHECK_THROWS_WITH_AS(to_json(*kind, *config), doctest::Contains("is not UTF-8"), ConfigError);
      **text = "caf\u00e9";
      CHECK(to_json(*kind, *config).find("caf\u00e9") != std::string::npos);
    }
  }
}
