// Detect runs: trained, resumed, judged, drawn; what they refuse; and the two suites about images.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "core/io/safetensors.h"
#include "core/random.h"
#include "data/image/png.h"
#include "tests/cli/run_program.h"
#include "tests/core/error_text.h"
#include "tests/train/tiny_runs.h"
#include "train/compare/suite.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/detect/detect_run.h"
#include "train/tasks/detect/detect_task.h"
#include "train/tasks/detect/draw_boxes.h"

using namespace weft;
using namespace weft::test;
using train::DetectConfig;

namespace {

DetectConfig tiny_detect_config(const std::string& model) {
  DetectConfig c;
  c.data = std::string(WEFT_SOURCE_DIR) + "/data/sets/mnist";
  c.model = model;
  set_known(c, {{"width", "16"}, {"layers", "1"}, {"heads", "2"}});
  c.steps = 4;
  c.batch = 2;
  c.eval_every = 2;
  c.eval_scenes = 3;
  return c;
}

struct StopAfter : train::Observer {
  std::int64_t step = 0;
  bool stop = false;
  void on_step(const train::StepRecord& record) override { stop = record.step == step; }
};

std::string refusal(const std::vector<std::pair<std::string, std::string>>& flags) {
  train::Sources sources;
  sources.flags = flags;
  return error_text<ConfigError>([&] { train::resolve<DetectConfig>(sources); });
}

}  // namespace

TEST_CASE("a resumed detect run is the undisturbed run, bit by bit") {
  for (const char* model : {"faster_rcnn", "faster_rcnn_vit", "detr"}) {
    const TempFolder folder;
    const DetectConfig c = tiny_detect_config(model);
    const train::Summary whole = train::train_run(c, {.out = folder / "whole"});
    CHECK(std::isfinite(whole.validation.loss));
    for (const char* figure : {"map50", "map"}) {
      CHECK(whole.test.figure(figure) >= 0);
      CHECK(whole.test.figure(figure) <= 1);
    }
    StopAfter observer;
    observer.step = 1;
    CHECK(train::train_run(
              c,
              {.out = folder / "cut", .observer = &observer, .stop = [&] { return observer.stop; }})
              .interrupted);
    CHECK_FALSE(
        train::resume_run({.out = folder / "cut", .resume = true}, "detect", 0).interrupted);
    const auto a = read_safetensors(folder / "whole" / "last.safetensors"),
               b = read_safetensors(folder / "cut" / "last.safetensors");
    REQUIRE(a.tensors.size() == b.tensors.size());
    for (std::size_t i = 0; i < a.tensors.size(); ++i) {
      CHECK(a.tensors[i].first == b.tensors[i].first);
      CHECK_MESSAGE(
          a.tensors[i].second.to_vector<double>() == b.tensors[i].second.to_vector<double>(),
          model << ": " << a.tensors[i].first);
    }
    const train::DetectRun run(train::read_run(folder / "whole"));
    CHECK(run.model().details().size() > 5);
    CHECK_NOTHROW(run.model().detect(run.model().example_input(1)));
  }
}

TEST_CASE("a detector learns from a user's own pictures, and names what it finds") {
  const TempFolder folder;
  const DetectConfig scenes = tiny_detect_config("faster_rcnn");
  const auto drawn = train::load_scenes(scenes);
  std::string list;
  for (std::int64_t i = 0; i < 8; ++i) {
    const data::Scene scene = drawn->scene(data::Split::train, i);
    data::save_png((folder / fmt::format("{}.png", i)).string(), scene.image);
    for (std::int64_t k = 0; k < scene.boxes.size(0); ++k)
      list += fmt::format("{}.png,{},{},{},{},{}\n", i, scene.boxes.at({k, 0}) < 5 ? "low" : "high",
                          scene.boxes.at({k, 1}), scene.boxes.at({k, 2}), scene.boxes.at({k, 3}),
                          scene.boxes.at({k, 4}));
  }
  write_file((folder / "boxes.csv").string(), list);
  DetectConfig own = scenes;
  own.data = (folder / "").string();
  CHECK(std::isfinite(train::train_run(own, {.out = folder / "run"}).test.loss));
  const train::DetectRun run(train::read_run(folder / "run"));
  CHECK(run.class_name(0) == "high");
  CHECK(run.class_name(1) == "low");
  CHECK(train::kind_of(own).meaningless(own, "clutter") == "data " + own.data);
  own.model = "detr";
  test::set(own, {{"queries", "1"}, {"width", "16"}, {"layers", "1"}, {"heads", "2"}});
  own.max_digits = 1;
  CHECK(error_text<ConfigError>([&] {
          train::train_run(own, {.out = folder / "detr"});
        }).find("queries must be at least the boxes of one picture: queries 1, boxes ") !=
        std::string::npos);
}

TEST_CASE("weft detect draws what it finds") {
  const TempFolder folder;
  const std::string run = (folder / "run").string(), png = (folder / "boxes.png").string();
  DetectConfig c = tiny_detect_config("faster_rcnn");
  c.steps = 1;
  train::train_run(c, {.out = run});
  const auto weft = [&](std::vector<std::string> words) {
    words.insert(words.begin(), std::string(WEFT_BINARY_DIR) + "/weft");
    return Running(words, folder).wait();
  };
  const Outcome json =
      weft({"detect", run, "--scene", "0", "--out", png, "--threshold", "0", "--json"});
  CHECK_MESSAGE(json.code == 0, json.err);
  CHECK(nlohmann::json::parse(json.out)[0]["objects"].size() >= 1);
  CHECK(data::load_png(png, 3).shape() == Shape{3, 384, 384});
  const Outcome two =
      weft({"detect", run, png, "--scene", "2", "--out", (folder / "b.png").string()});
  CHECK(two.code == 0);
  CHECK(two.out.find("test scene 2: ") != std::string::npos);
  CHECK(fs::exists(folder / "b-2.png"));
  CHECK(weft({"detect", run, "--scene", "3"}).code == 1);

  // What cannot be looked at keeps nothing else from being looked at, and each picture keeps its
  // number.
  const std::string none = (folder / "none.png").string(), white = (folder / "white.png").string();
  data::save_png(white, Tensor::full({1, 96, 96}, 255, DType::u8));
  const Outcome some = weft({"detect", run, none, white, "--scene", "77", "1", "--out",
                             (folder / "c.png").string(), "--json"});
  CHECK(some.code == 1);
  const auto answers = nlohmann::json::parse(some.out);
  REQUIRE(answers.size() == 4);
  for (const std::size_t i : {0, 2}) CHECK(answers[i].contains("error"));
  for (const std::size_t i : {1, 3}) {
    CHECK(answers[i].contains("detections"));
    CHECK_FALSE(answers[i].contains("error"));
    CHECK(answers[i]["picture"] == (folder / fmt::format("c-{}.png", i + 1)).string());
  }
  CHECK(some.err.find("weft: [" + none + "] ") != std::string::npos);
  CHECK(some.err.find("test scene 77 does not exist") != std::string::npos);
  // Scenes have dark edges: a white picture is taken for one drawn the other way round, and that is
  // said.
  CHECK(answers[1]["inverted"] == true);
  CHECK(some.err.find(white + ": light and dark are inverted, because its edge is light") !=
        std::string::npos);
  CHECK(weft({"detect", run, white, "--invert", "no"}).err.find("exchanged") == std::string::npos);
  CHECK(weft({"detect", run}).code == 2);
  CHECK(weft({"detect", run, "--scene", "0", "--threshold", "2"}).code == 2);
  CHECK(weft({"predict", run, png}).code == 2);
  CHECK(weft({"eval", run, "--split", "train"}).code == 2);
  CHECK(weft({"eval", run, "--json"}).out.find("map50") != std::string::npos);
}

TEST_CASE("detect configurations that cannot be") {
  CHECK(refusal({{"width", "30"}}) ==
        "[config] width must be a multiple of 4 in a faster_rcnn, got 30; choose 28");
  CHECK(refusal({{"model", "faster_rcnn_vit"}, {"patch", "20"}}) ==
        "[config] patch must be a multiple of 4 that divides the scene: patch 20, scenes 96 x 96; "
        "choose 4, 8, 12, 16, 24, 32, 48 or 96");
  CHECK(refusal({{"model", "detr"}, {"queries", "5"}}) ==
        "[config] queries must be at least max_digits: queries 5, max_digits 6; raise --queries");
  CHECK(refusal({{"layers", "3"}}) ==
        "[flags] --layers 3 has no effect with model faster_rcnn: remove one of the two");
  CHECK(refusal({{"model", "yolo"}})
            .find("model must be one of faster_rcnn, faster_rcnn_vit, detr") != std::string::npos);
  for (const char* width : {"100000", "64"}) {
    const DetectConfig c = train::resolve<DetectConfig>(
        {.preset = "",
         .file = {},
         .flags = {{"model", "detr"}, {"width", width}, {"batch", "1000000"}}});
    const train::Kind& kind = kind_of(c);
    CHECK_THROWS_WITH_AS(kind.check_fits(c, *kind.inspect_data(c)),
                         doctest::Contains("cannot fit in memory"), ConfigError);
  }
}

TEST_CASE("asking a kind for its parameters draws no weights") {
  random::seed(5);
  const DetectConfig c = tiny_detect_config("faster_rcnn");
  const train::Kind& kind = train::kind_of(c);
  const auto facts = kind.inspect_data(c);
  const std::uint64_t before = random::stream("init").position();
  CHECK(kind.parameters(c, *facts) > 1000);
  CHECK(kind.forward_flops(c, *facts) > 1e6);
  CHECK(random::stream("init").position() == before);
}

TEST_CASE("boxes are drawn where they are") {
  const Tensor image = Tensor::zeros({1, 20, 20}, DType::u8);
  const Tensor drawn =
      train::draw_boxes(image, {{{4, 8, 12, 16}, 3, 0.9}}, {{{0, 0, 20, 20}, 1}}, 2);
  CHECK(drawn.shape() == Shape{3, 40, 40});
  CHECK(drawn.at({0, 16, 8}) > 0);    // the frame's corner
  CHECK(drawn.at({0, 31, 23}) > 0);   // the opposite one
  CHECK(drawn.at({0, 24, 16}) == 0);  // its middle
  CHECK(drawn.at({0, 0, 0}) == 255);  // what is really there
  CHECK_THROWS_AS(train::draw_boxes(Tensor::zeros({3, 4, 4}, DType::u8), {}, {}), ShapeError);
}

TEST_CASE("the suites about images can be read, and their short forms") {
  for (const char* name : {"vision", "detection"}) {
    const auto suite =
        compare::load_suite(std::string(WEFT_SOURCE_DIR) + "/train/suites/" + name + ".toml");
    CHECK(suite.name == name);
    CHECK(suite.question.zh != suite.question.en);
    CHECK(compare::quick_form(suite).seeds.size() >= 6);
  }
}
