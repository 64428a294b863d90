// A run is measured on the data that it is said to be measured on: its own and no others at the
// same place, or other data, whole.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/random.h"
#include "data/text/word_tokenizer.h"
#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "train/tasks/classify/classify_task.h"
#include "train/tasks/common/encoder.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/run_facts.h"

using namespace weft;
using namespace weft::train;
using test::TempFolder;
using test::weft_with;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

std::string text_of(int lines, int from) {
  std::string text;
  for (int i = from; i < from + lines; ++i)
    text += "a line of words, number " + std::to_string(i) + ", and the end.\n";
  return text;
}

std::string pairs_of(int lines, int from) {
  std::string text;
  for (int i = from; i < from + lines; ++i)
    text += "say " + std::to_string(i) + "\tyes " + std::to_string(i * 3) + "\n";
  return text;
}

std::string labels_of(int lines, int from) {
  std::string text;
  for (int i = from; i < from + lines; ++i)
    text += (i % 3 == 0 ? "spam\twin prize " : "ham\tsee you at ") + std::to_string(i) + "\n";
  return text;
}

std::string table_of(int rows, int from) {
  std::string text = "a,b,c\n";
  for (int i = from; i < from + rows; ++i)
    text += std::to_string(i * 7 % 13) + "," + std::to_string(i % 5) + "," +
            std::to_string(i * 7 % 13 + i % 5) + "\n";
  return text;
}

/// Files that a kind can be trained on, and of which another version has other lines.
struct Source {
  std::string file;
  std::function<std::string(int lines, int from)> make;
  std::vector<std::string> words{};  ///< of the command line
};

const std::map<std::string, Source>& sources() {
  static const std::map<std::string, Source> all = {
      {"text", {"data.txt", text_of, {"--context", "8"}}},
      {"translate", {"data.tsv", pairs_of, {"--context", "12", "--layers", "1"}}},
      {"bert", {"data.txt", text_of, {"--context", "16", "--layers", "1", "--vocabulary", "60"}}},
      {"classify", {"data.tsv", labels_of, {"--model", "bow"}}},
      {"embedding", {"data.txt", text_of, {"--min-count", "1"}}},
      {"tokens", {"data.csv", table_of, {"--model", "linear"}}},
      {"table", {"data.csv", table_of, {"--model", "mlp"}}},
  };
  return all;
}

/// Kinds whose data are no file of lines: folders, which other tests change, or made by the
/// program.
const std::vector<std::string> kNoLines = {"vision", "detect", "recommend", "sequence"};

std::vector<std::string> train_words(const std::string& kind, const Source& source,
                                     const std::string& data, const std::string& out) {
  std::vector<std::string> words{"train",   kind, "--data",        data,    "--steps", "4",
                                 "--batch", "4",  "--no-estimate", "--out", out};
  for (const char* one : {"--width", "--heads"})
    if (kind != "classify" && kind != "tokens" && kind != "table" &&
        !(kind == "embedding" && std::string(one) == "--heads"))
      words.insert(words.end(), {one, std::string(one) == "--width" ? "8" : "2"});
  words.insert(words.end(), source.words.begin(), source.words.end());
  return words;
}

}  // namespace

TEST_CASE(
    "another file at the place of a run's data is noticed, whatever the kind, and other data are "
    "evaluated in full") {
  for (const Kind* kind : kinds()) {
    CAPTURE(kind->name());
    if (std::find(kNoLines.begin(), kNoLines.end(), kind->name()) != kNoLines.end()) continue;
    REQUIRE_MESSAGE(sources().contains(kind->name()), "a kind without data to be changed");
    const Source& source = sources().at(kind->name());
    const TempFolder folder;
    const std::string data = (folder / source.file).string(), run = (folder / "run").string();
    write_file(data, source.make(60, 0));
    const auto trained = weft_with(folder, train_words(kind->name(), source, data, run));
    REQUIRE_MESSAGE(trained.code == 0, trained.err);
    const auto own = weft_with(folder, {"eval", run, "--json"});
    REQUIRE_MESSAGE(own.code == 0, own.err);

    // As many lines, of the same words; and one line of another word in the part that is only
    // measured on.
    std::string tail = source.make(60, 0);
    tail[tail.size() - 3] = tail[tail.size() - 3] == '1' ? '2' : '1';
    std::string strange = source.make(60, 0);  // a character that no vocabulary has
    strange.replace(strange.size() - 3, 1, "\u20ac");
    if (kind->name() == "tokens") strange = tail;  // which is no number
    for (const std::string& changed : {source.make(60, 1), source.make(61, 0), tail, strange}) {
      write_file(data, changed);
      const auto refused = weft_with(folder, {"eval", run, "--json"});
      CHECK_MESSAGE(refused.code == 2, refused.out, refused.err);
      CHECK_MESSAGE(
          refused.err.find("the data have changed since this run was trained") != std::string::npos,
          refused.err);
      const auto resumed = weft_with(folder, {"train", kind->name(), "--resume", "--out", run});
      CHECK_MESSAGE(
          resumed.err.find("the data have changed since this run was trained") != std::string::npos,
          resumed.err);
    }
    write_file(data, source.make(60, 0));
    CHECK(weft_with(folder, {"eval", run, "--json"}).out == own.out);

    const std::string other =
        (folder / ("held-out" + fs::path(source.file).extension().string())).string();
    write_file(other, source.make(9, 3));
    const auto whole = weft_with(folder, {"eval", run, "--data", other, "--json"});
    if (kind->name() == "tokens") {
      CHECK_MESSAGE(whole.err.find("[eval] --data is not for tokens runs") != std::string::npos,
                    whole.err);
      continue;
    }
    REQUIRE_MESSAGE(whole.code == 0, whole.err);
    const Json json = Json::parse(whole.out);
    CHECK(json["split"] == "all");
    CHECK(std::isfinite(json["loss"].get<double>()));
    if (kind->name() == "text") CHECK(json["tokens"] == source.make(9, 3).size() - 1);
    if (kind->name() == "translate") CHECK(json["pairs"] == 9);
    if (kind->name() == "classify") CHECK(json["texts"] == 9);
    if (kind->name() == "table") CHECK(json["rows"] == 9);
    const auto split = weft_with(folder, {"eval", run, "--data", other, "--split", "train"});
    CHECK(split.code == 2);
    CHECK_MESSAGE(split.err.find("evaluated in full") != std::string::npos, split.err);
  }
}

TEST_CASE("other labeled texts are of the run's classes by their names, however few there are") {
  const TempFolder folder;
  ClassifyConfig config;
  config.data = (folder / "labels.tsv").string();
  write_file(config.data, "b\tone two\n");
  const auto tokenizer = data::WordTokenizer::of_text("one two three", {.pieces = false}, "test");
  ClassifyData one = load_classify_data(config, tokenizer, true);
  config.positive = "a";
  take_classes(one, {"a", "b"}, config);
  CHECK(one.labels[1] == std::vector<std::int64_t>{1});
  CHECK(one.positive == 0);
  write_file(config.data, "c\tone two\n");
  ClassifyData unknown = load_classify_data(config, tokenizer, true);
  CHECK_THROWS_WITH_AS(take_classes(unknown, {"a", "b"}, config),
                       "[eval] the run has no class c: its classes are a, b", ConfigError);
}

TEST_CASE("test images are a part of what a run's data are") {
  const TempFolder folder;
  test::write_tiny_images(folder / "images");
  const std::string run = (folder / "run").string();
  REQUIRE(weft_with(folder, {"train", "vision", "--data", (folder / "images").string(), "--model",
                             "mlp", "--width", "8", "--batch", "8", "--epochs", "1", "--validation",
                             "10", "--no-estimate", "--out", run})
              .code == 0);
  REQUIRE(weft_with(folder, {"eval", run}).code == 0);
  data::write_idx((folder / "images" / "t10k-images-idx3-ubyte").string(),
                  Tensor::full({9, 8, 8}, 5.0, DType::u8));
  const auto changed = weft_with(folder, {"eval", run});
  CHECK(changed.code == 2);
  CHECK_MESSAGE(
      changed.err.find("the data have changed since this run was trained") != std::string::npos,
      changed.err);
  const auto other =
      weft_with(folder, {"eval", run, "--data", (folder / "images").string(), "--json"});
  REQUIRE_MESSAGE(other.code == 0, other.err);
  CHECK(Json::parse(other.out)["images"] == 9);
}

TEST_CASE("the vocabulary of a run is taken from its checkpoint and not built again") {
  const TempFolder folder;
  BertRunConfig config;
  config.data = (folder / "text.txt").string();
  test::set(config, {{"layers", "1"}, {"heads", "2"}, {"width", "8"}});
  config.context = 16;
  config.vocabulary = 60;
  config.batch = 4;
  config.steps = 2;
  write_file(config.data, text_of(60, 0));
  train_run(config, {.out = folder / "run"});
  const RunFacts run = read_run(folder / "run");
  // A vocabulary that this text does not make: where it is taken, the data come out by it.
  CheckpointFacts facts = run.facts;
  const auto own = data::WordTokenizer::from_json(facts.data, "test");
  const auto other = data::WordTokenizer::of_text("line words number", {.pieces = false}, "test");
  const Prepared task =
      kind_of(config).prepare(kind_of(config).copy(config), {.data = other->to_json()});
  CHECK(task.task->data_json() == other->to_json());
  CHECK(task.task->fingerprint() != facts.data_fingerprint);
  CHECK(prepare_again(kind_of(config), kind_of(config).copy(config), facts, "test", "")
            .task->fingerprint() == facts.data_fingerprint);
}

TEST_CASE("a classifier that began with another run is measured and goes on without it") {
  const TempFolder folder;
  const std::string data = (folder / "labels.tsv").string(), bert = (folder / "bert").string(),
                    run = (folder / "run").string();
  write_file(data, labels_of(60, 0));
  const std::vector<std::string> sizes = {"--layers",     "1",  "--heads", "2", "--width", "8",
                                          "--context",    "16", "--steps", "2", "--batch", "4",
                                          "--no-estimate"};
  using test::operator+;
  REQUIRE(weft_with(folder, std::vector<std::string>{"train", "bert", "--data", data,
                                                     "--vocabulary", "60", "--out", bert} +
                                sizes)
              .code == 0);
  REQUIRE(weft_with(folder, std::vector<std::string>{"train", "classify", "--data", data, "--init",
                                                     bert, "--out", run, "--steps", "2", "--batch",
                                                     "4", "--no-estimate"})
              .code == 0);
  fs::remove_all(bert);
  const auto measured = weft_with(folder, {"eval", run});
  CHECK_MESSAGE(measured.code == 0, measured.err);
}

TEST_CASE("a comparison does not go on with other data than those that its runs learned from") {
  const TempFolder folder;
  const std::string suite = test::tiny_suite(folder, "steps = 2\n"), out = (folder / "c").string(),
                    data = test::tiny_text_config(folder).data;
  const auto first = weft_with(folder, {"compare", suite, "--out", out});
  REQUIRE_MESSAGE(first.code == 0, first.err);
  CHECK(weft_with(folder, {"compare", suite, "--out", out}).code == 0);
  std::string text = test::tiny_text();
  std::swap(
      text[text.size() - 3],
      text[text.size() - 5]);  // in what is only measured on: the hashes of the batches do not tell
  write_file(data, text);
  const auto changed = weft_with(folder, {"compare", suite, "--out", out});
  CHECK(changed.code == 2);
  CHECK_MESSAGE(
      changed.err.find("the data have changed since this run was trained") != std::string::npos,
      changed.err);
}

TEST_CASE("what a run is shown by is its own data or nothing") {
  const TempFolder folder;
  test::write_tiny_images(folder / "images");
  const std::string run = (folder / "run").string(), images = (folder / "images").string(),
                    text = (folder / "text-run").string();
  REQUIRE(weft_with(folder, {"train", "vision", "--data", images, "--patch", "4", "--layers", "1",
                             "--heads", "1", "--width", "8", "--batch", "8", "--epochs", "1",
                             "--no-estimate", "--out", run})
              .code == 0);
  REQUIRE(weft_with(folder, test::tiny_train(folder, text)).code == 0);
  REQUIRE(weft_with(folder, {"predict", run, "--test-image", "0"}).code == 0);
  REQUIRE(weft_with(folder, {"explain", "attention", run}).code == 0);
  REQUIRE(weft_with(folder, {"explain", "attention", text}).code == 0);
  data::write_idx((folder / "images" / "t10k-images-idx3-ubyte").string(),
                  Tensor::full({9, 8, 8}, 5.0, DType::u8));
  std::string other = test::tiny_text();
  std::swap(other[other.size() - 3], other[other.size() - 5]);
  write_file(test::tiny_text_config(folder).data, other);
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"predict", run, "--test-image", "0"},
                                             {"explain", "attention", run, "--image", "0"},
                                             {"explain", "attention", text}}) {
    CAPTURE(words[0]);
    const auto refused = weft_with(folder, words);
    CHECK(refused.code != 0);
    CHECK_MESSAGE(
        refused.err.find("the data have changed since this run was trained") != std::string::npos,
        refused.err);
  }
  CHECK(weft_with(folder, {"explain", "attention", text, "--text", "the cat"}).code == 0);
}
