// Maps of tiny trained runs.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/random.h"
#include "data/image/png.h"
#include "nn/models/gpt.h"
#include "tests/train/tiny_runs.h"
#include "train/explain/attention_maps.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/text/text_run.h"
#include "train/tasks/vision/vision_run.h"

using namespace weft;
using namespace weft::explain;
using test::TempFolder;

namespace {

train::TextRun text_run(const TempFolder& folder, const std::string& attention) {
  train::TextConfig config = test::tiny_text_config(folder);
  test::set(config, {{"attention", attention}});
  train::train_run(config, {.out = folder / "run"});
  return train::TextRun(train::read_run(folder / "run"));
}

train::TextRun text_run(const TempFolder& folder) { return text_run(folder, "softmax"); }

train::VisionRun vision_run(const TempFolder& folder, const std::string& pool = "mean",
                            const std::string& model = "vit") {
  train::VisionConfig config = test::tiny_vision_config(folder);
  config.model = model;
  if (config.model == "vit") test::set(config, {{"pool", pool}});
  config.epochs = 1;
  train::train_run(config, {.out = folder / "run"});
  return train::VisionRun(train::read_run(folder / "run"));
}

/// Weights (H, T, T) whose every row sums to 1.
void check_rows(const Tensor& weights) {
  for (std::int64_t h = 0; h < weights.size(0); ++h)
    for (std::int64_t q = 0; q < weights.size(1); ++q) {
      double sum = 0;
      for (std::int64_t k = 0; k < weights.size(2); ++k) sum += weights.at({h, q, k});
      CHECK(sum == doctest::Approx(1));
    }
}

}  // namespace

TEST_CASE("a GPT tells its attention, and the logits stay the same") {
  const NoGrad no_grad;
  random::seed(1);
  const nn::Gpt model({.vocab_size = 11, .block_size = 8, .n_layer = 2, .n_head = 2, .n_embd = 8});
  const Tensor ids = Tensor::from<std::int64_t>({1, 5, 2, 7, 3, 3, 0, 10}, {2, 4});
  std::vector<Tensor> attention;
  const Tensor logits = model.forward(ids, &attention);
  CHECK(logits.to_vector<float>() == model.forward(ids).to_vector<float>());
  REQUIRE(attention.size() == 2);
  CHECK(attention[1].shape() == Shape{2, 2, 4, 4});
  CHECK(attention[1].at({1, 1, 2, 3}) == 0);  // no token sees a later one
  CHECK(attention[1].at({1, 1, 0, 0}) == 1);
}

TEST_CASE("maps of a text whose weights do not sum to 1") {
  const TempFolder folder;
  const TextMaps maps = explain_text(text_run(folder, "sigmoid"), {.text = "the cat"});
  REQUIRE(maps.layers.size() == 1);
  const Tensor& weights = maps.layers[0];
  CHECK(weights.at({0, 0, 0}) < 0.9);  // of the only key, where a softmax gives 1
  CHECK(weights.at({0, 3, 5}) == 0);
  for (const double d : maps.distances.mean[0])  // of shares: near those of uniform attention
    CHECK(d == doctest::Approx(maps.distances.uniform).epsilon(0.05));
}

TEST_CASE("maps of a text") {
  const TempFolder folder;
  const train::TextRun run = text_run(folder);
  const TextMaps maps = explain_text(run, {.text = "the cat"});
  CHECK(maps.tokens == std::vector<std::string>{"t", "h", "e", "␣", "c", "a", "t"});
  REQUIRE(maps.layers.size() == 1);
  CHECK(maps.layers[0].shape() == Shape{2, 7, 7});
  check_rows(maps.layers[0]);
  CHECK(maps.distances.uniform == doctest::Approx(7 / 4.0));  // context 8
  for (const double d : maps.distances.mean[0]) {
    CHECK(d > 0);
    CHECK(d < 7);
  }
  REQUIRE(maps.neighbors.size() == 6);
  CHECK(maps.neighbors[0].token == "t");
  CHECK(maps.neighbors[0].nearest.size() == 5);
  CHECK(maps.neighbors[0].nearest[0].second >= maps.neighbors[0].nearest[1].second);
  const auto json = nlohmann::json::parse(to_json(maps));
  CHECK(json["weights"][0][1][3][2].get<double>() ==
        doctest::Approx(maps.layers[0].at({1, 3, 2})).epsilon(1e-5));
  CHECK(json["distance"]["mean"] == maps.distances.mean);
  CHECK(to_text(maps).find("head 2") != std::string::npos);

  const TextMaps longer = explain_text(run, {.text = "the cat sat on mat", .samples = 3});
  CHECK(longer.tokens.size() == 8);
  REQUIRE(longer.notes.size() == 1);
  CHECK(longer.notes[0] == "Only the first 8 of 18 tokens are shown: the model's context.");
  CHECK(longer.distances.samples == "3 pieces of 8 tokens of the validation text");
  CHECK(explain_text(run, {}).tokens.size() == 8);
  CHECK(explain_text(run, {.text = "t"}).layers[0].at({0, 0, 0}) == 1);
  CHECK_THROWS_AS(explain_text(run, {.text = ""}), ConfigError);
  CHECK_THROWS_AS(explain_text(run, {.text = "水"}), ConfigError);
  CHECK_THROWS_AS(explain_text(run, {.text = "t", .samples = 0}), ConfigError);

  test::fs::remove(folder / "text.txt");  // a run may be looked at where its data are not
  const TextMaps alone = explain_text(run, {.text = "the cat"});
  CHECK(alone.distances.samples == "this text");
  CHECK(alone.distances.uniform == doctest::Approx(6 / 4.0));
  CHECK_THROWS_WITH_AS(explain_text(run, {}), doctest::Contains("give one with --text"), IoError);
}

TEST_CASE("maps of an image, with and without a class token") {
  for (const char* pool : {"mean", "cls"}) {
    CAPTURE(pool);
    const TempFolder folder;
    const train::VisionRun run = vision_run(folder, pool);
    const std::int64_t tokens = std::string(pool) == "cls" ? 5 : 4;
    const ImageMaps maps = explain_image(run, {.image = "2"});
    CHECK(static_cast<std::int64_t>(maps.tokens.size()) == tokens);
    CHECK(maps.tokens.back() == "row 2, column 2");
    CHECK(maps.layers[0].shape() == Shape{2, tokens, tokens});
    check_rows(maps.layers[0]);
    CHECK(maps.image.shape() == Shape{1, 8, 8});
    CHECK(maps.title == "What each head attends to in test image 2 (class 2)");
    CHECK(maps.distances.samples == "the first 9 test images");
    CHECK(maps.distances.uniform == doctest::Approx((8 + 4 * std::sqrt(2.0)) / 4));
    CHECK(maps.cnn.back().field == 10);
    CHECK(to_html(maps).find("classToken: " + std::string(tokens == 5 ? "true" : "false")) !=
          std::string::npos);
    CHECK(to_text(maps).find("10 x 10") != std::string::npos);
    CHECK(nlohmann::json::parse(to_json(maps))["receptive_field"][0]["field"] == 3);

    CHECK_THROWS_AS(explain_image(run, {.image = "9"}), IndexError);
    CHECK_THROWS_AS(explain_image(run, {.image = "99999999999999999999999"}), IndexError);
    CHECK_THROWS_AS(explain_image(run, {.image = "-1"}), IoError);
    const std::string png = (folder / "x.png").string();
    data::save_png(png, raw::reshape(maps.image, {8, 8}));
    CHECK(explain_image(run, {.image = png}).image.to_vector<int>() == maps.image.to_vector<int>());
    write_file(png, "no picture");
    CHECK_THROWS_AS(explain_image(run, {.image = png}), IoError);
  }
}

TEST_CASE("a model without attention is refused") {
  const TempFolder folder;
  const train::VisionRun run = vision_run(folder, "mean", "cnn");
  CHECK_THROWS_WITH_AS(
      explain_image(run, {}),
      "[explain] a cnn has no attention; this command expects a vision run of model vit",
      ConfigError);
}

TEST_CASE("what is said of the distances follows them") {
  ImageMaps maps;
  maps.layers = {Tensor::zeros({2, 1, 1}, DType::f64)};
  maps.cnn = receptive_field(nn::CnnConfig{});
  maps.distances = {.mean = {{9, 8}, {7, 6}}, .uniform = 14, .unit = "pixels", .samples = ""};
  CHECK(reading(maps).find("In layer 1 the heads look 8.0 to 9.0 pixels away on average, in layer "
                           "2 6.0 to 7.0; uniform attention would be 14.0.") == 0);
  CHECK(reading(maps).find("no sign of short sight here") != std::string::npos);
  maps.distances.mean[0] = {1, 2};
  CHECK(reading(maps).find("its first layer is short-sighted here") != std::string::npos);
  maps.distances.mean[0] = {1, 8};
  CHECK(reading(maps).find("1 of the first layer's 2 heads stay below that") != std::string::npos);
}

TEST_CASE("a page holds its tokens as text, and nothing from outside") {
  TextMaps maps;
  maps.title = "<b>";
  maps.tokens = {"</script>", "\"", "\\"};
  maps.layers = {Tensor::full({1, 3, 3}, 1.0 / 3, DType::f64)};
  maps.distances = {.mean = {{1}}, .uniform = 1, .unit = "tokens", .samples = "<i>"};
  maps.neighbors = {{"<u>", {{"</td>", 0.5}}}};
  const std::string html = to_html(maps);
  CHECK(html.find("tokens: [\"\\u003c/script>\",\"\\u0022\",\"\\u005c\"]") != std::string::npos);
  for (const char* tag : {"<b>", "<i>", "<u>", "</td> ", "http", "<link"})
    CHECK(html.find(tag) == std::string::npos);
  // A third is 21845 65535ths, 0x5555.
  CHECK(html.find("weights: \"VVVVVVVVVVVVVVVVVVVVVVVV\"") != std::string::npos);
}
