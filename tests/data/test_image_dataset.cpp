#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "data/image/idx.h"
#include "data/image/image_dataset.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::Scratch;
using weft_test::shipped;

namespace {

/// Picture n holds n * 20 + 1 at every pixel but its first, which is brighter; label n % 3.
ImageData numbered(std::int64_t count, std::int64_t validation = 0,
                   HeldOut held_out = HeldOut::stratified) {
  const Tensor images = Tensor::empty({count, 4, 5}, DType::u8);
  const Tensor labels = Tensor::empty({count}, DType::u8);
  for (std::int64_t n = 0; n < count; ++n) {
    for (std::int64_t i = 0; i < 20; ++i)
      images.data<std::uint8_t>()[n * 20 + i] =
          static_cast<std::uint8_t>(n * 20 + (i == 0 ? 5 : 1));
    labels.data<std::uint8_t>()[n] = static_cast<std::uint8_t>(n % 3);
  }
  return {images, labels, {}, {}, {.validation = validation, .held_out = held_out}, "numbered"};
}

double pixel(const ImageData& data, double normalized) {
  return std::round((normalized * data.normalization().std[0] + data.normalization().mean[0]) *
                    255);
}

std::uint64_t sequence_hash(const BatchRange<ImageBatch>& range) {
  std::uint64_t hash = 0;
  for (const auto& [images, labels] : range) hash = batch_hash(images, labels, hash);
  return hash;
}

}  // namespace

TEST_CASE("MNIST is what its README says") {
  const auto mnist = load_images(shipped("mnist"));
  CHECK(mnist.size(Split::train) == 55'000);
  CHECK(mnist.size(Split::validation) == 5'000);
  CHECK(mnist.size(Split::test) == 10'000);
  CHECK(mnist.channels() == 1);
  CHECK(mnist.height() == 28);
  CHECK(mnist.width() == 28);
  CHECK(mnist.classes() == 10);
  const auto in_file = load_images(shipped("mnist"), {.validation = 0}).labels(Split::train);
  CHECK(raw::slice(in_file, 0, 0, 10).to_vector<int>() ==
        std::vector<int>{5, 0, 4, 1, 9, 2, 1, 3, 1, 4});
  CHECK(raw::slice(mnist.labels(Split::test), 0, 0, 5).to_vector<int>() ==
        std::vector<int>{7, 2, 1, 0, 4});
  // The well-known 0.1307 and 0.3081.
  const auto all = Normalization::of_images(
      load_images(shipped("mnist"), {.validation = 0}).images(Split::train));
  CHECK(all.mean[0] == doctest::Approx(0.1307).epsilon(0.001));
  CHECK(all.std[0] == doctest::Approx(0.3081).epsilon(0.001));
  const auto batch = mnist.train_batches({.batch = 128, .seed = 1})[0];
  CHECK(batch.images.shape() == Shape{128, 1, 28, 28});
  CHECK(batch.images.dtype() == DType::f32);
  CHECK(batch.labels.shape() == Shape{128});
  CHECK(batch.labels.dtype() == DType::i64);
  std::int64_t seen = 0;
  for (auto [images, labels] : mnist.eval_batches(Split::test, 3000)) seen += labels.numel();
  CHECK(seen == 10'000);
}

TEST_CASE("an epoch shows every picture once, each epoch in another order") {
  const auto data = numbered(11);
  for (const std::int64_t size : {1, 4, 11, 50}) {
    std::vector<std::vector<double>> orders;
    for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
      const ImageBatchOptions options{.batch = size, .seed = 9};
      std::vector<double> order;
      for (std::int64_t i = 0; i < data.batches_per_epoch(options); ++i) {
        const auto [images, labels] = data.train_batch(epoch, i, options);
        for (std::int64_t b = 0; b < labels.numel(); ++b) {
          const auto n = std::floor(pixel(data, images.at({b, 0, 1, 1})) / 20);
          REQUIRE(labels.at({b}) == std::fmod(n, 3));
          order.push_back(n);
        }
      }
      REQUIRE(order.size() == 11);
      REQUIRE(std::set<double>(order.begin(), order.end()).size() == 11);
      orders.push_back(order);
    }
    CHECK(orders[0] != orders[1]);
    CHECK(orders[1] != orders[2]);
  }
}

TEST_CASE("batches depend on their number alone: random access, resuming, any threads") {
  const auto data = numbered(11);
  ImageBatchOptions options{.batch = 4,
                            .epochs = 3,
                            .seed = 5,
                            .augment = {.shift = 2, .flip = true},
                            .prefetch = {.threads = 0}};
  const auto range = data.train_batches(options);
  REQUIRE(range.size() == 9);
  const auto whole = sequence_hash(range);
  for (const int threads : {1, 2, 8}) {
    options.prefetch = {.threads = threads, .ahead = 5};
    CHECK(sequence_hash(data.train_batches(options)) == whole);
  }
  options.first_step = 4;  // in the middle of the second epoch
  const auto rest = data.train_batches(options);
  REQUIRE(rest.size() == 5);
  for (std::int64_t k = 0; k < 5; ++k) {
    REQUIRE(rest[k].images.to_vector<float>() == range[k + 4].images.to_vector<float>());
    REQUIRE(rest[k].images.to_vector<float>() ==
            data.train_batch((k + 4) / 3, (k + 4) % 3, options).images.to_vector<float>());
  }
  options.first_step = 0;
  options.seed = 6;
  CHECK(sequence_hash(data.train_batches(options)) != whole);
  options.drop_last = true;
  CHECK(data.train_batches(options).size() == 6);
}

TEST_CASE("a picture's move does not depend on the batch it is in") {
  const auto data = numbered(11);
  const Augment augment{.shift = 1, .flip = true};
  const auto collect = [&](std::int64_t size) {
    std::vector<std::vector<float>> by_number(11);
    for (const auto& [images, labels] :
         data.train_batches({.batch = size, .seed = 2, .augment = augment})) {
      for (std::int64_t b = 0; b < labels.numel(); ++b) {
        const auto values = raw::slice(images, 0, b, b + 1).to_vector<float>();
        by_number[static_cast<std::size_t>(pixel(data, values[7]) / 20)] = values;
      }
    }
    return by_number;
  };
  CHECK(collect(3) == collect(11));
}

TEST_CASE("shift and flip move pixels as they say, and reach every place") {
  // One bright pixel in the middle of a row tells where the picture went; two levels tell which way
  // round.
  const Tensor images = Tensor::zeros({1, 5, 5}, DType::u8);
  images.data<std::uint8_t>()[2 * 5 + 2] = 200;
  images.data<std::uint8_t>()[2 * 5 + 3] = 100;
  const ImageData data(images, Tensor::zeros({1}, DType::u8), {}, {}, {.validation = 0}, "dot");
  std::set<std::vector<int>> seen;
  for (std::int64_t epoch = 0; epoch < 400; ++epoch) {
    const auto batch =
        data.train_batch(epoch, 0, {.batch = 1, .augment = {.shift = 1, .flip = true}});
    std::vector<int> found(3, -1);
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 5; ++x) {
        const auto value = pixel(data, batch.images.at({0, 0, y, x}));
        if (value == 200)
          found = {y, x, found[2]};
        else if (value == 100)
          found[2] = x;
        else
          REQUIRE(value == 0);
      }
    }
    REQUIRE(std::abs(found[2] - found[1]) == 1);
    seen.insert(found);
  }
  CHECK(seen.size() == 18);  // 3 x 3 places, two ways round
  const auto plain = data.train_batch(0, 0, {.batch = 1});
  CHECK(pixel(data, plain.images.at({0, 0, 2, 2})) == 200);
}

TEST_CASE("normalization: of the training split alone, exact, saved and loaded") {
  const auto data = numbered(10, 4, HeldOut::last);
  CHECK(data.size(Split::train) == 6);
  CHECK(data.size(Split::validation) == 4);
  CHECK(data.images(Split::validation).at({0, 0, 1, 1}) == 121);
  const auto values = data.images(Split::train).to_vector<double>();
  double mean = 0;
  double variance = 0;
  for (const double v : values) mean += v / 255 / static_cast<double>(values.size());
  for (const double v : values)
    variance += std::pow(v / 255 - mean, 2) / static_cast<double>(values.size());
  CHECK(data.normalization().mean[0] == doctest::Approx(mean).epsilon(1e-12));
  CHECK(data.normalization().std[0] == doctest::Approx(std::sqrt(variance)).epsilon(1e-12));
  const auto again = Normalization::from_json(data.normalization().to_json());
  CHECK(again.mean == data.normalization().mean);
  CHECK(again.std == data.normalization().std);
  CHECK(normalize(data.images(Split::train), again).at({3, 0, 2, 2}) ==
        doctest::Approx((61 / 255.0 - mean) / std::sqrt(variance)));
  const auto eval = data.eval_batches(Split::train, 100)[0];
  CHECK(eval.images.to_vector<float>() ==
        normalize(data.images(Split::train), again).to_vector<float>());
  const auto constant = Normalization::of_images(Tensor::full({4, 2, 3, 3}, 7, DType::u8));
  CHECK(constant.std == std::vector<double>{1, 1});
  for (const char* bad : {"", "[]", "{\"mean\":[0.1]}", "{\"mean\":[0.1],\"std\":[0]}",
                          "{\"mean\":[0.1],\"std\":[\"a\"]}", "{\"mean\":[0.1,0.2],\"std\":[1]}",
                          "{\"mean\":[1e999],\"std\":[1]}"}) {
    CHECK_THROWS_AS(Normalization::from_json(bad), ConfigError);
  }
}

TEST_CASE("resizing") {
  const auto image = Tensor::from<std::uint8_t>(
      {0, 100, 200, 40, 10, 20, 30, 40, 250, 250, 0, 0, 250, 250, 0, 0}, {4, 4});
  for (const auto filter : {Filter::bilinear, Filter::area}) {
    CHECK(resize_images(image, 4, 4, filter).to_vector<int>() == image.to_vector<int>());
    const auto flat = resize_images(Tensor::full({2, 3, 9, 7}, 77, DType::u8), 28, 5, filter);
    CHECK(flat.shape() == Shape{2, 3, 28, 5});
    for (const int v : flat.to_vector<int>()) REQUIRE(v == 77);
  }
  CHECK(resize_images(image, 2, 2, Filter::area).to_vector<int>() ==
        std::vector<int>{33, 78, 250, 0});
  // (0 * 1 + 100 * 1/2 overlap) / 1.5 and so on: 4 columns into 8/3.
  const auto row = Tensor::from<std::uint8_t>({0, 90, 30}, {1, 3});
  CHECK(resize_images(row, 1, 2, Filter::area).to_vector<int>() == std::vector<int>{30, 50});
  CHECK(resize_images(Tensor::from<std::uint8_t>({0, 100}, {1, 2}), 1, 4).to_vector<int>() ==
        std::vector<int>{0, 25, 75, 100});
  CHECK(resize_images(image, 1, 1, Filter::area).at({0, 0}) == 90);
  CHECK_THROWS_AS(resize_images(image, 0, 4), ShapeError);
  CHECK_THROWS_AS(resize_images(image, 4, 70000), ShapeError);
  CHECK_THROWS_AS(resize_images(Tensor::zeros({4, 4}), 2, 2), DTypeError);
  CHECK_THROWS_AS(resize_images(Tensor::zeros({4, 0}, DType::u8), 2, 2), ShapeError);
}

TEST_CASE("dark on white is told from light on dark") {
  const Normalization digits{{0.13}, {0.31}};
  auto drawing = Tensor::full({1, 9, 9}, 255, DType::u8);
  drawing.data<std::uint8_t>()[40] = 0;
  CHECK(looks_inverted(drawing, Edges::dark, digits));
  CHECK(!looks_inverted(invert_image(drawing), Edges::dark, digits));
  CHECK(!looks_inverted(drawing, Edges::light, digits));
  CHECK(looks_inverted(invert_image(drawing), Edges::light, digits));
  for (const auto& picture : {drawing, invert_image(drawing)})
    CHECK(!looks_inverted(picture, Edges::mixed, digits));
  // Runs of earlier versions know no more of their images than the mean.
  CHECK(looks_inverted(drawing, Edges::unknown, digits));
  CHECK(!looks_inverted(invert_image(drawing), Edges::unknown, digits));
  CHECK(invert_image(drawing).at({0, 4, 4}) == 255);
  CHECK(!looks_inverted(drawing, Edges::unknown, Normalization{{0.9}, {0.2}}));
  CHECK(!looks_inverted(Tensor::zeros({1, 1, 1}, DType::u8), Edges::dark, digits));

  // What the pictures' edges have in common: of 2,000 two may be otherwise. Only the outermost
  // pixels count.
  const auto edges_with = [](std::int64_t others, std::uint8_t most, std::uint8_t other) {
    const Tensor images = Tensor::full({2000, 1, 3, 3}, most, DType::u8);
    for (std::int64_t i = 0; i < others; ++i)
      raw::slice(images, 0, 7 * i, 7 * i + 1)
          .copy_from(Tensor::full({1, 1, 3, 3}, other, DType::u8));
    for (std::int64_t i = 0; i < 2000; ++i) images.data<std::uint8_t>()[9 * i + 4] = 130;
    return edges_of(images);
  };
  CHECK(edges_with(2, 5, 255) == Edges::dark);
  CHECK(edges_with(3, 5, 255) == Edges::mixed);
  CHECK(edges_with(2, 250, 0) == Edges::light);
  CHECK(edges_with(3, 250, 0) == Edges::mixed);
  CHECK(edges_with(0, 63, 0) == Edges::dark);
  CHECK(edges_with(0, 64, 0) == Edges::mixed);
  CHECK(edges_with(0, 191, 0) == Edges::mixed);
  CHECK(edges_with(0, 192, 0) == Edges::light);
  CHECK(load_images(shipped("mnist")).edges() == Edges::dark);
  CHECK(load_images(shipped("mnist"), {.shuffle_pixels = true}).edges() == Edges::dark);
  for (const Edges edges : {Edges::unknown, Edges::mixed, Edges::dark, Edges::light})
    CHECK(edges_from_name(name(edges), "here") == edges);
  CHECK(contains(message_of<ConfigError>([] { edges_from_name("Dark", "here"); }),
                 "[here] edges of images are unknown, mixed, dark or light"));
}

TEST_CASE("a directory of one's own, with colors or without a test set") {
  const Scratch scratch;
  const Tensor images = Tensor::zeros({6, 3, 4, 4}, DType::u8);
  images.data<std::uint8_t>()[0] = 9;
  write_idx(scratch.path("train-images-idx4-ubyte"), images);
  write_idx(scratch.path("train-labels-idx1-ubyte"),
            Tensor::from<std::uint8_t>({0, 1, 2, 0, 1, 2}, {6}));
  const auto data = load_images(scratch.folder(), {.validation = 2});
  CHECK(data.channels() == 3);
  CHECK(data.classes() == 3);
  CHECK(data.size(Split::test) == 0);
  CHECK(data.eval_batches(Split::test, 8).size() == 0);
  CHECK(data.train_batches({.batch = 2})[0].images.shape() == Shape{2, 3, 4, 4});
}

TEST_CASE("a share of the training pictures, and pixels in another order") {
  const auto all = load_images(shipped("mnist"));
  const auto few = load_images(shipped("mnist"), {.share = 0.01, .seed = 3}),
             other = load_images(shipped("mnist"), {.share = 0.01, .seed = 4});
  CHECK(few.size(Split::train) == 550);
  CHECK(few.size(Split::validation) == 5000);
  CHECK(few.labels(Split::train).to_vector<int>() != other.labels(Split::train).to_vector<int>());
  const auto again = load_images(shipped("mnist"), {.share = 0.01, .seed = 3});
  CHECK(few.images(Split::train).to_vector<std::uint8_t>() ==
        again.images(Split::train).to_vector<std::uint8_t>());
  for (const double share : {0.0, 1.5, -1.0, std::nan("")})
    CHECK(
        contains(message_of<ConfigError>([&] { load_images(shipped("mnist"), {.share = share}); }),
                 "must be above 0 and at most 1"));

  const auto shuffled = load_images(shipped("mnist"), {.shuffle_pixels = true});
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const auto before = raw::slice(all.images(split), 0, 0, 2),
               after = raw::slice(shuffled.images(split), 0, 0, 2);
    CHECK(shuffle_pixels(before).to_vector<std::uint8_t>() == after.to_vector<std::uint8_t>());
    auto a = before.to_vector<std::uint8_t>(), b = after.to_vector<std::uint8_t>();
    CHECK(a != b);
    std::sort(a.begin(), a.begin() + 784);
    std::sort(b.begin(), b.begin() + 784);
    CHECK(std::equal(a.begin(), a.begin() + 784, b.begin()));
  }
  CHECK(all.normalization().mean == shuffled.normalization().mean);
}

TEST_CASE("image sets that do not fit together, and options that cannot be") {
  const Scratch scratch;
  CHECK(contains(message_of<IoError>([&] { load_images(scratch.path("none")); }),
                 "no such file or folder: was it moved or deleted?"));
  CHECK(contains(
      message_of<IoError>([&] { load_images(shipped("tinyshakespeare.txt")); }),
      "is not a folder: a set of images is a folder with a folder of PNG, JPEG or WebP files"));
  CHECK(contains(message_of<IoError>([&] { load_images(scratch.folder()); }),
                 "holds no images that are read; a set of images is"));
  const auto labels = Tensor::zeros({6}, DType::u8);
  write_idx(scratch.path("train-images-idx3-ubyte"), Tensor::zeros({6, 4, 4}, DType::u8));
  CHECK(contains(message_of<IoError>([&] { load_images(scratch.folder()); }),
                 "has no file of labels beside it, such as train-labels-idx1-ubyte"));
  write_idx(scratch.path("train-labels-idx1-ubyte"), Tensor::zeros({5}, DType::u8));
  CHECK(contains(message_of<IoError>([&] { load_images(scratch.folder()); }),
                 "6 train images, but 5 labels"));
  write_idx(scratch.path("train-labels-idx1-ubyte"), labels);
  write_idx(scratch.path("t10k-images-idx3-ubyte"), Tensor::zeros({6, 4, 5}, DType::u8));
  CHECK(contains(message_of<IoError>([&] { load_images(scratch.folder(), {.validation = 0}); }),
                 "has no file of labels beside it, such as t10k-labels-idx1-ubyte"));
  write_idx(scratch.path("t10k-labels-idx1-ubyte"), labels);
  CHECK(contains(message_of<IoError>([&] { load_images(scratch.folder(), {.validation = 0}); }),
                 "differ in size"));
  write_idx(scratch.path("t10k-images-idx3-ubyte"), Tensor::zeros({6, 4, 4}, DType::u8));
  CHECK_NOTHROW(load_images(scratch.folder(), {.validation = 0}));
  CHECK(contains(message_of<ConfigError>([&] { load_images(scratch.folder(), {.validation = 6}); }),
                 "validation takes 6 of 6 training images: it must leave at least one to train on, "
                 "so choose 0 to 5"));
  CHECK_THROWS_AS(load_images(scratch.folder(), {.validation = -2}), ConfigError);
  CHECK(load_images(scratch.folder()).size(Split::validation) == 1);
  write_idx(scratch.path("train-labels-idx1-ubyte"), Tensor::zeros({6, 1}, DType::u8));
  CHECK(contains(message_of<IoError>([&] { load_images(scratch.folder()); }),
                 "is an IDX file of 2 dimensions, expected 1"));

  const auto data = numbered(11);
  CHECK_THROWS_AS(data.train_batches({.batch = 0}), ConfigError);
  CHECK_THROWS_AS(data.train_batches({.batch = INT64_MAX}), ConfigError);
  CHECK_THROWS_AS(data.train_batches({.batch = 12, .drop_last = true}), ConfigError);
  CHECK_THROWS_AS(data.train_batches({.epochs = -1}), ConfigError);
  CHECK_THROWS_AS(data.train_batches({.first_step = -1}), ConfigError);
  CHECK(contains(message_of<ConfigError>([&] { data.train_batches({.augment = {.shift = 4}}); }),
                 "shift must lie in 0 .. 3 for 4 x 5 images, got 4"));
  CHECK_THROWS_AS(data.train_batch(0, 3, {.batch = 4}), IndexError);
  CHECK_THROWS_AS(data.train_batch(-1, 0, {}), IndexError);
  CHECK_THROWS_AS(data.eval_batches(Split::train, 0), ConfigError);
}
