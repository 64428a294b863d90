// Boxes, the Hungarian method, and what detectors do with them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/autograd.h"
#include "core/random.h"
#include "nn/models/detr.h"
#include "nn/models/faster_rcnn.h"
#include "optim/adam.h"

using namespace weft;
using namespace weft::nn;

namespace {

std::vector<double> numbers(std::int64_t count, std::uint64_t seed, double low, double high) {
  const Tensor t = Tensor::empty({count}, DType::f64);
  Generator(seed, "test").fill_uniform(t, low, high);
  return t.to_vector<double>();
}

Box some_box(std::uint64_t seed) {
  const auto v = numbers(4, seed, 0, 1);
  return {v[0] * 50, v[1] * 50, v[0] * 50 + 1 + v[2] * 40, v[1] * 50 + 1 + v[3] * 40};
}

double least_by_trying(const std::vector<double>& costs, std::int64_t rows, std::int64_t columns) {
  std::vector<std::size_t> order(static_cast<std::size_t>(columns));
  std::iota(order.begin(), order.end(), std::size_t{0});
  double least = INFINITY;
  do {
    double total = 0;
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r)
      total += costs[r * static_cast<std::size_t>(columns) + order[r]];
    least = std::min(least, total);
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

FasterRcnnConfig tiny_rcnn() {
  FasterRcnnConfig config{
      .n_class = 2, .image_height = 32, .image_width = 32, .hidden = 16, .grid = 3};
  config.anchor_heights = {8, 14};
  config.anchor_ratios = {1};
  return config;
}

/// Bright squares (class 0) and bright frames (class 1) on a dark ground.
void draw_scene(std::uint64_t number, float* image, float* boxes) {
  Generator random(7, "scene" + std::to_string(number));
  std::fill_n(image, 32 * 32, -0.5f);
  const std::int64_t side = 8 + static_cast<std::int64_t>(random.next_below(6)),
                     x = static_cast<std::int64_t>(
                         random.next_below(static_cast<std::uint64_t>(32 - side))),
                     y = static_cast<std::int64_t>(
                         random.next_below(static_cast<std::uint64_t>(32 - side)));
  const bool frame = random.next_below(2) == 1;
  for (std::int64_t i = 0; i < side; ++i)
    for (std::int64_t j = 0; j < side; ++j)
      if (!frame || i < 2 || j < 2 || i >= side - 2 || j >= side - 2)
        image[(y + i) * 32 + x + j] = 1.5f;
  const float row[5] = {frame ? 1.0f : 0.0f, static_cast<float>(x), static_cast<float>(y),
                        static_cast<float>(x + side), static_cast<float>(y + side)};
  std::copy_n(row, 5, boxes);
}

std::pair<Tensor, Tensor> scenes(std::uint64_t first, std::int64_t count) {
  const Tensor images = Tensor::empty({count, 1, 32, 32}), boxes = Tensor::empty({count, 1, 5});
  for (std::int64_t i = 0; i < count; ++i)
    draw_scene(first + static_cast<std::uint64_t>(i), images.data<float>() + i * 1024,
               boxes.data<float>() + i * 5);
  return {images, boxes};
}

}  // namespace

TEST_CASE("overlaps of boxes with known answers") {
  const Box unit{0, 0, 2, 2};
  CHECK(box_iou(unit, unit) == 1);
  CHECK(box_iou(unit, {1, 0, 3, 2}) == doctest::Approx(1.0 / 3));
  CHECK(box_iou(unit, {2, 0, 4, 2}) == 0);
  CHECK(box_iou({1, 1, 1, 1}, {1, 1, 1, 1}) == 0);
  CHECK(box_giou(unit, unit) == 1);
  CHECK(box_giou(unit, {2, 0, 4, 2}) == 0);  // side by side: the hull is filled
  CHECK(box_giou(unit, {4, 0, 6, 2}) == doctest::Approx(-1.0 / 3));  // a third of the hull is empty
  CHECK(clip_box({-3, 1, 50, 9}, 8, 10).x1 == 10);
}

TEST_CASE("a box comes back from its code") {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const Box anchor = some_box(seed), box = some_box(seed + 100);
    const std::array<double, 4> weights{10, 10, 5, 5};
    const Box back = decode_box(anchor, encode_box(anchor, box, weights), weights);
    CHECK(back.x0 == doctest::Approx(box.x0));
    CHECK(back.y1 == doctest::Approx(box.y1));
  }
  CHECK(encode_box({0, 0, 2, 4}, {1, 1, 3, 5})[0] == 0.5);
  CHECK(std::isfinite(decode_box({0, 0, 2, 4}, {0, 0, 1000, 1000}).x1));
}

TEST_CASE("doubles are suppressed, the best first") {
  const std::vector<Box> boxes{{0, 0, 10, 10}, {1, 0, 11, 10}, {20, 0, 30, 10}, {0, 0, 10, 9}};
  CHECK(non_maximum_suppression(boxes, {0.5, 0.9, 0.1, 0.4}, 0.5, 10) ==
        std::vector<std::int64_t>{1, 2});
  CHECK(non_maximum_suppression(boxes, {0.5, 0.9, 0.1, 0.4}, 0.99, 2) ==
        std::vector<std::int64_t>{1, 0});
  CHECK(non_maximum_suppression(boxes, {1, 1, 1, 1}, 0.5, 10) == std::vector<std::int64_t>{0, 2});
  CHECK(non_maximum_suppression({}, {}, 0.5, 10).empty());
}

TEST_CASE("a score or a box that is not a number is not kept, and suppresses no real box") {
  const Box here{0, 0, 10, 10}, nearly{0, 0, 10, 9}, there{20, 20, 30, 30};
  const double inf = std::numeric_limits<double>::infinity();
  for (const std::size_t bad : {0U, 1U, 2U}) {  // wherever it stands in the order
    std::vector<Box> boxes{here, nearly, there};
    std::vector<double> scores{0.9, 0.8, 0.7};
    boxes.insert(boxes.begin() + static_cast<std::ptrdiff_t>(bad), here);
    scores.insert(scores.begin() + static_cast<std::ptrdiff_t>(bad), NAN);
    std::vector<std::int64_t> expected;
    for (const std::int64_t i : {0, 2})
      expected.push_back(i + (i >= static_cast<std::int64_t>(bad) ? 1 : 0));
    CHECK(non_maximum_suppression(boxes, scores, 0.5, 10) == expected);
  }
  for (const double odd : {static_cast<double>(NAN), inf, -inf})
    for (double Box::*const corner : {&Box::x0, &Box::y0, &Box::x1, &Box::y1}) {
      Box broken = here;
      broken.*corner = odd;
      CHECK(non_maximum_suppression({broken, here}, {2, 1}, 0.5, 10) ==
            std::vector<std::int64_t>{1});
    }
  CHECK(non_maximum_suppression({here, there}, {-inf, inf}, 0.5, 10) ==
        std::vector<std::int64_t>{1, 0});
  CHECK_THROWS_WITH_AS(non_maximum_suppression({here}, {1, 2}, 0.5, 10),
                       "[non_maximum_suppression] 1 boxes and 2 scores", ShapeError);
  CHECK_THROWS_WITH_AS(non_maximum_suppression({here}, {1}, NAN, 10),
                       "[non_maximum_suppression] the threshold is not a number", ConfigError);
}

TEST_CASE("the assignment of least cost is the least of all permutations") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const auto rows = static_cast<std::int64_t>(seed % 6),
               columns = rows + static_cast<std::int64_t>(seed % 3);
    const auto costs = numbers(rows * columns, seed, -2, 2);
    const auto chosen = assign_least_cost(costs, rows, columns);
    double total = 0;
    for (std::size_t r = 0; r < chosen.size(); ++r)
      total += costs[r * static_cast<std::size_t>(columns) + static_cast<std::size_t>(chosen[r])];
    auto sorted = chosen;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
    CHECK(total == doctest::Approx(least_by_trying(costs, rows, columns)));
  }
  CHECK_THROWS_WITH_AS(assign_least_cost({1, 2}, 2, 1),
                       "[assign_least_cost] 2 rows are more than 1 columns", ShapeError);
  CHECK_THROWS_AS(assign_least_cost({NAN}, 1, 1), NumericError);
}

TEST_CASE("the loss of GIoU is one less GIoU") {
  std::vector<double> guesses, truths;
  double wanted = 0;
  for (std::uint64_t seed = 1; seed < 10; ++seed) {
    const Box a = some_box(seed), b = some_box(seed + 50);
    for (const auto& [box, into] : {std::pair{a, &guesses}, std::pair{b, &truths}})
      into->insert(into->end(),
                   {(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.width(), box.height()});
    wanted += 1 - box_giou(a, b);
  }
  CHECK(giou_loss(Tensor::from(guesses, {9, 4}), Tensor::from(truths, {9, 4})).item() ==
        doctest::Approx(wanted));
}

TEST_CASE("boxes that cannot be are refused by name") {
  const auto text = [](std::vector<float> row) {
    try {
      box_targets(Tensor::from(row, {1, 1, 5}), 10, 20, 3, "test");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(text({2, 0, 0, 20, 10}).empty());
  CHECK(text({-1, 5, 5, 0, 0}).empty());
  CHECK(text({3, 0, 0, 1, 1}) ==
        "[test] label 3 of box 0 of image 0 is not a class: there are 3, counted from 0");
  CHECK(text({0.5f, 0, 0, 1, 1}) ==
        "[test] label 0.5 of box 0 of image 0 is not a class: there are 3, counted from 0");
  CHECK(text({NAN, 0, 0, 1, 1}).find("is not a class") != std::string::npos);
  CHECK(text({0, 4, 0, 3, 1}) ==
        "[test] box 0 of image 0 has no area: (4, 0, 3, 1); expects x0 < x1 and y0 < y1");
  CHECK(text({0, 0, 0, 1, 11}) ==
        "[test] box 0 of image 0 lies outside the image of 20 x 10 pixels: (0, 0, 1, 11)");
  CHECK(text({0, -1, 0, 1, 1}).find("lies outside") != std::string::npos);
  CHECK(text({0, 0, NAN, 1, 1}).find("is not finite") != std::string::npos);
  CHECK_THROWS_AS(box_targets(Tensor::zeros({1, 5}), 10, 20, 3, "test"), ShapeError);
}

TEST_CASE("anchors lie around their places") {
  const FasterRcnn model(tiny_rcnn(),
                         std::make_unique<ConvBackbone>(ConvBackboneConfig{.features = 8}));
  REQUIRE(model.anchors().size() == 8 * 8 * 2);
  const Box first = model.anchors()[0], third = model.anchors()[2];
  CHECK(first.x0 == -2);  // 8 pixels around (2, 2)
  CHECK(first.y1 == 6);
  CHECK(third.x0 == 2);  // the next place is a stride of 4 further on
  CHECK(model.anchors().back().y1 == 30 + 7);
}

TEST_CASE("Faster R-CNN learns to find and name what it is shown") {
  random::seed(3);
  FasterRcnn model(tiny_rcnn(), std::make_unique<ConvBackbone>(ConvBackboneConfig{.features = 16}));
  optim::AdamW optimizer(model.named_parameters(), {.lr = 5e-3, .weight_decay = 0.01});
  double first = 0, last = 0;
  constexpr int kSteps = 150;
  for (int step = 0; step < kSteps; ++step) {
    const auto [images, boxes] = scenes(static_cast<std::uint64_t>(step) * 8, 8);
    const Tensor loss = model.loss(images, boxes);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item();
  }
  CHECK(last < 0.4 * first);
  model.eval();
  const auto [images, boxes] = scenes(1'000'000, 20);
  const auto found = model.detect(images);
  int right = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto truth = box_targets(boxes, 32, 32, 2, "test")[i][0];
    right += !found[i].empty() && found[i][0].label == truth.label &&
             box_iou(found[i][0].box, truth.box) > 0.5;
    for (std::size_t k = 1; k < found[i].size(); ++k)
      CHECK(found[i][k - 1].score >= found[i][k].score);
  }
  CHECK(right >= 14);
  const double once = model.loss(images, boxes).item();
  CHECK(model.loss(images, boxes).item() == once);  // in evaluation the same regions are drawn
  CHECK(
      std::isfinite(model.loss(images, Tensor::full({20, 1, 5}, -1)).item()));  // no object at all
}

TEST_CASE("DETR's queries learn the scenes that they are shown") {
  random::seed(4);
  Detr model({.n_class = 2,
              .image_height = 32,
              .image_width = 32,
              .n_layer = 2,
              .n_head = 2,
              .n_embd = 32,
              .mlp_ratio = 2,
              .n_query = 3},
             std::make_unique<ConvBackbone>(ConvBackboneConfig{.features = 16, .stride = 8}));
  optim::AdamW optimizer(model.named_parameters(), {.lr = 2e-3, .weight_decay = 0});
  double first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    const auto [images, boxes] = scenes(static_cast<std::uint64_t>(step % 8) * 8, 8);
    const Tensor loss = model.loss(images, boxes);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item();
  }
  CHECK(last < 0.5 * first);
  CHECK(std::isfinite(model.loss(scenes(0, 2).first, Tensor::full({2, 1, 5}, -1)).item()));
  model.eval();
  for (const auto& found : model.detect(scenes(0, 8).first)) CHECK(found.size() <= 3);
}

TEST_CASE("a transformer's map has the shape of the convolutions'") {
  VitBackboneConfig config{.vit = {.image_height = 32,
                                   .image_width = 24,
                                   .patch_size = 8,
                                   .n_layer = 1,
                                   .n_head = 2,
                                   .n_embd = 16},
                           .features = 8,
                           .upsample = 2};
  const VitBackbone map(config);
  CHECK(map.stride() == 4);
  CHECK(map(Tensor::zeros({2, 1, 32, 24})).shape() == Shape{2, 8, 8, 6});
  CHECK(ConvBackbone({.features = 8})(Tensor::zeros({2, 1, 32, 24})).shape() == Shape{2, 8, 8, 6});
  config.upsample = 3;
  CHECK_THROWS_AS(VitBackbone{config}, ConfigError);
  CHECK_THROWS_WITH_AS(ConvBackbone({.features = 6}),
                       "[backbone] features must be a multiple of 4, got 6", ConfigError);
}
