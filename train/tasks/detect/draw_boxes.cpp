#include "train/tasks/detect/draw_boxes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "core/error.h"

namespace weft::train {
namespace {

using Color = std::array<std::uint8_t, 3>;

constexpr Color kWhite{255, 255, 255};
constexpr std::array<Color, 10> kColors{{{230, 80, 70},
                                         {70, 160, 240},
                                         {90, 200, 90},
                                         {240, 180, 50},
                                         {190, 110, 230},
                                         {60, 200, 200},
                                         {240, 120, 180},
                                         {170, 200, 60},
                                         {150, 150, 250},
                                         {240, 140, 60}}};

/// Digits, 3 x 5 dots, a row in three bits.
constexpr std::array<std::array<std::uint8_t, 5>, 10> kDigits{{{7, 5, 5, 5, 7},
                                                               {2, 6, 2, 2, 7},
                                                               {7, 1, 7, 4, 7},
                                                               {7, 1, 7, 1, 7},
                                                               {5, 5, 7, 1, 1},
                                                               {7, 4, 7, 1, 7},
                                                               {7, 4, 7, 5, 7},
                                                               {7, 1, 1, 2, 2},
                                                               {7, 5, 7, 5, 7},
                                                               {7, 5, 7, 1, 7}}};

struct Drawing {
  std::int64_t height, width;
  std::uint8_t* pixels;

  void dot(std::int64_t x, std::int64_t y, const Color& color) const {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    for (std::size_t c = 0; c < 3; ++c)
      pixels[(static_cast<std::int64_t>(c) * height + y) * width + x] = color[c];
  }
  void fill(std::int64_t x, std::int64_t y, std::int64_t w, std::int64_t h,
            const Color& color) const {
    for (std::int64_t i = y; i < y + h; ++i)
      for (std::int64_t j = x; j < x + w; ++j) dot(j, i, color);
  }
  /// A line of dots around [x0, x1) x [y0, y1); `dash`: so many on, so many off.
  void frame(std::int64_t x0, std::int64_t y0, std::int64_t x1, std::int64_t y1, const Color& color,
             std::int64_t thick, std::int64_t dash) const {
    const auto on = [&](std::int64_t i) { return dash == 0 || i / dash % 2 == 0; };
    for (std::int64_t t = 0; t < thick; ++t) {
      for (std::int64_t x = x0; x < x1; ++x)
        if (on(x - x0)) dot(x, y0 + t, color), dot(x, y1 - 1 - t, color);
      for (std::int64_t y = y0; y < y1; ++y)
        if (on(y - y0)) dot(x0 + t, y, color), dot(x1 - 1 - t, y, color);
    }
  }
  void number(std::int64_t x, std::int64_t y, std::int64_t value, std::int64_t size,
              const Color& color) const {
    for (const char digit : std::to_string(std::max<std::int64_t>(0, value))) {
      const auto& rows = kDigits[static_cast<std::size_t>(digit - '0')];
      for (std::int64_t i = 0; i < 5; ++i)
        for (std::int64_t j = 0; j < 3; ++j)
          if (rows[static_cast<std::size_t>(i)] >> (2 - j) & 1)
            fill(x + j * size, y + i * size, size, size, color);
      x += 4 * size;
    }
  }
};

}  // namespace

Tensor draw_boxes(const Tensor& image, const std::vector<nn::Detection>& detections,
                  const std::vector<nn::BoxTarget>& objects, std::int64_t scale) {
  if (image.dtype() != DType::u8)
    fail<DTypeError>("draw_boxes", "expects u8 pixels, got {}", name(image.dtype()));
  if (image.rank() != 3 || image.size(0) != 1 || scale < 1 || scale > 64)
    fail<ShapeError>("draw_boxes", "expects one gray image (1, H, W), got {}", image.shape().str());
  const Tensor gray = raw::contiguous(image);
  const std::int64_t height = gray.size(1), width = gray.size(2);
  const Tensor out = Tensor::empty({3, height * scale, width * scale}, DType::u8);
  const Drawing picture{height * scale, width * scale, out.data<std::uint8_t>()};
  for (std::int64_t y = 0; y < picture.height; ++y)
    for (std::int64_t x = 0; x < picture.width; ++x) {
      const std::uint8_t value = gray.data<std::uint8_t>()[y / scale * width + x / scale];
      picture.dot(x, y, {value, value, value});
    }
  const auto place = [&](double v) {
    return static_cast<std::int64_t>(std::lround(v * static_cast<double>(scale)));
  };
  for (const nn::BoxTarget& object : objects)
    picture.frame(place(object.box.x0), place(object.box.y0), place(object.box.x1),
                  place(object.box.y1), kWhite, 1, 3);
  for (const nn::Detection& d : detections) {
    const Color& color = kColors[static_cast<std::size_t>(d.label) % kColors.size()];
    const std::int64_t x0 = place(d.box.x0), y0 = place(d.box.y0), y1 = place(d.box.y1), size = 3;
    const auto letters = static_cast<std::int64_t>(std::to_string(d.label).size());
    picture.frame(x0, y0, place(d.box.x1), y1, color, 2, 0);
    const std::int64_t sign = 5 * size + 4, top = y0 >= sign ? y0 - sign : y1;
    picture.fill(x0, top, letters * 4 * size + 2, sign, color);
    picture.number(x0 + 2, top + 2, d.label, size, {0, 0, 0});
  }
  return out;
}

}  // namespace weft::train
