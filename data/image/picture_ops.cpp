#include "data/image/picture_ops.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/math.h"
#include "data/image/transform.h"

namespace weft::data {
namespace {

using Table = std::array<std::uint8_t, 256>;

void check_picture(const Tensor& picture) {
  if (picture.dtype() != DType::u8)
    fail<DTypeError>("augment", "expects u8, got {}", name(picture.dtype()));
  if (picture.rank() != 3 || (picture.size(0) != 1 && picture.size(0) != 3))
    fail<ShapeError>("augment", "expects (1, H, W) or (3, H, W), got {}", picture.shape().str());
}

std::uint8_t to_level(double value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
}

/// What `other(i)` is at factor 0 and the picture at 1, value by value.
template <class Other>
Tensor blend(const Tensor& picture, double factor, const Other& other) {
  const Tensor from = raw::contiguous(picture);
  Tensor to = Tensor::empty(from.shape(), DType::u8);
  const auto* x = from.data<std::uint8_t>();
  for (std::int64_t i = 0; i < from.numel(); ++i) {
    const double base = other(i);
    to.data<std::uint8_t>()[i] = to_level(base + factor * (x[i] - base));
  }
  return to;
}

/// ITU-R 601 luma in 16 bits of fraction, as Pillow has it.
int luma(const std::uint8_t* x, std::int64_t i, std::int64_t plane, bool color) {
  if (!color) return x[i];
  return (x[i] * 19595 + x[i + plane] * 38470 + x[i + 2 * plane] * 7471 + 0x8000) >> 16;
}

Tensor look_up(const Tensor& picture, const std::vector<Table>& tables) {
  const Tensor from = raw::contiguous(picture);
  Tensor to = Tensor::empty(from.shape(), DType::u8);
  const std::int64_t plane = from.size(1) * from.size(2);
  for (std::int64_t i = 0; i < from.numel(); ++i)
    to.data<std::uint8_t>()[i] =
        tables[static_cast<std::size_t>(i / plane) % tables.size()][from.data<std::uint8_t>()[i]];
  return to;
}

std::array<std::int64_t, 256> histogram(const std::uint8_t* from, std::int64_t count) {
  std::array<std::int64_t, 256> counts{};
  for (std::int64_t i = 0; i < count; ++i) ++counts[from[i]];
  return counts;
}

Table same_table() {
  Table table;
  for (std::size_t i = 0; i < 256; ++i) table[i] = static_cast<std::uint8_t>(i);
  return table;
}

/// A table for each channel, made of its histogram.
template <class Make>
Tensor by_channel(const Tensor& picture, const Make& make) {
  check_picture(picture);
  const Tensor from = raw::contiguous(picture);
  const std::int64_t plane = from.size(1) * from.size(2);
  std::vector<Table> tables;
  for (std::int64_t c = 0; c < from.size(0); ++c)
    tables.push_back(make(histogram(from.data<std::uint8_t>() + c * plane, plane)));
  return look_up(from, tables);
}

}  // namespace

Tensor adjust_brightness(const Tensor& picture, double factor) {
  check_picture(picture);
  return blend(picture, factor, [](std::int64_t) { return 0.0; });
}

Tensor adjust_contrast(const Tensor& picture, double factor) {
  check_picture(picture);
  const Tensor from = raw::contiguous(picture);
  const std::int64_t plane = from.size(1) * from.size(2);
  double sum = 0;
  for (std::int64_t i = 0; i < plane; ++i)
    sum += luma(from.data<std::uint8_t>(), i, plane, from.size(0) == 3);
  const double mean = std::floor(sum / static_cast<double>(std::max<std::int64_t>(1, plane)) + 0.5);
  return blend(from, factor, [&](std::int64_t) { return mean; });
}

Tensor adjust_color(const Tensor& picture, double factor) {
  check_picture(picture);
  const Tensor from = raw::contiguous(picture);
  const std::int64_t plane = from.size(1) * from.size(2);
  if (from.size(0) == 1) return raw::clone(from);
  return blend(from, factor, [&](std::int64_t i) {
    return static_cast<double>(luma(from.data<std::uint8_t>(), i % plane, plane, true));
  });
}

Tensor adjust_sharpness(const Tensor& picture, double factor) {
  check_picture(picture);
  const Tensor from = raw::contiguous(picture);
  const std::int64_t height = from.size(1), width = from.size(2);
  const auto* x = from.data<std::uint8_t>();
  return blend(from, factor, [&](std::int64_t i) {
    const std::int64_t column = i % width, row = i / width % height;
    if (column == 0 || row == 0 || column == width - 1 || row == height - 1)
      return static_cast<double>(x[i]);
    int sum = 4 * x[i];
    for (const std::int64_t dy : {-width, std::int64_t{0}, width})
      for (const std::int64_t dx : {-1, 0, 1}) sum += x[i + dy + dx];
    return std::floor(sum / 13.0 + 0.5);
  });
}

Tensor autocontrast(const Tensor& picture) {
  return by_channel(picture, [](const std::array<std::int64_t, 256>& counts) {
    const auto is_there = [](std::int64_t count) { return count > 0; };
    const auto low = std::find_if(counts.begin(), counts.end(), is_there) - counts.begin();
    const auto high = counts.rend() - std::find_if(counts.rbegin(), counts.rend(), is_there) - 1;
    Table table = same_table();
    if (high <= low) return table;
    const double scale = 255.0 / static_cast<double>(high - low);
    for (std::size_t i = 0; i < 256; ++i)
      table[i] = to_level((static_cast<double>(i) - static_cast<double>(low)) * scale);
    return table;
  });
}

Tensor equalize(const Tensor& picture) {
  return by_channel(picture, [](const std::array<std::int64_t, 256>& counts) {
    std::int64_t all = 0, last = 0;
    for (const std::int64_t count : counts) {
      all += count;
      if (count > 0) last = count;
    }
    Table table = same_table();
    const std::int64_t step = (all - last) / 255;
    if (step == 0) return table;
    std::int64_t sum = step / 2;
    for (std::size_t i = 0; i < 256; ++i) {
      table[i] = static_cast<std::uint8_t>(std::min<std::int64_t>(255, sum / step));
      sum += counts[i];
    }
    return table;
  });
}

Tensor posterize(const Tensor& picture, int bits) {
  return by_channel(picture, [&](const std::array<std::int64_t, 256>&) {
    Table table = same_table();
    const int kept = 8 - std::clamp(bits, 0, 8);
    for (std::uint8_t& value : table) value = static_cast<std::uint8_t>(value >> kept << kept);
    return table;
  });
}

Tensor solarize(const Tensor& picture, int threshold) {
  return by_channel(picture, [&](const std::array<std::int64_t, 256>&) {
    Table table = same_table();
    for (int i = std::max(0, threshold); i < 256; ++i)
      table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(255 - i);
    return table;
  });
}

Tensor affine(const Tensor& picture, const std::array<double, 6>& m, int fill) {
  check_picture(picture);
  const Tensor from = raw::contiguous(picture);
  const std::int64_t channels = from.size(0), height = from.size(1), width = from.size(2);
  Tensor to = Tensor::empty(from.shape(), DType::u8);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const double at_x = static_cast<double>(x) + 0.5, at_y = static_cast<double>(y) + 0.5;
      const double in_x = m[0] * at_x + m[1] * at_y + m[2], in_y = m[3] * at_x + m[4] * at_y + m[5];
      const bool inside = in_x >= 0 && in_y >= 0 && in_x < static_cast<double>(width) &&
                          in_y < static_cast<double>(height);
      const double left = std::floor(in_x - 0.5), top = std::floor(in_y - 0.5);
      const double dx = in_x - 0.5 - left, dy = in_y - 0.5 - top;
      for (std::int64_t c = 0; c < channels; ++c) {
        auto& out = to.data<std::uint8_t>()[(c * height + y) * width + x];
        if (!inside) {
          out = static_cast<std::uint8_t>(fill);
          continue;
        }
        const auto at = [&](double row, double column) {
          const auto r = std::clamp<std::int64_t>(static_cast<std::int64_t>(row), 0, height - 1);
          const auto k = std::clamp<std::int64_t>(static_cast<std::int64_t>(column), 0, width - 1);
          return static_cast<double>(from.data<std::uint8_t>()[(c * height + r) * width + k]);
        };
        const double above = at(top, left) + (at(top, left + 1) - at(top, left)) * dx;
        const double below = at(top + 1, left) + (at(top + 1, left + 1) - at(top + 1, left)) * dx;
        out = to_level(above + (below - above) * dy);
      }
    }
  return to;
}

Tensor rotate(const Tensor& picture, double degrees, int fill) {
  check_picture(picture);
  const double angle = degrees * std::numbers::pi / 180, c = math::cos(angle), s = math::sin(angle);
  const double x = static_cast<double>(picture.size(2)) / 2,
               y = static_cast<double>(picture.size(1)) / 2;
  // A point of the result, turned back.
  return affine(picture, {c, -s, x - c * x + s * y, s, c, y - s * x - c * y}, fill);
}

Tensor crop_and_resize(const Tensor& picture, std::int64_t top, std::int64_t left,
                       std::int64_t height, std::int64_t width) {
  check_picture(picture);
  const Tensor part =
      raw::contiguous(raw::slice(raw::slice(picture, 1, top, top + height), 2, left, left + width));
  return resize_images(part, picture.size(1), picture.size(2));
}

}  // namespace weft::data
