// Random changes of pictures: what they may do, how often, and that they depend on nothing but the
// seed and the picture.
#include "data/image/augment.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "data/image/image_dataset.h"
#include "data/image/picture_ops.h"

using namespace weft;
using namespace weft::data;

namespace {

/// Pictures of noise with labels 0 and 1.
ImageData noise(std::int64_t count, std::int64_t side) {
  Tensor images = Tensor::empty({count, 3, side, side}, DType::u8),
         labels = Tensor::empty({count}, DType::u8);
  Generator generator(7, "noise");
  for (std::int64_t i = 0; i < images.numel(); ++i)
    images.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(generator.next_below(256));
  for (std::int64_t i = 0; i < count; ++i)
    labels.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 2);
  return {images, labels, Tensor(), Tensor(), {.validation = 2}, "noise"};
}

const Augment kAll{.shift = 1,
                   .flip = true,
                   .least_crop = 0.3,
                   .random_changes = 2,
                   .magnitude = 20,
                   .rotate = 20,
                   .jitter = 0.4,
                   .erase = 0.5};

}  // namespace

TEST_CASE("changed batches depend on the seed, the epoch and the picture alone") {
  const ImageData data = noise(42, 12);
  ImageBatchOptions options{.batch = 8, .epochs = 2, .augment = kAll};
  std::vector<std::vector<float>> all;
  for (const auto& [images, labels] : data.train_batches(options))
    all.push_back(images.to_vector<float>());
  REQUIRE(all.size() == 10);
  CHECK(all[0] != all[5]);
  options.first_step = 7;
  options.prefetch = {.threads = 3, .ahead = 4};
  std::size_t at = 7;
  for (const auto& [images, labels] : data.train_batches(options))
    CHECK(images.to_vector<float>() == all[at++]);
  CHECK(at == 10);
  options.seed = 2;
  CHECK(data.train_batch(0, 0, options).images.to_vector<float>() != all[0]);
}

TEST_CASE("every change is drawn, none leaves the picture's size, and none is made unasked") {
  const ImageData data = noise(20, 10);
  const Tensor picture = raw::reshape(raw::slice(data.images(Split::train), 0, 0, 1), {3, 10, 10});
  const Generator stream(1, "test");
  std::set<std::vector<int>> results;
  for (std::uint64_t number = 0; number < 300; ++number) {
    Draws draws(stream, number);
    const Tensor changed = augment_picture(picture, {.random_changes = 1, .magnitude = 30}, draws);
    CHECK(changed.shape() == picture.shape());
    results.insert(changed.to_vector<int>());
  }
  // Fourteen changes, eight of them in two directions, of which two are one at full strength.
  CHECK(results.size() >= 20);
  CHECK(results.size() <= 23);
  CHECK(results.contains(picture.to_vector<int>()));
  CHECK(results.contains(autocontrast(picture).to_vector<int>()));
  CHECK(results.contains(rotate(picture, 30, 128).to_vector<int>()));
  Draws draws(stream, 0);
  CHECK(augment_picture(picture, {}, draws).to_vector<int>() == picture.to_vector<int>());
  const Tensor gray = raw::slice(picture, 0, 0, 1);
  CHECK(augment_picture(gray, kAll, draws).shape() == Shape{1, 10, 10});
}

TEST_CASE("erased rectangles have the sizes and the frequency of the paper") {
  const Generator stream(3, "test");
  int erased = 0;
  for (std::uint64_t number = 0; number < 4000; ++number) {
    Draws draws(stream, number);
    const Erased part = draw_erased(32, 32, 0.25, draws);
    if (part.height == 0) continue;
    ++erased;
    const double share = static_cast<double>(part.height * part.width) / 1024;
    CHECK(share >= 0.015);
    CHECK(share <= 0.36);
    CHECK(part.top + part.height <= 32);
    CHECK(part.left + part.width <= 32);
  }
  CHECK(erased > 900);
  CHECK(erased < 1100);
  Draws draws(stream, 0);
  CHECK(draw_erased(32, 32, 0, draws).height == 0);
}

TEST_CASE("mixed batches are what the papers' formulas say, and their share is Beta's") {
  const std::int64_t batch = 6;
  const auto fresh = [&] {
    Tensor images = Tensor::empty({batch, 2, 8, 8});
    for (std::int64_t i = 0; i < images.numel(); ++i)
      images.data<float>()[i] = static_cast<float>(i / 128);  // picture b holds b
    return images;
  };
  double sum = 0, squares = 0;
  for (std::int64_t k = 0; k < 500; ++k) {
    const Tensor mixed = fresh();
    const Mixing mixing = mix_batch(mixed, 0.4, 0, 1, k);
    for (std::int64_t b = 0; b < batch; ++b) {
      const double partner = static_cast<double>(mixing.partner[static_cast<std::size_t>(b)]);
      CHECK(mixed.at({b, 1, 3, 3}) ==
            doctest::Approx(mixing.share * static_cast<double>(b) + (1 - mixing.share) * partner));
    }
    sum += mixing.share;
    squares += mixing.share * mixing.share;
    const Tensor again = fresh();
    CHECK(mix_batch(again, 0.4, 0, 1, k).share == mixing.share);
  }
  const double mean = sum / 500;
  CHECK(mean == doctest::Approx(0.5).epsilon(0.1));
  // Beta(a, a) has the variance 1 / (4 (2 a + 1)).
  CHECK(squares / 500 - mean * mean == doctest::Approx(1 / (4 * 1.8)).epsilon(0.15));
  for (std::int64_t k = 0; k < 100; ++k) {
    const Tensor cut = fresh();
    const Mixing mixing = mix_batch(cut, 0, 1, 1, k);
    for (std::int64_t b = 0; b < batch; ++b) {
      int own = 0;
      for (std::int64_t i = 0; i < 64; ++i)
        own += cut.at({b, 0, i / 8, i % 8}) == static_cast<double>(b) ? 1 : 0;
      if (mixing.partner[static_cast<std::size_t>(b)] != b)
        CHECK(own == doctest::Approx(64 * mixing.share));
    }
  }
  int cuts = 0;
  for (std::int64_t k = 0; k < 200; ++k) {
    const Tensor either = fresh();
    mix_batch(either, 1, 1, 1, k);
    bool whole = true;
    for (const float value : either.to_vector<float>()) whole = whole && value == std::floor(value);
    cuts += whole ? 1 : 0;
  }
  CHECK(cuts > 70);
  CHECK(cuts < 130);
}
