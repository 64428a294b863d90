// Picture files of any format that is read here, as u8 tensors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace weft::data {

/// What a file says of itself before it is decoded.
struct PictureInfo {
  std::int64_t height = 0, width = 0;  ///< as it is shown: after EXIF's turning
  bool color = false;                  ///< gray files are told from others by their header
};

/// Whether a name ends as pictures that are read do: .png, .jpg, .jpeg, .webp, in any case.
bool is_picture_name(std::string_view file);

/// Reads a PNG, JPEG or WebP file, whatever its name, as (channels, H, W) u8. channels is 1 (luma
/// 0.299 R + 0.587 G + 0.114 B) or 3. JPEG is turned as its EXIF orientation says, and decoded by
/// the accurate integer transform, so that the pixels are the same on every CPU; what libjpeg only
/// warns of is an error. Transparent parts show the white paper beneath. Throws IoError for a file
/// that is missing, none of these, damaged, or larger than kMaxPictureSide; ConfigError for other
/// channels.
Tensor load_picture(const std::string& path, std::int64_t channels);
PictureInfo picture_info(const std::string& path);
/// The same of a file's bytes; `where` names it in errors.
Tensor decode_picture(std::string_view bytes, const std::string& where, std::int64_t channels);
PictureInfo picture_info(std::string_view bytes, const std::string& where);

/// Widest and highest picture that is read.
inline constexpr std::int64_t kMaxPictureSide = 16384;
/// Most pixels of one.
inline constexpr std::int64_t kMaxPicturePixels = std::int64_t{1} << 26;

/// Scaled so that the shorter side is `side`, antialiased, then cut to side x side in the middle.
/// u8 (C, H, W) to (C, side, side). Throws ShapeError, DTypeError.
Tensor resize_and_crop(const Tensor& picture, std::int64_t side);

}  // namespace weft::data
