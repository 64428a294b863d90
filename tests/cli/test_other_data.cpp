// Runs whose data have changed since, or that are measured on other data: the same model, or an
// error, never another meaning.
#include <doctest/doctest.h>

#include "tests/cli/run_program.h"

using namespace weft;
using test::Outcome;
using test::TempFolder;
using test::weft_with;

namespace {

using Json = nlohmann::json;

double accuracy_of(const Outcome& outcome) {
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  return Json::parse(outcome.out)["accuracy"].get<double>();
}

}  // namespace

TEST_CASE("a run whose words have changed is not measured with others") {
  const TempFolder folder;
  const std::string data = (folder / "mails.tsv").string(), run = (folder / "run").string();
  std::string lines;
  for (int i = 0; i < 40; ++i)
    lines += fmt::format("ham\tsee you at {} for tea\nspam\twin prize {} now\n", i, i);
  write_file(data, lines);
  const Outcome trained = weft_with(folder, {"train", "classify", "--data", data, "--model", "bow",
                                             "--vocabulary", "12", "--steps", "40", "--out", run});
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  const double before = accuracy_of(weft_with(folder, {"eval", run, "--json"}));
  CHECK(before > 0.9);
  std::string more;
  for (int i = 0; i < 60; ++i) more += "spam\tzebra yonder xylem walnut velvet umbrella\n";
  write_file(data, lines + more);
  const Outcome changed = weft_with(folder, {"eval", run});
  CHECK(changed.code == 2);
  CHECK_MESSAGE(
      changed.err.find("the data have changed since this run was trained") != std::string::npos,
      changed.err);
  write_file(data, lines);
  CHECK(accuracy_of(weft_with(folder, {"eval", run, "--json"})) == before);
}

TEST_CASE("other images are normalized as those that the model has learned from") {
  const TempFolder folder;
  test::write_tiny_images(folder / "images");
  test::write_tiny_images(folder / "dim");
  // The same test images, and few, dark training images.
  const std::string file = (folder / "dim" / "train-images-idx3-ubyte").string();
  data::write_idx(file, Tensor::full({3, 8, 8}, 5.0, DType::u8));
  data::write_idx((folder / "dim" / "train-labels-idx1-ubyte").string(),
                  Tensor::from(std::vector<std::uint8_t>{0, 1, 2}, {3}));
  const std::string run = (folder / "run").string();
  REQUIRE(weft_with(folder, {"train", "vision", "--data", (folder / "images").string(), "--model",
                             "mlp", "--width", "32", "--batch", "8", "--epochs", "3",
                             "--validation", "10", "--out", run})
              .code == 0);
  const Outcome own = weft_with(folder, {"eval", run, "--json"}),
                other =
                    weft_with(folder, {"eval", run, "--data", (folder / "dim").string(), "--json"});
  CHECK(accuracy_of(own) == accuracy_of(other));
  CHECK(Json::parse(own.out)["loss"] == Json::parse(other.out)["loss"]);
}

TEST_CASE("pairs that a run cannot hold are refused with what mends it where it is measured") {
  const TempFolder folder;
  const std::string data = (folder / "pairs.tsv").string(), other = (folder / "other.tsv").string();
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += fmt::format("word {}\tno {}\n", i, i);
  write_file(data, lines);
  write_file(other, lines + "word 1\t" + std::string(50, 'n') + "\n");
  const auto run = [&](const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> words{"train",    "translate", "--data",  data,
                                   "--layers", "1",         "--width", "8"};
    const std::vector<std::string> rest{"--heads", "1", "--context", "16",
                                        "--batch", "2", "--steps",   "1"};
    words.insert(words.end(), rest.begin(), rest.end());
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"--out", (folder / name).string()});
    const Outcome trained = weft_with(folder, words);
    REQUIRE_MESSAGE(trained.code == 0, trained.err);
    return weft_with(folder, {"eval", (folder / name).string(), "--data", other});
  };
  const Outcome refused = run("run", {});
  CHECK(refused.code == 2);
  CHECK_MESSAGE(refused.err.find("the longest, in line 21, has 50 characters: take them out of the "
                                 "file, or measure a run that was trained with --context 50 or "
                                 "with --skip-long") != std::string::npos,
                refused.err);
  // What is left out of a file that is measured is said, as it is where a run is trained.
  const Outcome skipped = run("skips", {"--skip-long"});
  CHECK(skipped.code == 0);
  CHECK_MESSAGE(
      skipped.err.find("1 of 21 pairs have a text longer than the context 16") != std::string::npos,
      skipped.err);
}

TEST_CASE("an estimate of a run that goes on is of that run") {
  const TempFolder folder;
  const std::string run = (folder / "run").string();
  auto words = test::tiny_train(folder, run);
  REQUIRE(weft_with(folder, words).code == 0);
  words.resize(words.size() - 2);
  words.insert(words.end(), {"--estimate", "--json"});
  const double fresh = Json::parse(weft_with(folder, words).out)["process_mib"].get<double>();
  const Outcome resumed =
      weft_with(folder, {"train", "text", "--resume", "--out", run, "--estimate", "--json"});
  REQUIRE_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(Json::parse(resumed.out)["process_mib"].get<double>() ==
        doctest::Approx(fresh).epsilon(0.15));
  const double defaults =
      Json::parse(weft_with(folder, {"train", "text", "--estimate", "--json"}).out)["process_mib"]
          .get<double>();
  CHECK(defaults > 1.3 * fresh);
}

TEST_CASE("digits of one's own, however few, make scenes") {
  const TempFolder folder;
  test::write_tiny_images(folder / "images");
  const Outcome trained = weft_with(
      folder, {"train", "detect", "--data", (folder / "images").string(), "--steps", "1", "--batch",
               "1", "--eval-scenes", "2", "--no-estimate", "--out", (folder / "run").string()});
  CHECK_MESSAGE(trained.code == 0, trained.err);
}
