#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "data/find_data_set.h"
#include "data/synthetic/scenes.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::message_of;

namespace {

const ImageData& mnist() {
  static const ImageData data = load_images(std::string(WEFT_SOURCE_DIR) + "/data/sets/mnist");
  return data;
}

}  // namespace

TEST_CASE("a scene's boxes frame its digits") {
  const SceneData data(mnist(), {});
  std::int64_t most = 0, least = 100;
  for (std::int64_t i = 0; i < 60; ++i) {
    const Scene scene = data.scene(Split::validation, i);
    CHECK(scene.image.shape() == Shape{1, 96, 96});
    const std::int64_t count = scene.boxes.size(0);
    most = std::max(most, count);
    least = std::min(least, count);
    for (std::int64_t k = 0; k < count; ++k) {
      const auto at = [&](std::int64_t column) {
        return static_cast<std::int64_t>(scene.boxes.at({k, column}));
      };
      CHECK(at(0) >= 0);
      CHECK(at(0) <= 9);
      CHECK(at(1) >= 0);
      CHECK(at(2) >= 0);
      CHECK(at(3) <= 96);
      CHECK(at(4) <= 96);
      const std::int64_t longer = std::max(at(3) - at(1), at(4) - at(2));
      CHECK(longer >= 14);
      CHECK(longer <= 40);
      int bright =
          0;  // there is ink at every edge, or a little inside of it where a digit was shrunk
      for (std::int64_t y = at(2); y < at(4); ++y)
        bright += scene.image.at({0, y, at(1)}) > 20 || scene.image.at({0, y, at(1) + 1}) > 20;
      CHECK(bright > 0);
    }
  }
  CHECK(least == 1);
  CHECK(most >= 5);
}

TEST_CASE("a scene depends on its split, seed and number alone") {
  const SceneData one(mnist(), {.seed = 1}), two(mnist(), {.seed = 2});
  const auto pixels = [](const Scene& scene) { return scene.image.to_vector<std::uint8_t>(); };
  CHECK(pixels(one.scene(Split::train, 5)) ==
        pixels(SceneData(mnist(), {.seed = 1}).scene(Split::train, 5)));
  CHECK(pixels(one.scene(Split::train, 5)) != pixels(two.scene(Split::train, 5)));
  CHECK(pixels(one.scene(Split::train, 5)) != pixels(one.scene(Split::train, 6)));
  CHECK(pixels(one.scene(Split::test, 5)) == pixels(two.scene(Split::test, 5)));
  CHECK(pixels(one.scene(Split::test, 5)) != pixels(one.scene(Split::validation, 5)));
  const SceneBatch batch = train_batches(std::make_shared<SceneData>(one), 4, 2, 3)[0];
  CHECK(batch.images.shape() == Shape{4, 1, 96, 96});
  CHECK(batch.boxes.shape() == Shape{4, 6, 5});
  const Scene ninth = one.scene(Split::train, 9);
  CHECK(
      raw::slice(raw::reshape(raw::slice(batch.boxes, 0, 1, 2), {6, 5}), 0, 0, ninth.boxes.size(0))
          .to_vector<float>() == ninth.boxes.to_vector<float>());
  for (std::int64_t k = ninth.boxes.size(0); k < 6; ++k) CHECK(batch.boxes.at({1, k, 0}) == -1);
}

TEST_CASE("scenes that cannot be") {
  const auto text = [](const SceneOptions& options) {
    return message_of<ConfigError>([&] { SceneData(mnist(), options); });
  };
  CHECK(text({.size = 8}) == "[scenes] size must be 16 to 4096, got 8");
  CHECK(text({.min_digits = 3, .max_digits = 2}) == "[scenes] max_digits must be 3 to 1000, got 2");
  CHECK(text({.max_side = 97}) == "[scenes] max_side must be 14 to 96, got 97");
  CHECK(text({.overlap = 2}) == "[scenes] overlap must be in [0, 1], got 2");
  const SceneData data(mnist(), {.evaluation_scenes = 3});
  CHECK(message_of<IndexError>([&] { data.scene(Split::test, 3); }) ==
        "[scenes] test scene 3 does not exist: there are 3, counted from 0");
  CHECK_THROWS_AS(data.scene(Split::train, -1), IndexError);
}
