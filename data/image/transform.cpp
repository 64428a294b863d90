#include "data/image/transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"

namespace weft::data {
namespace {

void check_u8(const Tensor& images, std::string_view where, int min_rank) {
  if (images.dtype() != DType::u8)
    fail<DTypeError>(where, "expects u8 pixels, got {}", name(images.dtype()));
  if (images.rank() < min_rank)
    fail<ShapeError>(where, "expects at least {} dimensions, got {}", min_rank,
                     images.shape().str());
}

/// Weights with which output pixel i is made of input pixels first, first + 1, ...
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

// With scale = in / out, output pixel i covers [i * scale, (i + 1) * scale) of the input, center (i
// + 1/2) * scale. area: the weight of an input pixel is its overlap with that interval. bilinear:
// max(0, 1 - |distance of centers| / max(scale, 1)), the triangle that interpolates when enlarging,
// widened to the output's pixel when shrinking. Both are normalized to sum 1, which also treats the
// edges.
std::vector<Taps> make_taps(std::int64_t in, std::int64_t out, Filter filter) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double radius = filter == Filter::area ? scale / 2 : std::max(scale, 1.0);
  std::vector<Taps> all(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first =
        std::clamp(static_cast<std::int64_t>(std::floor(center - radius)), std::int64_t{0}, in - 1);
    const auto last =
        std::clamp(static_cast<std::int64_t>(std::ceil(center + radius)), first + 1, in);
    std::vector<double> weights;
    double sum = 0;
    for (auto j = first; j < last; ++j) {
      const auto x = static_cast<double>(j);
      const double weight = filter == Filter::area
                                ? std::min(x + 1, center + radius) - std::max(x, center - radius)
                                : 1 - std::abs(x + 0.5 - center) / radius;
      weights.push_back(std::max(weight, 0.0));
      sum += weights.back();
    }
    auto& taps = all[static_cast<std::size_t>(i)];
    taps.first = first;
    for (const double weight : weights) taps.weights.push_back(static_cast<float>(weight / sum));
  }
  return all;
}

void resize_plane(const std::uint8_t* in, std::int64_t in_h, std::int64_t in_w, std::uint8_t* out,
                  const std::vector<Taps>& rows, const std::vector<Taps>& columns,
                  std::vector<float>& between) {
  const auto out_w = static_cast<std::int64_t>(columns.size());
  between.resize(static_cast<std::size_t>(in_h * out_w));
  for (std::int64_t y = 0; y < in_h; ++y) {
    for (std::int64_t x = 0; x < out_w; ++x) {
      const auto& taps = columns[static_cast<std::size_t>(x)];
      const std::uint8_t* from = in + y * in_w + taps.first;
      float sum = 0;
      for (const float weight : taps.weights) sum += weight * static_cast<float>(*from++);
      between[static_cast<std::size_t>(y * out_w + x)] = sum;
    }
  }
  for (const auto& taps : rows) {
    for (std::int64_t x = 0; x < out_w; ++x) {
      const float* from = between.data() + taps.first * out_w + x;
      float sum = 0;
      for (const float weight : taps.weights) {
        sum += weight * *from;
        from += out_w;
      }
      *out++ = static_cast<std::uint8_t>(std::clamp(sum + 0.5F, 0.0F, 255.0F));
    }
  }
}

std::vector<double> numbers(const nlohmann::json& object, const char* key, std::string_view where) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array() || found->empty())
    fail<ConfigError>(where, "expects \"{}\", a list of numbers", key);
  std::vector<double> values;
  for (const auto& value : *found) {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      fail<ConfigError>(where, "\"{}\" holds something that is not a number", key);
    values.push_back(value.get<double>());
  }
  return values;
}

constexpr std::array<std::string_view, 4> kEdgeNames = {"unknown", "mixed", "dark", "light"};
constexpr double kDarkEdge = 64, kLightEdge = 191;
constexpr std::int64_t kEdgeOutliers = 1000;  // one picture in so many may have another edge

/// The mean of the outermost pixels of all planes of u8 (..., H, W), contiguous and not empty.
double edge_mean(const Tensor& image) {
  const auto height = image.size(-2), width = image.size(-1);
  const auto planes = image.numel() / (height * width);
  const auto* pixels = image.data<std::uint8_t>();
  std::int64_t sum = 0, count = 0;
  for (std::int64_t p = 0; p < planes; ++p) {
    for (std::int64_t y = 0; y < height; ++y) {
      const bool edge_row = y == 0 || y == height - 1;
      for (std::int64_t x = 0; x < width; x += edge_row || width == 1 ? 1 : width - 1) {
        sum += pixels[(p * height + y) * width + x];
        ++count;
      }
    }
  }
  return static_cast<double>(sum) / static_cast<double>(count);
}

}  // namespace

Normalization Normalization::of_images(const Tensor& images) {
  check_u8(images, "normalization", 3);
  const auto flat = raw::contiguous(images);
  const auto channels = flat.size(-3);
  const auto plane = flat.size(-2) * flat.size(-1);
  Normalization result;
  result.mean.assign(static_cast<std::size_t>(channels), 0.0);
  result.std.assign(static_cast<std::size_t>(channels), 1.0);
  if (flat.numel() == 0) return result;
  const auto count = flat.numel() / (channels * plane);
  for (std::int64_t c = 0; c < channels; ++c) {
    std::array<std::uint64_t, 256> histogram{};
    for (std::int64_t n = 0; n < count; ++n) {
      const auto* pixels = flat.data<std::uint8_t>() + (n * channels + c) * plane;
      for (std::int64_t i = 0; i < plane; ++i) ++histogram[pixels[i]];
    }
    double sum = 0;
    double squares = 0;
    for (std::size_t v = 0; v < 256; ++v) {
      sum += static_cast<double>(histogram[v]) * static_cast<double>(v);
      squares += static_cast<double>(histogram[v]) * static_cast<double>(v * v);
    }
    const auto total = static_cast<double>(count * plane);
    const double mean = sum / total;
    const double variance = squares / total - mean * mean;
    result.mean[static_cast<std::size_t>(c)] = mean / 255;
    // One pixel in a million a gray level off has variance 1e-6; what is below that is rounding.
    if (variance > 1e-7) result.std[static_cast<std::size_t>(c)] = std::sqrt(variance) / 255;
  }
  return result;
}

std::string Normalization::to_json() const {
  return nlohmann::json{{"mean", mean}, {"std", std}}.dump();
}

Normalization Normalization::from_json(std::string_view json, std::string_view where) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object())
    fail<ConfigError>(where, "expects a JSON object with \"mean\" and \"std\"");
  Normalization result{numbers(parsed, "mean", where), numbers(parsed, "std", where)};
  if (result.mean.size() != result.std.size())
    fail<ConfigError>(
        where, "there must be as many means as standard deviations, one per channel: got {} and {}",
        result.mean.size(), result.std.size());
  for (const double value : result.std) {
    if (!(value > 0))
      fail<ConfigError>(where, "a standard deviation must be above 0, got {}", value);
  }
  return result;
}

std::vector<float> Normalization::table() const {
  std::vector<float> table;
  table.reserve(256 * mean.size());
  for (std::size_t c = 0; c < mean.size(); ++c) {
    for (int value = 0; value < 256; ++value)
      table.push_back(static_cast<float>((value / 255.0 - mean[c]) / std[c]));
  }
  return table;
}

Tensor normalize(const Tensor& images, const Normalization& normalization) {
  check_u8(images, "normalize", 3);
  const auto channels = images.size(-3);
  if (channels != static_cast<std::int64_t>(normalization.mean.size())) {
    fail<ShapeError>("normalize", "images {} have {} channels, the normalization {}",
                     images.shape().str(), channels, normalization.mean.size());
  }
  const auto flat = raw::contiguous(images);
  const Tensor out = Tensor::empty(images.shape());
  if (out.numel() == 0) return out;
  const auto table = normalization.table();
  const auto plane = flat.size(-2) * flat.size(-1);
  const auto* from = flat.data<std::uint8_t>();
  auto* to = out.data<float>();
  for (std::int64_t p = 0; p < flat.numel() / plane; ++p) {
    const float* of_value = table.data() + 256 * (p % channels);
    for (std::int64_t i = 0; i < plane; ++i) *to++ = of_value[*from++];
  }
  return out;
}

Tensor resize_images(const Tensor& images, std::int64_t height, std::int64_t width, Filter filter) {
  check_u8(images, "resize_images", 2);
  constexpr std::int64_t kMaxSide = 65536;
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) {
    fail<ShapeError>("resize_images", "target {} x {} outside 1 .. {}", height, width, kMaxSide);
  }
  const auto in_h = images.size(-2);
  const auto in_w = images.size(-1);
  auto shape = images.shape();
  shape[shape.rank() - 2] = height;
  shape[shape.rank() - 1] = width;
  if (in_h < 1 || in_w < 1)
    fail<ShapeError>("resize_images", "images {} have no pixels", images.shape().str());
  const auto flat = raw::contiguous(images);
  const Tensor out = Tensor::empty(shape, DType::u8);
  const auto rows = make_taps(in_h, height, filter);
  const auto columns = make_taps(in_w, width, filter);
  const auto planes = flat.numel() / (in_h * in_w);
  parallel_for(planes, std::max<std::int64_t>(1, 65536 / (in_h * in_w + height * width)),
               [&](std::int64_t begin, std::int64_t end) {
                 std::vector<float> between;
                 for (auto p = begin; p < end; ++p) {
                   resize_plane(flat.data<std::uint8_t>() + p * in_h * in_w, in_h, in_w,
                                out.data<std::uint8_t>() + p * height * width, rows, columns,
                                between);
                 }
               });
  return out;
}

Tensor shuffle_pixels(const Tensor& images) {
  check_u8(images, "shuffle_pixels", 2);
  const auto plane = images.size(-2) * images.size(-1);
  const auto order = Generator(0, "data.pixels").permutation(plane).to_vector<std::int64_t>();
  const auto flat = raw::contiguous(images);
  const Tensor out = Tensor::empty(images.shape(), DType::u8);
  for (std::int64_t at = 0; at < images.numel(); at += plane)
    for (std::int64_t i = 0; i < plane; ++i)
      out.data<std::uint8_t>()[at + i] =
          flat.data<std::uint8_t>()[at + order[static_cast<std::size_t>(i)]];
  return out;
}

Tensor invert_image(const Tensor& image) {
  check_u8(image, "invert_image", 0);
  const auto out = raw::clone(image);
  if (out.numel() == 0) return out;
  auto* pixels = out.data<std::uint8_t>();
  std::transform(pixels, pixels + out.numel(), pixels,
                 [](std::uint8_t v) { return static_cast<std::uint8_t>(255 - v); });
  return out;
}

std::string_view name(Edges edges) { return kEdgeNames[static_cast<std::size_t>(edges)]; }

Edges edges_from_name(std::string_view name, std::string_view where) {
  const auto found = std::find(kEdgeNames.begin(), kEdgeNames.end(), name);
  if (found == kEdgeNames.end())
    fail<ConfigError>(where, "edges of images are unknown, mixed, dark or light, got \"{}\"",
                      name.substr(0, 40));
  return static_cast<Edges>(found - kEdgeNames.begin());
}

Edges edges_of(const Tensor& images) {
  check_u8(images, "edges_of", 4);
  const auto count = images.size(0);
  if (images.numel() == 0) return Edges::mixed;
  const auto flat = raw::contiguous(images);
  std::int64_t not_dark = 0, not_light = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double edge = edge_mean(raw::slice(flat, 0, i, i + 1));
    not_dark += edge < kDarkEdge ? 0 : 1;
    not_light += edge > kLightEdge ? 0 : 1;
  }
  if (kEdgeOutliers * not_dark <= count) return Edges::dark;
  return kEdgeOutliers * not_light <= count ? Edges::light : Edges::mixed;
}

bool looks_inverted(const Tensor& image, Edges edges, const Normalization& normalization) {
  check_u8(image, "looks_inverted", 2);
  if (image.numel() == 0 || edges == Edges::mixed) return false;
  const bool light = edge_mean(raw::contiguous(image)) > 127.5;
  if (edges != Edges::unknown) return light != (edges == Edges::light);
  if (normalization.mean.empty()) return false;
  double trained_on = 0;
  for (const double mean : normalization.mean)
    trained_on += mean / static_cast<double>(normalization.mean.size());
  return light != (trained_on > 0.5);
}

}  // namespace weft::data
