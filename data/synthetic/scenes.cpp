#include "data/synthetic/scenes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/phase.h"
#include "core/random.h"

namespace weft::data {
namespace {

constexpr std::uint8_t kInk = 64;     // what is darker does not belong to a digit
constexpr std::int64_t kPlaces = 30;  // tries to find room for a digit
constexpr std::int64_t kScrap = 9;    // side of a piece of clutter
constexpr std::int64_t kNormalizingScenes = 100;

struct Frame {
  std::int64_t x0, y0, x1, y1;
  std::int64_t width() const { return x1 - x0; }
  std::int64_t height() const { return y1 - y0; }
  std::int64_t area() const { return width() * height(); }
};

std::int64_t within(Generator& random, std::int64_t low, std::int64_t high) {
  return low +
         static_cast<std::int64_t>(random.next_below(static_cast<std::uint64_t>(high - low + 1)));
}

/// The smallest frame around the ink of a digit, or all of it where there is none.
Frame ink_of(const std::uint8_t* pixels, std::int64_t height, std::int64_t width) {
  Frame frame{width, height, 0, 0};
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      if (pixels[y * width + x] >= kInk)
        frame = {std::min(frame.x0, x), std::min(frame.y0, y), std::max(frame.x1, x + 1),
                 std::max(frame.y1, y + 1)};
  return frame.x1 > frame.x0 ? frame : Frame{0, 0, width, height};
}

/// Share of the smaller frame that the other covers.
double overlap_of(const Frame& a, const Frame& b) {
  const std::int64_t width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0),
                     height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  if (width <= 0 || height <= 0) return 0;
  return static_cast<double>(width * height) / static_cast<double>(std::min(a.area(), b.area()));
}

/// A canvas that light is added to: the brighter of both stays.
struct Canvas {
  std::int64_t side;
  std::uint8_t* pixels;

  void paste(const std::uint8_t* from, std::int64_t stride, std::int64_t height, std::int64_t width,
             std::int64_t x, std::int64_t y, std::int64_t light) const {
    for (std::int64_t i = 0; i < height; ++i)
      for (std::int64_t j = 0; j < width; ++j) {
        std::uint8_t& at = pixels[(y + i) * side + x + j];
        at = std::max(at, static_cast<std::uint8_t>(from[i * stride + j] * light / 255));
      }
  }
};

}  // namespace

void SceneOptions::validate() const {
  const auto size_in = [](const char* what, std::int64_t value, std::int64_t low,
                          std::int64_t high) {
    if (value < low || value > high)
      fail<ConfigError>("scenes", "{} must be {} to {}, got {}", what, low, high, value);
  };
  size_in("size", size, 16, 4096);
  size_in("min_digits", min_digits, 1, 1000);
  size_in("max_digits", max_digits, min_digits, 1000);
  size_in("min_side", min_side, 4, size);
  size_in("max_side", max_side, min_side, size);
  size_in("clutter", clutter, 0, 10000);
  size_in("evaluation_scenes", evaluation_scenes, 1, 1'000'000);
  if (!(overlap >= 0 && overlap <= 1))
    fail<ConfigError>("scenes", "overlap must be in [0, 1], got {}", overlap);
}

SceneData::SceneData(ImageData digits, const SceneOptions& options)
    : digits_(std::move(digits)), options_(options) {
  options_.validate();
  if (digits_.channels() != 1)
    fail<ConfigError>("scenes",
                      "are made of gray digits, these have {} channels; make them gray, or give "
                      "pictures of your own with boxes.csv",
                      digits_.channels());
  const Phase phase("drawing scenes");
  const Tensor sample =
      Tensor::empty({kNormalizingScenes, 1, options_.size, options_.size}, DType::u8);
  const SceneOptions own = options_;
  options_.seed = 0;  // the same for every run
  for (std::int64_t i = 0; i < kNormalizingScenes; ++i)
    raw::slice(sample, 0, i, i + 1).copy_from(scene(Split::train, i).image);
  options_ = own;
  normalization_ = Normalization::of_images(sample);
  edges_ = edges_of(sample);
}

Scene SceneData::scene(Split split, std::int64_t number) const {
  const std::int64_t available = digits_.size(split);
  if (available == 0)
    fail<ConfigError>("scenes", "there are no digits to {}: {} has no images in the {} split",
                      split == Split::test ? "test on" : "make scenes of", digits_.source(),
                      name(split));
  if (number < 0 || (split != Split::train && number >= size(split)))
    fail<IndexError>("scenes", "{} scene {} does not exist: there are {}, counted from 0",
                     name(split), number, size(split));
  Generator random(split == Split::train ? options_.seed : 0,
                   fmt::format("scenes.{}.{}", name(split), number));
  const std::int64_t height = digits_.height(), width = digits_.width(), side = options_.size;
  const auto digit = [&](std::int64_t i) {
    return digits_.images(split).data<std::uint8_t>() + i * height * width;
  };

  Scene scene{.image = Tensor::empty({1, side, side}, DType::u8), .boxes = {}};
  const Canvas canvas{side, scene.image.data<std::uint8_t>()};
  for (std::int64_t i = 0; i < side * side; ++i)
    canvas.pixels[i] = static_cast<std::uint8_t>(random.next_u32() >> 27);  // noise below 32

  const std::int64_t scraps = within(random, 0, options_.clutter),
                     scrap = std::min({kScrap, height, width, side});
  for (std::int64_t i = 0; i < scraps; ++i) {
    const std::uint8_t* const from = digit(within(random, 0, available - 1));
    const Frame ink = ink_of(from, height, width);
    const std::int64_t x = std::min(within(random, ink.x0, ink.x1 - 1), width - scrap),
                       y = std::min(within(random, ink.y0, ink.y1 - 1), height - scrap);
    const std::int64_t to_x = within(random, 0, side - scrap),
                       to_y = within(random, 0, side - scrap);
    canvas.paste(from + y * width + x, width, scrap, scrap, to_x, to_y, within(random, 100, 220));
  }

  const std::int64_t wanted = within(random, options_.min_digits, options_.max_digits);
  std::vector<Frame> frames;
  std::vector<float> rows;
  for (std::int64_t i = 0; i < wanted; ++i) {
    const std::int64_t which = within(random, 0, available - 1),
                       longer = within(random, options_.min_side, options_.max_side);
    const std::int64_t light = within(random, 150, 255);
    const Frame ink = ink_of(digit(which), height, width);
    const std::int64_t largest = std::max(ink.width(), ink.height());
    const auto scaled = [&](std::int64_t length) {
      return std::max<std::int64_t>(3, (length * longer + largest / 2) / largest);
    };
    const std::int64_t w = std::min(side, scaled(ink.width())),
                       h = std::min(side, scaled(ink.height()));
    Frame place{};
    bool found = false;
    for (std::int64_t attempt = 0; attempt < kPlaces && !found; ++attempt) {
      const std::int64_t x = within(random, 0, side - w), y = within(random, 0, side - h);
      place = {x, y, x + w, y + h};
      found = std::all_of(frames.begin(), frames.end(), [&](const Frame& other) {
        return overlap_of(place, other) <= options_.overlap;
      });
    }
    if (!found) continue;  // the canvas is full
    const Tensor cut = Tensor::empty({ink.height(), ink.width()}, DType::u8);
    for (std::int64_t y = 0; y < ink.height(); ++y)
      std::copy_n(digit(which) + (ink.y0 + y) * width + ink.x0, ink.width(),
                  cut.data<std::uint8_t>() + y * ink.width());
    const Tensor drawn = resize_images(cut, h, w);
    canvas.paste(drawn.data<std::uint8_t>(), w, h, w, place.x0, place.y0, light);
    frames.push_back(place);
    const auto label = static_cast<float>(digits_.labels(split).data<std::uint8_t>()[which]);
    for (const float value : {label, static_cast<float>(place.x0), static_cast<float>(place.y0),
                              static_cast<float>(place.x1), static_cast<float>(place.y1)})
      rows.push_back(value);
  }
  scene.boxes = Tensor::from(rows, {static_cast<std::int64_t>(frames.size()), 5});
  return scene;
}

std::vector<std::string> SceneData::classes() const {
  std::vector<std::string> names;
  for (std::int64_t digit = 0; digit < digits_.classes(); ++digit)
    names.push_back(std::to_string(digit));
  return names;
}

std::uint64_t SceneData::fingerprint(bool all) const {
  const SceneBatch first = batch(Split::train, 0, 4);
  std::uint64_t hash =
      batch_hash(first.images, first.boxes,
                 batch_hash(digits_.images(Split::train), digits_.labels(Split::train)));
  if (!all) return hash;
  for (const Split split : {Split::validation, Split::test})
    hash = batch_hash(digits_.images(split), digits_.labels(split), hash);
  return hash;
}

}  // namespace weft::data
