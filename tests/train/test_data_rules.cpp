// What runs do with data that are read by new rules: those of before find theirs again, and what
// whoever trains should know is said.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "tests/train/tiny_runs.h"
#include "train/metrics/ranking.h"
#include "train/tasks/classify/classify_config.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/recommend/recommend_config.h"
#include "train/tasks/tokens/tokens_config.h"
#include "train/tasks/translate/translate_config.h"

namespace weft::test {
namespace {

using namespace train;

/// Notes of a run, one a line.
class Notes : public Observer {
 public:
  void on_note(const std::string& text) override { all += text + "\n"; }
  bool say(std::string_view part) const {
    if (all.find(part) != std::string::npos) return true;
    MESSAGE("'" << std::string(part) << "' is not in '" << all << "'");
    return false;
  }
  std::string all;
};

template <class C>
std::string refused(const C& config, const fs::path& out) {
  try {
    train_run(config, {.out = out});
  } catch (const Error& error) {
    CHECK_FALSE(fs::exists(out));
    return error.what();
  }
  return "nothing thrown";
}

std::string write(const TempFolder& folder, const std::string& name, const std::string& text) {
  fs::create_directories((folder / name).parent_path());
  write_file((folder / name).string(), text);
  return (folder / name).string();
}

/// What a configuration's data are told by: its fingerprint.
template <class C>
std::string fingerprint(C config, std::int64_t format) {
  config.format = format;
  random::seed(1);
  return kind_of(config).prepare(kind_of(config).copy(config)).task->fingerprint();
}

std::string columns_of_large_numbers(int rows, int first = 0) {
  std::string text = "t,x,price\n";
  for (int i = first; i < rows; ++i)
    text += fmt::format("{},{}.1,{}\n", 1700000000 + i, i * 37 % 11, 1700000000 + 7 * (i % 5));
  return text;
}

std::string labeled_lines(const std::vector<std::string>& labels, int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) {
    const std::string& label = labels[static_cast<std::size_t>(i) % labels.size()];
    text += fmt::format("{}\t{} words of number {}\n", label, label, i);
  }
  return text;
}

ClassifyConfig bag_of_words(const std::string& data) {
  ClassifyConfig c;
  c.model = "bow";
  c.model.entry().begin(c);
  c.data = data;
  c.vocabulary = 60;
  c.batch = 4;
  c.steps = c.eval_every = 60;
  c.lr = 0.1;
  return c;
}

TranslateConfig tiny_pairs(const std::string& data) {
  TranslateConfig c;
  c.data = data;
  test::set(c, {{"layers", "1"}, {"width", "16"}, {"heads", "2"}});
  c.batch = 4;
  c.steps = c.eval_every = 2;
  return c;
}

TokensConfig linear_table(const std::string& data) {
  TokensConfig c;
  c.model = "linear";
  c.model.entry().begin(c);
  c.data = data;
  c.standardize = true;
  c.batch = 8;
  c.steps = c.eval_every = 2;
  return c;
}

}  // namespace

// The fingerprints are those that the program of config format 2 wrote into the checkpoints of
// these very files.
TEST_CASE(
    "runs of before find the data that they were trained on, and new ones read them as they are") {
  const TempFolder folder;
  const TokensConfig table = linear_table(write(folder, "table.csv", columns_of_large_numbers(40)));
  CHECK(fingerprint(table, 2) == "de74c1d4a80cd60d");
  CHECK(fingerprint(table, kConfigFormat) != "de74c1d4a80cd60d");

  std::string lines;
  for (int i = 0; i < 20; ++i) lines += fmt::format("w{}\tW{}\tCC-BY {}\n", i, i * 7 % 20, i);
  const TranslateConfig pairs = tiny_pairs(write(folder, "pairs.tsv", lines));
  CHECK(fingerprint(pairs, 2) == "a398eea6e3e12dcc");
  CHECK(fingerprint(pairs, kConfigFormat) != "a398eea6e3e12dcc");

  lines.clear();
  for (int i = 0; i < 24; ++i)
    lines += fmt::format("{}\tfilm {}\textra {}\n", i % 2 == 1 ? "good" : "bad", i, i % 3);
  ClassifyConfig labels = bag_of_words(write(folder, "labels.tsv", lines));
  labels.vocabulary = 40;
  CHECK(fingerprint(labels, 2) == "91d41bdef4b1a372");
  CHECK(fingerprint(labels, kConfigFormat) != "91d41bdef4b1a372");

  lines.clear();
  for (const int user : {1, 2})
    for (int i = 0; i < 7; ++i)
      lines += fmt::format("{},{},{},{}\n", user, 10 + i % 3, (i + user) % 2 == 1 ? "4.5" : "2",
                           100 * user + i);
  write(folder, "rated/ratings.csv", lines);
  RecommendConfig rated;
  rated.data = (folder / "rated").string();
  rated.batch = 2;
  rated.epochs = 1;
  CHECK(fingerprint(rated, 2) == "02b9e9a474d0f7e5");
  CHECK(fingerprint(rated, kConfigFormat) != "02b9e9a474d0f7e5");
}

TEST_CASE("large numbers that differ by little are learned") {
  const TempFolder folder;
  std::string text = "t,y\n";
  for (int i = 0; i < 400; ++i) text += fmt::format("{},{}\n", 1700000000 + i, 1700000000 + 7 * i);
  TokensConfig c = linear_table(write(folder, "t.csv", text));
  c.lr = 0.05;
  c.batch = 64;
  c.steps = c.eval_every = 300;
  CHECK(train_run(c, {.out = folder / "run"}).test.figure("r2") > 0.998);
  Notes notes;
  c.standardize = false;
  c.steps = c.eval_every = 2;
  train_run(c, {.out = folder / "raw", .observer = &notes});
  CHECK(notes.say("t.csv: column 1 (`t`) loses digits as 32-bit numbers"));
  CHECK(refused(linear_table(write(folder, "same.csv", "x,y\n1,2\n2,2\n3,2\n4,2\n5,2\n")),
                folder / "same")
            .find("nothing to learn") != std::string::npos);
}

TEST_CASE(
    "F1 names its label, of several labels there is macro-F1, and none is waited for that is not "
    "measured") {
  const TempFolder folder;
  Notes two, three;
  ClassifyConfig c =
      bag_of_words(write(folder, "two.tsv", labeled_lines({"ham", "spam", "ham"}, 60)));
  const Summary of_two = train_run(c, {.out = folder / "two", .observer = &two});
  CHECK(of_two.test.figure("f1") == 1);
  CHECK(std::isnan(of_two.test.figure("macro_f1")));
  CHECK(two.say("F1 is of the label \"spam\""));
  const auto config = nlohmann::json::parse(read_file((folder / "two" / "config.json").string()));
  CHECK(config["positive"] == "spam");
  CHECK(config["derived"].dump().find("positive") != std::string::npos);

  c = bag_of_words(write(folder, "three.tsv", labeled_lines({"a", "b", "c"}, 60)));
  const Summary of_three = train_run(c, {.out = folder / "three", .observer = &three});
  CHECK(of_three.test.figure("macro_f1") == 1);
  CHECK(std::isnan(of_three.test.figure("f1")));
  CHECK(three.say("macro-F1 is the mean of the F1 of each of the 3 labels"));
  c.until = "val_f1=0.9";
  CHECK(
      refused(c, folder / "x") ==
      "[config] with 3 labels there is no F1 without --positive LABEL: use until val_macro_f1, or "
      "name the label");
  c.positive = "b";
  CHECK(train_run(c, {.out = folder / "b"}).test.figure("f1") == 1);

  CHECK(macro_f1_score({0, 1, 2, 2}, {0, 1, 2, 1}, 3) ==
        doctest::Approx((1 + 2.0 / 3 + 2.0 / 3) / 3));
  CHECK(macro_f1_score({0, 0}, {0, 0}, 2) == 0.5);
}

TEST_CASE(
    "pairs that the context does not hold: how many, the longest, and left out where that is asked "
    "for") {
  const TempFolder folder;
  std::string lines;
  for (int i = 0; i < 20; ++i)
    lines += fmt::format("word {}\t{}\n", i,
                         std::string(static_cast<std::size_t>(i == 7   ? 90
                                                              : i == 3 ? 70
                                                                       : 5),
                                     static_cast<char>('a' + i)));
  TranslateConfig c = tiny_pairs(write(folder, "pairs.tsv", lines));
  CHECK(refused(c, folder / "x") ==
        fmt::format("[{}] 2 of 20 pairs have a text longer than the context 64; the longest, in "
                    "line 8, has 90 characters: use --context 90, or "
                    "leave them out with --skip-long",
                    c.data));
  c.skip_long = true;
  Notes notes;
  train_run(c, {.out = folder / "run", .observer = &notes});
  CHECK(
      notes.say("2 of 20 pairs have a text longer than the context 64; the longest, in line 8, has "
                "90 characters; they are left out"));
  CHECK(resume_run({.out = folder / "run", .resume = true}, "translate", 0).steps == 2);
  c.context = 4;
  CHECK(refused(c, folder / "x").find("none is left to train on") != std::string::npos);
  c.context = 64;
  c.data = write(folder, "same.tsv", "a\tx\nb\tx\nc\tx\nd\tx\n");
  CHECK(refused(c, folder / "x").find("have one target: there is nothing to learn") !=
        std::string::npos);
}

TEST_CASE("data of one label, one character and the like are refused before a folder is made") {
  const TempFolder folder;
  TextConfig text = tiny_text_config(folder);
  text.data = write(folder, "a.txt", std::string(3000, 'a'));
  CHECK(
      refused(text, folder / "x").find("tokens are one and the same: there is nothing to learn") !=
      std::string::npos);
  VisionConfig vision = tiny_vision_config(folder);
  const fs::path images(vision.data);
  for (const auto& entry : fs::directory_iterator(images)) {
    if (entry.path().filename().string().find("train-labels") == std::string::npos) continue;
    data::write_idx(entry.path().string(),
                    Tensor::zeros(data::read_idx(entry.path().string()).shape(), DType::u8));
  }
  CHECK(refused(vision, folder / "x")
            .find("training images have the label 0: there is nothing to distinguish") !=
        std::string::npos);
  CHECK(refused(bag_of_words(write(folder, "one.tsv", labeled_lines({"ham"}, 20))), folder / "x")
            .find("all examples have the label \"ham\"") != std::string::npos);
  TokensConfig classes = linear_table(write(folder, "t.csv", columns_of_large_numbers(40)));
  classes.at_least = 1;
  CHECK(refused(classes, folder / "x")
            .find("all of the 24 training targets are at least 1: there are not two classes") !=
        std::string::npos);
}

TEST_CASE("texts that are cut to the context are counted") {
  const TempFolder folder;
  ClassifyConfig c = bag_of_words(write(folder, "two.tsv", labeled_lines({"ham", "spam"}, 40)));
  c.context = 6;
  Notes notes;
  train_run(c, {.out = folder / "run", .observer = &notes});
  CHECK(notes.say(
      "40 of 40 texts are longer than the context 6 and are truncated; the longest has 7 tokens"));
}

}  // namespace weft::test
