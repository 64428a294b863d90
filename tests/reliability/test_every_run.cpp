// What every kind of run can be used for: it says so itself, and does it.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "data/image/png.h"
#include "tests/cli/refused.h"
#include "tests/reliability/every_kind.h"
#include "train/tasks/common/loaded_run.h"

using namespace weft;
using namespace weft::test;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

namespace {

/// A command of a kind, to be typed: "weft explain history RUN (of model din)".
struct Typed {
  Words words;
  std::string model;  ///< that the run must be of; empty: any
};

Typed typed(std::string command, const std::string& picture) {
  Typed result;
  if (const auto at = command.find(" (of model "); at != std::string::npos) {
    result.model = command.substr(at + 11, command.size() - at - 12);
    command.resize(at);
  }
  if (const auto at = command.find('"'); at != std::string::npos) {  // the last word
    result.words.push_back(command.substr(at + 1, command.size() - at - 2));
    command.resize(at);
  }
  std::istringstream stream(command);
  Words first{std::istream_iterator<std::string>(stream), {}};
  first.erase(first.begin());  // weft
  for (std::string& word : first) {
    if (word == "FILE.png") word = picture;
    if (word == "FILE.csv") word = (fs::path(picture).parent_path() / "people.csv").string();
    if (word == "TEXT") word = "1ab";
  }
  result.words.insert(result.words.begin(), first.begin(), first.end());
  return result;
}

/// `words` with --model `model`.
Words with_model(Words words, const std::string& model) {
  const auto flag = std::find(words.begin(), words.end(), "--model");
  if (flag == words.end()) return words + Words{"--model", model};
  *(flag + 1) = model;
  return words;
}

/// What weft says of a run and a picture when it is asked for what it cannot do.
Outcome asked(const TempFolder& folder, train::Use use, const std::string& run,
              const std::string& picture) {
  Words words = typed(train::command_of(use), picture).words;
  std::replace(words.begin(), words.end(), std::string("RUN"), run);
  return weft_with(folder, words);
}

void check_kind(const train::Kind& kind, const Words& train, const TempFolder& folder,
                const std::string& picture) {
  CAPTURE(kind.name());
  const auto trained = [&](const std::string& model) {
    const std::string run = (folder / (kind.name() + model)).string();
    if (fs::exists(run)) return run;
    const Words words = model.empty() ? train : with_model(train, model);
    const Outcome outcome = weft_with(folder, words + Words{"--out", run});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    return run;
  };
  const std::string own = trained("");
  const auto loaded = kind.load(train::read_run(own));
  const std::string about = loaded->describe();
  CHECK(about.find(kind.name() + " run, step ") == 0);
  CHECK(about.find("\"task\": \"" + kind.name() + "\"") != std::string::npos);
  CHECK(weft_with(folder, {"info", own}).out == about);
  const Json summary = Json::parse(read_file(own + "/summary.json"));
  CHECK(loaded->layers().parameters == summary["params"]);

  const train::Measured measured = loaded->evaluate();
  const Outcome eval = weft_with(folder, {"eval", own, "--json"});
  REQUIRE_MESSAGE(eval.code == 0, eval.err);
  const Json printed = Json::parse(eval.out);
  CHECK(printed["split"] == measured.split);
  CHECK(printed["loss"] == measured.figures.loss);
  CHECK(printed[measured.unit] == measured.figures.measured);
  for (const auto& [name, value] : measured.figures.figures) CHECK(printed[name] == value);
  CHECK(std::isfinite(measured.figures.loss));

  for (const train::Use use : kind.uses()) {
    Typed command = typed(kind.command(use), picture);
    std::replace(command.words.begin(), command.words.end(), std::string("RUN"),
                 trained(command.model));
    const Outcome outcome = weft_with(folder, command.words);
    CHECK_MESSAGE(outcome.code == 0, kind.command(use), ": ", outcome.err);
    CHECK_FALSE(outcome.out.empty());
    const Outcome json = weft_with(folder, command.words + Words{"--json"});
    CHECK_MESSAGE(json.code == 0, kind.command(use), ": ", json.err);
    CHECK(Json::accept(json.out));
  }
  for (const train::Use use : {train::Use::sample, train::Use::predict_text, train::Use::detect}) {
    if (kind.can(use)) continue;
    check_refused(asked(folder, use, own, picture), 2, kind.commands());
  }
}

}  // namespace

TEST_CASE("every kind of run loads, says what it is, is measured, and does all that it names") {
  const TempFolder folder;
  const std::string picture = (folder / "picture.png").string();
  data::save_png(picture, Tensor::zeros({8, 8}, DType::u8));
  const auto runs = a_run_of_every_kind(folder);
  for (const train::Kind* kind : train::kinds())
    check_kind(*kind, runs.at(kind->name()), folder, picture);
}

TEST_CASE("an empty text has no class") {
  const TempFolder folder;
  const std::string run = (folder / "run").string();
  REQUIRE(weft_with(folder, a_run_of_every_kind(folder)["classify"] + Words{"--out", run}).code ==
          0);
  for (const char* text : {"--text=", "--text= \t"}) {
    const Outcome none = weft_with(folder, {"predict", run, text});
    CHECK(none.code == 2);
    CHECK(none.out.empty());
    CHECK_MESSAGE(none.err.find("[predict] a text without a word has no class: give it one\n") !=
                      std::string::npos,
                  none.err);
  }
  const Outcome both = weft_with(folder, {"predict", run, "--text=", "--text=hello", "--json"});
  CHECK(both.code == 1);
  CHECK(Json::parse(both.out)[0].contains("error"));
  CHECK(Json::parse(both.out)[1].contains("class"));
}
