// Average precision by COCO's definition, on cases that can be worked out by hand.
#include <doctest/doctest.h>

#include <cmath>

#include "train/metrics/average_precision.h"

using namespace weft;
using train::average_precision;
using train::DetectedImage;
using train::mean_average_precision;

namespace {

const nn::Box kHere{0, 0, 10, 10}, kThere{50, 50, 60, 60}, kNowhere{80, 0, 90, 10};

nn::Box shifted(const nn::Box& box, double by) {
  return {box.x0 + by, box.y0, box.x1 + by, box.y1};
}

}  // namespace

TEST_CASE("perfect, none, and half") {
  const DetectedImage perfect{{{kHere, 0, 0.9}, {kThere, 0, 0.8}}, {{kHere, 0}, {kThere, 0}}};
  CHECK(average_precision({perfect}, 0, 0.5) == doctest::Approx(1));
  CHECK(average_precision({perfect}, 0, 0.95) == doctest::Approx(1));
  CHECK(average_precision({DetectedImage{{}, {{kHere, 0}}}}, 0, 0.5) == 0);
  // One of two is found: precision 1 up to a recall of 0.5, which is 51 of the 101 points.
  CHECK(average_precision({DetectedImage{{{kHere, 0, 0.9}}, {{kHere, 0}, {kThere, 0}}}}, 0, 0.5) ==
        doctest::Approx(51.0 / 101));
}

TEST_CASE("a false alarm counts by its score") {
  const std::vector<nn::BoxTarget> objects{{kHere, 0}, {kThere, 0}};
  // After both objects it costs nothing; before them precision is 1/2, then 2/3, and read from the
  // right 2/3 everywhere.
  CHECK(average_precision(
            {DetectedImage{{{kHere, 0, 0.9}, {kThere, 0, 0.8}, {kNowhere, 0, 0.1}}, objects}}, 0,
            0.5) == doctest::Approx(1));
  CHECK(average_precision(
            {DetectedImage{{{kNowhere, 0, 0.95}, {kHere, 0, 0.9}, {kThere, 0, 0.8}}, objects}}, 0,
            0.5) == doctest::Approx(2.0 / 3));
  // Between them: 1 up to recall 0.5, then 2/3.
  CHECK(average_precision(
            {DetectedImage{{{kHere, 0, 0.9}, {kNowhere, 0, 0.85}, {kThere, 0, 0.8}}, objects}}, 0,
            0.5) == doctest::Approx((51 + 50 * 2.0 / 3) / 101));
}

TEST_CASE("a detection without a score is the last, wherever it stands") {
  const std::vector<nn::BoxTarget> objects{{kHere, 0}, {kThere, 0}};
  const nn::Detection here{kHere, 0, 0.9}, there{kThere, 0, 0.8}, alarm{kNowhere, 0, std::nan("")};
  for (const auto& detections : {std::vector{alarm, here, there}, std::vector{here, alarm, there},
                                 std::vector{here, there, alarm}, std::vector{there, alarm, here}})
    CHECK(average_precision({DetectedImage{detections, objects}}, 0, 0.5) == doctest::Approx(1));
  // Across images, too: the alarm of one does not come before what the other found.
  CHECK(average_precision({DetectedImage{{alarm}, {}}, DetectedImage{{there, here}, objects}}, 0,
                          0.5) == doctest::Approx(1));
}

TEST_CASE("an object is found once, and by the detection that overlaps it most") {
  // The second detection of one object is a false alarm, and comes after recall 1.
  CHECK(average_precision(
            {DetectedImage{{{kHere, 0, 0.9}, {shifted(kHere, 1), 0, 0.8}}, {{kHere, 0}}}}, 0,
            0.5) == doctest::Approx(1));
  CHECK(average_precision(
            {DetectedImage{{{shifted(kHere, 1), 0, 0.9}, {kHere, 0, 0.8}}, {{kHere, 0}}}}, 0,
            0.9) == doctest::Approx(0.5));
  // Two objects side by side, overlapping: each detection takes the nearer one.
  const nn::Box near = shifted(kHere, 4);
  CHECK(average_precision({DetectedImage{{{shifted(kHere, 3.5), 0, 0.9}, {kHere, 0, 0.8}},
                                         {{kHere, 0}, {near, 0}}}},
                          0, 0.75) == doctest::Approx(1));
}

TEST_CASE("an overlap right at the threshold counts") {
  // 10 x 10 against 10 x 5 inside it: exactly one half.
  const DetectedImage half{{{{0, 0, 10, 5}, 0, 0.9}}, {{kHere, 0}}};
  CHECK(average_precision({half}, 0, 0.5) == doctest::Approx(1));
  CHECK(average_precision({half}, 0, 0.55) == 0);
  const auto all = mean_average_precision({half}, 1);
  CHECK(all.at_50 == doctest::Approx(1));
  CHECK(all.at_50_95 == doctest::Approx(0.1));
}

TEST_CASE("classes are averaged, those without objects left out, and images pooled by score") {
  const DetectedImage first{{{kHere, 0, 0.9}, {kThere, 2, 0.99}},
                            {{kHere, 0}}};  // a false alarm of a class that nothing is of
  const DetectedImage second{{{kNowhere, 1, 0.9}, {kHere, 0, 0.7}}, {{kThere, 1}, {kHere, 0}}};
  const auto all = mean_average_precision({first, second}, 4);
  CHECK(all.of_class[0] == doctest::Approx(1));
  CHECK(all.of_class[1] == 0);
  CHECK(std::isnan(all.of_class[2]));
  CHECK(std::isnan(all.of_class[3]));
  CHECK(all.at_50 == doctest::Approx(0.5));
  // A detection of another image, however good, takes no object of this one.
  CHECK(average_precision({DetectedImage{{{kHere, 0, 0.9}}, {}}, DetectedImage{{}, {{kHere, 0}}}},
                          0, 0.5) == 0);
  CHECK(std::isnan(mean_average_precision({DetectedImage{}}, 2).at_50));
}

TEST_CASE("at most a hundred detections of an image count") {
  DetectedImage many;
  many.objects = {{kHere, 0}};
  for (int i = 0; i < 100; ++i) many.detections.push_back({kNowhere, 0, 0.9});
  many.detections.push_back({kHere, 0, 0.1});
  CHECK(average_precision({many}, 0, 0.5) == 0);
  many.detections.erase(many.detections.begin());
  CHECK(average_precision({many}, 0, 0.5) == doctest::Approx(0.01));
}
