#include "data/image/png.h"

#include <fmt/format.h>
#include <png.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/io/file.h"
#include "data/image/picture.h"

// libpng's simplified interface: errors come back as a code and a text, its longjmp stays inside
// the library.

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

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\x89PNG\r\n\x1A\n"sv;

/// How files that may be taken for pictures begin.
struct Magic {
  std::string_view bytes;
  std::size_t at;
  std::string_view name;
};

constexpr std::array kMagics = {
    Magic{"\xFF\xD8\xFF"sv, 0, "JPEG"},
    Magic{"GIF8"sv, 0, "GIF"},
    Magic{"WEBP"sv, 8, "WebP"},
    Magic{"II*\0"sv, 0, "TIFF"},
    Magic{"MM\0*"sv, 0, "TIFF"},
    Magic{"ftypavif"sv, 4, "AVIF"},
    Magic{"ftypheic"sv, 4, "HEIC"},
    Magic{"ftypmif1"sv, 4, "HEIC"},
    Magic{"\xFF\x0A"sv, 0, "JPEG XL"},
    Magic{"\0\0\0\x0CJXL "sv, 0, "JPEG XL"},
    Magic{"\0\0\0\x0CjP  "sv, 0, "JPEG 2000"},
    Magic{"\0\0\1\0"sv, 0, "ICO"},
    Magic{"%PDF"sv, 0, "PDF"},
    Magic{"<svg"sv, 0, "SVG"},
    Magic{"8BPS"sv, 0, "Photoshop"},
    Magic{"P5"sv, 0, "PGM"},
    Magic{"P6"sv, 0, "PPM"},
    Magic{"BM"sv, 0, "BMP"},
};

/// What a file is if not a PNG. Throws IoError that says so, and how to make it one; `read` says
/// what would be read.
[[noreturn]] void refuse_other(const std::string& path, std::string_view bytes,
                               std::string_view read) {
  for (const Magic& magic : kMagics) {
    if (bytes.size() < magic.at || !bytes.substr(magic.at).starts_with(magic.bytes)) continue;
    const auto target = std::filesystem::path(path).replace_extension(
        path.ends_with(".png") ? ".converted.png" : ".png");
    fail<IoError>(path,
                  "is a {} file{}, and {} read; convert it, for example with "
                  "ImageMagick: "
                  "convert \"{}\" \"{}\"",
                  magic.name, path.ends_with(".png") ? " in spite of its name" : "", read, path,
                  target.string());
  }
  if (bytes.starts_with("\x1F\x8B"sv) || bytes.starts_with("PK\x03\x04"sv))
    fail<IoError>(path, "is a compressed file, not a PNG; decompress it first");
  std::string shown;
  for (const char c : bytes.substr(0, kSignature.size()))
    shown += fmt::format(" {:02x}", static_cast<unsigned char>(c));
  fail<IoError>(path,
                "is not a PNG file: it begins with the bytes{}, a PNG with 89 50 4e 47; convert "
                "the picture to PNG",
                shown);
}

std::size_t big_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

/// The chunks that say what the samples are. What remarks on how to show them (gAMA, sRGB, iCCP,
/// cHRM, cICP, ...) is left out, because libpng would change the samples by it: those in the file
/// are what a model learns from, as with Pillow.
std::string samples_alone(std::string_view bytes) {
  constexpr std::size_t kChunkFrame = 12;  // length, type and checksum
  std::string kept(bytes.substr(0, kSignature.size()));
  bytes.remove_prefix(kSignature.size());
  while (bytes.size() >= kChunkFrame) {
    const std::size_t size = big_endian(bytes);
    if (size > bytes.size() - kChunkFrame) break;
    const std::string_view type = bytes.substr(4, 4);
    const bool critical = (type[0] & 0x20) == 0;
    if (critical || type == "tRNS") kept += bytes.substr(0, size + kChunkFrame);
    bytes.remove_prefix(size + kChunkFrame);
  }
  kept += bytes;  // torn: libpng says how
  return kept;
}

std::uint8_t over_white(int value, int alpha) {
  return static_cast<std::uint8_t>((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

}  // namespace

namespace {

/// A file that libpng has begun to read, of a size that is read here.
void begin(PngImage& png, std::string_view bytes, const std::string& path) {
  auto& image = png.image;
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0)
    fail<IoError>(
        path, "is not a readable PNG: {}; it may be damaged, or only half of it have been copied",
        image.message);
  if (image.width > kMaxPngSide || image.height > kMaxPngSide) {
    fail<IoError>(path, "{} x {} pixels, at most {} x {} are read: make it smaller first",
                  image.width, image.height, kMaxPngSide, kMaxPngSide);
  }
}

void check_png(std::string_view file, const std::string& path, std::string_view read) {
  if (file.empty()) fail<IoError>(path, "is empty: expected a PNG file");
  if (!file.starts_with(kSignature)) refuse_other(path, file, read);
}

}  // namespace

Tensor load_png(const std::string& path, std::int64_t channels) {
  return decode_png(read_file(path, kMaxPngBytes), path, channels, "only PNG is");
}

PictureInfo png_info(std::string_view file, const std::string& path, std::string_view read) {
  check_png(file, path, read);
  const auto bytes = samples_alone(file);
  PngImage png;
  begin(png, bytes, path);
  return {.height = static_cast<std::int64_t>(png.image.height),
          .width = static_cast<std::int64_t>(png.image.width),
          .color = (png.image.format & PNG_FORMAT_FLAG_COLOR) != 0};
}

Tensor decode_png(std::string_view file, const std::string& path, std::int64_t channels,
                  std::string_view read) {
  if (channels != 1 && channels != 3)
    fail<ConfigError>("load_png", "channels is 1 (gray) or 3 (RGB), got {}", channels);
  check_png(file, path, read);
  const auto bytes = samples_alone(file);
  PngImage png;
  begin(png, bytes, path);
  auto& image = png.image;
  const auto width = static_cast<std::int64_t>(image.width);
  const auto height = static_cast<std::int64_t>(image.height);
  image.flags |=
      PNG_IMAGE_FLAG_16BIT_sRGB;  // 16-bit samples without a gamma mean what 8-bit ones would
  image.format = PNG_FORMAT_RGBA;
  const Tensor rgba = Tensor::empty({height, width, 4}, DType::u8);
  if (png_image_finish_read(&image, nullptr, rgba.data<std::uint8_t>(), 0, nullptr) == 0)
    fail<IoError>(path, "is a damaged PNG: {}; save or copy it again", image.message);

  const Tensor out = Tensor::empty({channels, height, width}, DType::u8);
  const auto* from = rgba.data<std::uint8_t>();
  auto* to = out.data<std::uint8_t>();
  const auto pixels = height * width;
  for (std::int64_t i = 0; i < pixels; ++i, from += 4) {
    const std::uint8_t rgb[3] = {over_white(from[0], from[3]), over_white(from[1], from[3]),
                                 over_white(from[2], from[3])};
    if (channels == 3) {
      for (int c = 0; c < 3; ++c) to[c * pixels + i] = rgb[c];
    } else {
      to[i] = static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) /
                                        1000);  // ITU-R BT.601 luma
    }
  }
  return out;
}

void save_png(const std::string& path, const Tensor& picture) {
  if (picture.dtype() != DType::u8)
    fail<DTypeError>("save_png", "expects u8, got {}", name(picture.dtype()));
  const auto& shape = picture.shape();
  const auto channels = shape.rank() == 2 ? 1 : shape.rank() == 3 ? shape[0] : 0;
  if ((channels != 1 && channels != 3 && channels != 4) || picture.numel() == 0) {
    fail<ShapeError>("save_png", "expects (H, W) or (C, H, W) with C 1, 3 or 4, got {}",
                     shape.str());
  }
  const auto height = picture.size(-2);
  const auto width = picture.size(-1);
  if (height > 65536 || width > 65536)
    fail<ShapeError>("save_png", "at most 65536 pixels per side, got {}", shape.str());
  const auto interleaved =
      raw::contiguous(raw::permute(raw::reshape(picture, {channels, height, width}), {1, 2, 0}));
  PngImage png;
  auto& image = png.image;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, interleaved.data<std::uint8_t>(), 0,
                                nullptr) == 0) {
    fail<IoError>(path, "cannot be encoded as PNG: {}", image.message);
  }
  bytes.resize(size);
  write_file(path, bytes);
}

}  // namespace weft::data
