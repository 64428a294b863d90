#include "data/image/png.h"

#include <png.h>

#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/file.h"

// libpng's simplified interface: errors come back as a code and a text, its longjmp stays inside the library.

namespace weft::data {
namespace {

constexpr std::int64_t kMaxPngBytes = 160 << 20;

/// Frees what libpng keeps, however the function is left.
struct PngImage {
  png_image image{};
  PngImage() {
    std::memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
  }
  ~PngImage() { png_image_free(&image); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
};

std::uint8_t over_white(int value, int alpha) { return static_cast<std::uint8_t>((value * alpha + 255 * (255 - alpha) + 127) / 255); }

}  // namespace

Tensor load_png(const std::string& path, std::int64_t channels) {
  if (channels != 1 && channels != 3) fail<ConfigError>("load_png", "channels is 1 (grey) or 3 (RGB), got {}", channels);
  const auto bytes = read_file(path, kMaxPngBytes);
  if (bytes.empty()) fail<IoError>(path, "empty");
  PngImage png;
  auto& image = png.image;
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) fail<IoError>(path, "not a readable PNG: {}", image.message);
  const auto width = static_cast<std::int64_t>(image.width);
  const auto height = static_cast<std::int64_t>(image.height);
  if (width > kMaxPngSide || height > kMaxPngSide) {
    fail<IoError>(path, "{} x {} pixels, at most {} x {} are read: make it smaller first", width, height, kMaxPngSide, kMaxPngSide);
  }
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16-bit samples without a gamma mean what 8-bit ones would
  image.format = PNG_FORMAT_RGBA;
  const Tensor rgba = Tensor::empty({height, width, 4}, DType::u8);
  if (png_image_finish_read(&image, nullptr, rgba.data<std::uint8_t>(), 0, nullptr) == 0) fail<IoError>(path, "damaged PNG: {}", image.message);

  const Tensor out = Tensor::empty({channels, height, width}, DType::u8);
  const auto* from = rgba.data<std::uint8_t>();
  auto* to = out.data<std::uint8_t>();
  const auto pixels = height * width;
  for (std::int64_t i = 0; i < pixels; ++i, from += 4) {
    const std::uint8_t rgb[3] = {over_white(from[0], from[3]), over_white(from[1], from[3]), over_white(from[2], from[3])};
    if (channels == 3) {
      for (int c = 0; c < 3; ++c) to[c * pixels + i] = rgb[c];
    } else {
      to[i] = static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);  // ITU-R BT.601 luma
    }
  }
  return out;
}

void save_png(const std::string& path, const Tensor& picture) {
  if (picture.dtype() != DType::u8) fail<DTypeError>("save_png", "wants u8, got {}", name(picture.dtype()));
  const auto& shape = picture.shape();
  const auto channels = shape.rank() == 2 ? 1 : shape.rank() == 3 ? shape[0] : 0;
  if ((channels != 1 && channels != 3 && channels != 4) || picture.numel() == 0) {
    fail<ShapeError>("save_png", "wants (H, W) or (C, H, W) with C 1, 3 or 4, got {}", shape.str());
  }
  const auto height = picture.size(-2);
  const auto width = picture.size(-1);
  if (height > 65536 || width > 65536) fail<ShapeError>("save_png", "at most 65536 pixels a side, got {}", shape.str());
  const auto interleaved = raw::contiguous(raw::permute(raw::reshape(picture, {channels, height, width}), {1, 2, 0}));
  PngImage png;
  auto& image = png.image;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, interleaved.data<std::uint8_t>(), 0, nullptr) == 0) {
    fail<IoError>(path, "cannot be packed as PNG: {}", image.message);
  }
  bytes.resize(size);
  write_file(path, bytes);
}

}  // namespace weft::data
