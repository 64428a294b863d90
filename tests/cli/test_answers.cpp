// What cannot be answered keeps nothing else from its answer; pictures are inverted only where the
// training images call for it; and a run of the wrong kind, or data of the wrong kind, is answered
// with what would do.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "data/image/png.h"
#include "tests/cli/refused.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/loaded_run.h"

using namespace weft;
using namespace weft::test;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

namespace {

/// Images of two classes: a bright square in the middle, and a bright bar there. Around it lies
/// `edge`; of natural images it is light in every second one.
void write_images(const fs::path& folder, bool natural) {
  fs::create_directories(folder);
  const auto write = [&](const std::string& part, std::int64_t count) {
    const Tensor pixels = Tensor::empty({count, 8, 8}, DType::u8),
                 labels = Tensor::empty({count}, DType::u8);
    for (std::int64_t n = 0; n < count; ++n) {
      labels.data<std::uint8_t>()[n] = static_cast<std::uint8_t>(n % 2);
      for (std::int64_t i = 0; i < 64; ++i) {
        const std::int64_t y = i / 8, x = i % 8;
        const bool inside = y > 1 && y < 6 && x > 1 && x < 6, ink = inside && (n % 2 == 0 || y < 4);
        const std::int64_t around = natural && n / 2 % 2 == 0 ? 190 : 5;
        pixels.data<std::uint8_t>()[n * 64 + i] = static_cast<std::uint8_t>((ink      ? 220
                                                                             : inside ? 5
                                                                                      : around) +
                                                                            (n * 7 + i) % 20);
      }
    }
    data::write_idx((folder / (part + "-images-idx3-ubyte")).string(), pixels);
    data::write_idx((folder / (part + "-labels-idx1-ubyte")).string(), labels);
  };
  write("train", 60);
  write("t10k", 8);
}

std::string trained(const TempFolder& folder, const std::string& name, bool natural) {
  write_images(folder / (name + "-data"), natural);
  const std::string run = (folder / name).string();
  REQUIRE(weft_with(folder, {"train", "vision", "--data", (folder / (name + "-data")).string(),
                             "--model", "mlp", "--width", "16", "--batch", "8", "--epochs", "10",
                             "--lr", "1e-2", "--out", run})
              .code == 0);
  return run;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("predict answers for every picture that can be read") {
  const TempFolder folder;
  const std::string run = trained(folder, "run", false), good = (folder / "good.png").string(),
                    jpeg = (folder / "photo.jpg").string(), none = (folder / "none.png").string();
  data::save_png(good, Tensor::zeros({8, 8}, DType::u8));
  write_file(jpeg, "\xFF\xD8\xFF\xE0 and so on");
  const Words words{"predict", run, jpeg, good, none, "--test-image", "0", "99", "1"};
  const Outcome text = weft_with(folder, words);
  CHECK(text.code == 1);
  CHECK(has(text.out, good + ":  "));
  CHECK(has(text.out, "test image 0:  0 "));
  CHECK(has(text.out, "test image 1:  1 "));
  CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 3);
  CHECK(has(text.err, "weft: [" + jpeg + "] is not a readable JPEG: "));
  CHECK(has(text.err, "weft: [" + none + "] "));
  CHECK(has(text.err, "weft: [predict] test image 99 does not exist: there are 8, from 0 to 7"));
  CHECK(std::count(text.err.begin(), text.err.end(), '\n') == 3);

  const Outcome json = weft_with(folder, words + Words{"--json"});
  CHECK(json.code == 1);
  CHECK(json.err == text.err);
  const Json list = Json::parse(json.out);
  const std::vector<std::string> names{jpeg,          good, none, "test image 0", "test image 99",
                                       "test image 1"};
  REQUIRE(list.size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(list[i]["name"] == names[i]);
    CHECK(list[i].contains("error") == (i % 2 == 0));
    CHECK(list[i].contains("class") == (i % 2 == 1));
  }
  CHECK(has(list[0]["error"], "is not a readable JPEG"));
  CHECK(weft_with(folder, {"predict", run, good}).code == 0);
}

TEST_CASE("predict reads folders, writes CSV, and lists last what could not be read") {
  const TempFolder folder;
  const std::string run = trained(folder, "run", false), photos = (folder / "photos").string(),
                    out = (folder / "out.csv").string();
  fs::create_directories(folder / "photos" / "below");
  fs::create_directories(folder / "photos" / ".hidden");
  fs::create_directories(folder / "empty");
  const std::string first = photos + "/a,b.png", bad = photos + "/below/bad.JPG",
                    last = photos + "/c.png";
  for (const std::string& file : {first, last, photos + "/.hidden/d.png"})
    data::save_png(file, Tensor::zeros({8, 8}, DType::u8));
  write_file(bad, "no picture");
  write_file(photos + "/notes.txt", "no picture");

  const Words words{"predict", run, photos, "--out", out};
  const Outcome told = weft_with(folder, words);
  CHECK(told.code == 1);
  CHECK(told.out.empty());
  CHECK(has(told.err, "weft: " + photos + ": 1 files that are no pictures are passed over\n"));
  CHECK(has(told.err, "weft: 2 pictures in " + out + "\n"));
  CHECK(told.err.ends_with("weft: 1 of 3 pictures could not be read:\n  " + bad + "\n"));
  const std::string table = read_file(out);
  CHECK(table.starts_with("file,predicted,probability of 0,probability of 1\n\"" + first + "\","));
  CHECK(has(table, "\n" + last + ","));
  CHECK(std::count(table.begin(), table.end(), '\n') == 3);

  const Outcome skipped = weft_with(folder, words + Words{"--skip-bad"});
  CHECK(skipped.code == 0);
  CHECK(skipped.err == told.err);
  CHECK(read_file(out) == table);
  // Nothing that can be read is no success, and a folder without pictures is told.
  CHECK(weft_with(folder, {"predict", run, bad, "--skip-bad"}).code == 1);
  const Outcome empty = weft_with(folder, {"predict", run, (folder / "empty").string(), last});
  CHECK(empty.code == 1);
  CHECK(has(empty.err, "holds no picture (.png, .jpg, .jpeg, .webp)"));
  CHECK(has(empty.out, last + ":  "));
  CHECK(weft_with(folder, words + Words{"--json"}).code == 2);
  CHECK(weft_with(folder, words + Words{"--test-image", "0"}).code == 2);
}

TEST_CASE("eval --classes counts what each class is taken for, as predict does") {
  const TempFolder folder;
  write_images(folder / "data", false);
  const std::string run = (folder / "run").string();
  REQUIRE(weft_with(folder, {"train", "vision", "--data", (folder / "data").string(), "--model",
                             "mlp", "--width", "16", "--batch", "8", "--epochs", "1", "--lr",
                             "1e-5", "--out", run})
              .code == 0);
  const Json eval = Json::parse(weft_with(folder, {"eval", run, "--classes", "--json"}).out);
  const Json guesses = Json::parse(weft_with(folder, {"predict", run, "--json", "--test-image", "0",
                                                      "1", "2", "3", "4", "5", "6", "7"})
                                       .out);
  std::vector<std::vector<int>> counts(2, std::vector<int>(2, 0));
  for (const Json& guess : guesses)
    ++counts[guess["truth"].get<std::size_t>()][guess["class"].get<std::size_t>()];
  REQUIRE(counts[0][1] + counts[1][0] > 0);  // untrained: there are mistakes to be told apart
  CHECK(eval["classes"]["confusion"] == counts);
  CHECK(eval["classes"]["names"] == Words{"0", "1"});
  for (const std::size_t label : {0U, 1U})
    CHECK(eval["classes"]["accuracy"][label] == counts[label][label] / 4.0);
  const Outcome text = weft_with(folder, {"eval", run, "--classes"});
  CHECK(has(text.out, "class  examples  right      most often taken for\n0             4  "));
  const bool zero_fails = counts[0][1] > 0;
  CHECK(has(text.out, zero_fails ? fmt::format("1 ({})\n", counts[0][1])
                                 : fmt::format("0 ({})\n", counts[1][0])));
  check_refused(weft_with(folder, {"eval", run, "--classes", "--split", "train"}), 2,
                "--classes is for the test split: leave out --split");
}

TEST_CASE("predict answers for every text that can be answered") {
  const TempFolder folder;
  std::string sentences;
  for (int i = 0; i < 200; ++i)
    sentences += i % 3 == 0 ? "the cat sat on the mat\n" : "a dog ran to the door\n";
  write_file((folder / "text.txt").string(), sentences);
  const std::string run = (folder / "bert").string();
  REQUIRE(weft_with(folder, {"train",    "bert", "--data",       (folder / "text.txt").string(),
                             "--layers", "1",    "--heads",      "2",
                             "--width",  "16",   "--context",    "16",
                             "--batch",  "4",    "--vocabulary", "60",
                             "--steps",  "2",    "--out",        run})
              .code == 0);
  const Words words{"predict", run, "--text=no blank", "--text=the ___ sat"};
  const Outcome text = weft_with(folder, words);
  CHECK(text.code == 1);
  CHECK(has(text.out, "the ___ sat\n"));
  CHECK_FALSE(has(text.out, "no blank"));
  CHECK(has(text.err, "weft: \"no blank\": [predict] there is nothing to fill in"));
  const Json list = Json::parse(weft_with(folder, words + Words{"--json"}).out);
  REQUIRE(list.size() == 2);
  CHECK(has(list[0]["error"], "there is nothing to fill in"));
  CHECK(list[1]["blanks"].size() == 1);
  CHECK(weft_with(folder, {"predict", run, "--text=no blank"}).code ==
        2);  // nothing else was asked
}

TEST_CASE(
    "a picture is inverted where all training images have edges of the other kind, and nowhere "
    "else") {
  const TempFolder folder;
  // Dark on white: of class 1.
  const Tensor drawing = Tensor::full({8, 8}, 250, DType::u8);
  for (std::int64_t y = 2; y < 4; ++y)
    for (std::int64_t x = 2; x < 6; ++x) drawing.data<std::uint8_t>()[y * 8 + x] = 20;
  const std::string png = (folder / "drawing.png").string();
  data::save_png(png, drawing);

  const std::string digits = trained(folder, "digits", false);
  CHECK(has(train::read_run(digits).facts.data, "\"edges\":\"dark\""));
  const Outcome inverted = weft_with(folder, {"predict", digits, png, "--json"});
  CHECK(Json::parse(inverted.out)[0]["inverted"] == true);
  CHECK(Json::parse(inverted.out)[0]["class"] == 1);
  CHECK(inverted.err == "weft: " + png +
                            ": light and dark are inverted, because its edge is light, and those "
                            "of the training images are dark; --invert no reads it unchanged\n");
  CHECK(weft_with(folder, {"predict", digits, png, "--invert", "no"}).err.empty());

  const std::string natural = trained(folder, "natural", true);
  CHECK(has(train::read_run(natural).facts.data, "\"edges\":\"mixed\""));
  const Outcome as_it_is = weft_with(folder, {"predict", natural, png, "--json"});
  CHECK(Json::parse(as_it_is.out)[0]["inverted"] == false);
  CHECK(as_it_is.err.empty());
  CHECK(Json::parse(weft_with(folder, {"predict", natural, png, "--invert", "yes", "--json"})
                        .out)[0]["inverted"] == true);
}

TEST_CASE("new runs record which images they validate on; small sets give a tenth") {
  const TempFolder folder;
  const std::string run = trained(folder, "run", false);
  const Json config = Json::parse(read_file(run + "/config.json"));
  CHECK(config["format"] == train::kConfigFormat);
  CHECK(config["validation_rule"] == "stratified");
  CHECK(config["validation"] == 6);
  CHECK(config["derived"]["validation"] == 6);
}

TEST_CASE("a run of another kind is answered with the commands for it") {
  using train::Use;
  int refused = 0;
  for (const train::Kind* kind : train::kinds()) {
    CAPTURE(kind->name());
    CHECK(has(kind->commands(), "weft eval RUN"));
    const std::string own = kind->name() == "embedding" ? "an embedding" : "a " + kind->name();
    train::RunFacts run;
    run.checkpoint = "x.safetensors";
    run.kind = kind;
    for (const auto& [use, wanted] : {std::pair{Use::sample, "a text"},
                                      {Use::predict_text, "a translate, bert or classify"},
                                      {Use::predict_image, "a vision"},
                                      {Use::detect, "a detect"},
                                      {Use::explain_attention, "a text or vision"},
                                      {Use::explain_embedding, "an embedding"},
                                      {Use::explain_history, "a recommend"}}) {
      CAPTURE(wanted);
      const bool can = has(std::string(wanted) + " ", " " + kind->name() + " ") ||
                       has(wanted, " " + kind->name() + ",");
      std::string text;
      try {
        train::want_use(run, use);
      } catch (const ConfigError& error) {
        text = error.what();
      }
      CHECK(kind->can(use) == can);
      CHECK(text ==
            (can ? ""
                 : "[x.safetensors] belongs to " + own + " run; this command expects " + wanted +
                       " run; for " + own + " run there are: " + kind->commands()));
      refused += can ? 0 : 1;
    }
    CHECK_NOTHROW(train::want_use(run, Use::eval));
  }
  CHECK(refused > 0);
}

TEST_CASE("a folder of pictures without a list of boxes is told from one without digits") {
  const TempFolder folder;
  fs::create_directories(folder / "pictures");
  const std::string pictures = (folder / "pictures").string();
  const Words words{"train",   "detect", "--data", pictures,
                    "--steps", "1",      "--out",  (folder / "run").string()};
  check_refused(weft_with(folder, words), 1,
                "has no boxes.csv: write one, one line per box: file,label,x0,y0,x1,y1");
  data::save_png(pictures + "/a.png", Tensor::zeros({8, 8}, DType::u8));
  check_refused(weft_with(folder, words), 1, "has no boxes.csv beside its PNG files: write one");
  CHECK_FALSE(has(weft_with(folder, words).err, "idx3"));
}
