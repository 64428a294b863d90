#include "data/image/picture.h"

#include <fmt/format.h>
#include <turbojpeg.h>
#include <webp/decode.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <memory>
#include <vector>

#include "core/error.h"
#include "core/io/file.h"
#include "data/image/png.h"
#include "data/image/transform.h"

namespace weft::data {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kMaxBytes = 256 << 20;
constexpr std::string_view kRead = "PNG, JPEG and WebP are";

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"sv); }
bool is_webp(std::string_view bytes) {
  return bytes.size() >= 12 && bytes.starts_with("RIFF"sv) && bytes.substr(8, 4) == "WEBP"sv;
}

void check_size(std::int64_t height, std::int64_t width, const std::string& where) {
  if (height < 1 || width < 1) fail<IoError>(where, "has no pixels");
  if (height > kMaxPictureSide || width > kMaxPictureSide || height * width > kMaxPicturePixels)
    fail<IoError>(where,
                  "{} x {} pixels, at most {} a side and {} in all are read: make it smaller",
                  width, height, kMaxPictureSide, kMaxPicturePixels);
}

const unsigned char* raw_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::size_t number(std::string_view bytes, std::size_t at, std::size_t size, bool big) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value = (value << 8) | static_cast<unsigned char>(bytes[at + (big ? i : size - 1 - i)]);
  return value;
}

/// EXIF's orientation, 1 to 8; 1 where it says none. Source: Exif 2.32, section 4.6.4, tag 0x0112.
int orientation_of(std::string_view jpeg) {
  std::size_t at = 2;
  while (at + 4 <= jpeg.size() && static_cast<unsigned char>(jpeg[at]) == 0xFF) {
    const auto marker = static_cast<unsigned char>(jpeg[at + 1]);
    if (marker == 0xD8 || marker == 0xFF) {
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) break;
    const std::size_t size = number(jpeg, at + 2, 2, true);
    if (size < 2 || at + 2 + size > jpeg.size()) break;
    const std::string_view part = jpeg.substr(at + 4, size - 2);
    at += 2 + size;
    if (marker != 0xE1 || !part.starts_with("Exif\0\0"sv)) continue;
    const std::string_view tiff = part.substr(6);
    if (tiff.size() < 8) continue;
    const bool big = tiff.starts_with("MM"sv);
    if (!big && !tiff.starts_with("II"sv)) continue;
    const std::size_t first = number(tiff, 4, 4, big);
    if (first > tiff.size() || tiff.size() - first < 2) continue;
    const std::size_t entries = number(tiff, first, 2, big);
    for (std::size_t i = 0; i < entries && first + 2 + 12 * (i + 1) <= tiff.size(); ++i) {
      const std::size_t entry = first + 2 + 12 * i;
      if (number(tiff, entry, 2, big) != 0x0112) continue;
      const std::size_t value = number(tiff, entry + 8, 2, big);
      return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
  }
  return 1;
}

/// Turned as EXIF's orientation asks: interleaved (H, W, C) to planes (C, H', W').
Tensor planes_of(const std::vector<unsigned char>& pixels, std::int64_t height, std::int64_t width,
                 std::int64_t channels, int orientation) {
  const bool turned = orientation >= 5;
  const std::int64_t out_height = turned ? width : height, out_width = turned ? height : width;
  Tensor out = Tensor::empty({channels, out_height, out_width}, DType::u8);
  auto* to = out.data<std::uint8_t>();
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t y = 0; y < out_height; ++y)
      for (std::int64_t x = 0; x < out_width; ++x) {
        // Where the pixel at (y, x) of what is shown is stored.
        std::int64_t row = turned ? x : y, column = turned ? y : x;
        if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
          column = width - 1 - column;
        if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
          row = height - 1 - row;
        *to++ = pixels[static_cast<std::size_t>((row * width + column) * channels + c)];
      }
  return out;
}

struct CloseJpeg {
  void operator()(void* handle) const { tjDestroy(handle); }
};

struct Jpeg {
  std::unique_ptr<void, CloseJpeg> handle{tjInitDecompress()};
  int width = 0, height = 0, subsampling = 0, colors = 0, orientation = 1;

  Jpeg(std::string_view bytes, const std::string& where) {
    if (!handle) fail<IoError>(where, "libjpeg-turbo cannot be started");
    if (tjDecompressHeader3(handle.get(), raw_bytes(bytes), bytes.size(), &width, &height,
                            &subsampling, &colors) != 0)
      fail<IoError>(where, "is not a readable JPEG: {}", tjGetErrorStr2(handle.get()));
    if (height < 1 || width < 1)
      fail<IoError>(where, "is not a readable JPEG: its header is damaged");
    check_size(height, width, where);
    orientation = orientation_of(bytes);
  }
};

Tensor decode_jpeg(std::string_view bytes, const std::string& where, std::int64_t channels) {
  const Jpeg jpeg(bytes, where);
  if (jpeg.colors == TJCS_CMYK || jpeg.colors == TJCS_YCCK)
    fail<IoError>(where, "is a JPEG for printing (CMYK); save it as RGB");
  std::vector<unsigned char> pixels(static_cast<std::size_t>(jpeg.width) *
                                    static_cast<std::size_t>(jpeg.height) *
                                    static_cast<std::size_t>(channels));
  if (tjDecompress2(jpeg.handle.get(), raw_bytes(bytes), bytes.size(), pixels.data(), jpeg.width, 0,
                    jpeg.height, channels == 1 ? TJPF_GRAY : TJPF_RGB,
                    TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING) != 0)
    fail<IoError>(where, "is a damaged JPEG: {}; save or copy it again",
                  tjGetErrorStr2(jpeg.handle.get()));
  return planes_of(pixels, jpeg.height, jpeg.width, channels, jpeg.orientation);
}

std::uint8_t luma(const unsigned char* rgb) {
  return static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
}

WebPBitstreamFeatures webp_features(std::string_view bytes, const std::string& where) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(raw_bytes(bytes), bytes.size(), &features) != VP8_STATUS_OK)
    fail<IoError>(where, "is not a readable WebP file");
  if (features.has_animation != 0) fail<IoError>(where, "is an animation: a picture is wanted");
  check_size(features.height, features.width, where);
  return features;
}

Tensor decode_webp(std::string_view bytes, const std::string& where, std::int64_t channels) {
  const WebPBitstreamFeatures features = webp_features(bytes, where);
  const auto count =
      static_cast<std::size_t>(features.width) * static_cast<std::size_t>(features.height);
  std::vector<unsigned char> rgba(4 * count);
  if (WebPDecodeRGBAInto(raw_bytes(bytes), bytes.size(), rgba.data(), rgba.size(),
                         4 * features.width) == nullptr)
    fail<IoError>(where, "is a damaged WebP file; save or copy it again");
  std::vector<unsigned char> pixels(count * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < count; ++i) {
    unsigned char rgb[3];
    const int alpha = rgba[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c)
      rgb[c] =
          static_cast<unsigned char>((rgba[4 * i + c] * alpha + 255 * (255 - alpha) + 127) / 255);
    if (channels == 1) {
      pixels[i] = luma(rgb);
    } else {
      std::copy_n(rgb, 3, pixels.begin() + static_cast<std::ptrdiff_t>(3 * i));
    }
  }
  return planes_of(pixels, features.height, features.width, channels, 1);
}

void check_channels(std::int64_t channels) {
  if (channels != 1 && channels != 3)
    fail<ConfigError>("load_picture", "channels is 1 (gray) or 3 (RGB), got {}", channels);
}

}  // namespace

bool is_picture_name(std::string_view file) {
  std::string lower(file);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string_view name = lower;
  return name.ends_with(".png") || name.ends_with(".jpg") || name.ends_with(".jpeg") ||
         name.ends_with(".webp");
}

Tensor decode_picture(std::string_view bytes, const std::string& where, std::int64_t channels) {
  check_channels(channels);
  if (is_jpeg(bytes)) return decode_jpeg(bytes, where, channels);
  if (is_webp(bytes)) return decode_webp(bytes, where, channels);
  return decode_png(bytes, where, channels, kRead);
}

PictureInfo picture_info(std::string_view bytes, const std::string& where) {
  if (is_jpeg(bytes)) {
    const Jpeg jpeg(bytes, where);
    const bool turned = jpeg.orientation >= 5;
    return {.height = turned ? jpeg.width : jpeg.height,
            .width = turned ? jpeg.height : jpeg.width,
            .color = jpeg.colors != TJCS_GRAY};
  }
  if (is_webp(bytes)) {
    const WebPBitstreamFeatures features = webp_features(bytes, where);
    return {.height = features.height, .width = features.width, .color = true};
  }
  return png_info(bytes, where, kRead);
}

Tensor load_picture(const std::string& path, std::int64_t channels) {
  return decode_picture(read_file(path, kMaxBytes), path, channels);
}

PictureInfo picture_info(const std::string& path) {
  return picture_info(read_file(path, kMaxBytes), path);
}

Tensor resize_and_crop(const Tensor& picture, std::int64_t side) {
  if (picture.rank() != 3)
    fail<ShapeError>("resize", "expects (C, H, W), got {}", picture.shape().str());
  const std::int64_t height = picture.size(1), width = picture.size(2),
                     shorter = std::min(height, width);
  if (shorter < 1) fail<ShapeError>("resize", "a picture without pixels cannot be scaled");
  // The longer side is cut down, as Pillow's users do it: int(side * longer / shorter).
  const std::int64_t to_height = height * side / shorter, to_width = width * side / shorter;
  const Tensor scaled = to_height == height && to_width == width
                            ? picture
                            : resize_images(picture, to_height, to_width);
  // Halves go to the even pixel, as Python's round() has them.
  const auto middle = [&](std::int64_t size) {
    const std::int64_t half = (size - side) / 2;
    return (size - side) % 2 != 0 && half % 2 != 0 ? half + 1 : half;
  };
  const std::int64_t top = middle(to_height), left = middle(to_width);
  return raw::contiguous(raw::slice(raw::slice(scaled, 1, top, top + side), 2, left, left + side));
}

}  // namespace weft::data
