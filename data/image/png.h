// PNG files as u8 tensors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace weft::data {

struct PictureInfo;  // data/image/picture.h

/// Widest and highest picture read; 4096 x 4096 RGBA is 64 MiB.
inline constexpr std::int64_t kMaxPngSide = 4096;

/// Reads any PNG (gray, RGB, palette, 1 to 16 bits, with or without alpha) as (channels, H, W) u8.
/// channels is 1 (luma 0.299 R + 0.587 G + 0.114 B) or 3. Transparent parts show the white paper
/// beneath. The samples are read as they are: gamma, color profiles and the like (gAMA, sRGB, iCCP,
/// cHRM) change nothing, as with Pillow. Throws IoError for a file that is missing, no PNG,
/// damaged, or larger than kMaxPngSide; ConfigError for other channels.
Tensor load_png(const std::string& path, std::int64_t channels);

/// The same of a file's bytes; `where` names it in errors, and `read` says there what would be read
/// ("only PNG is").
Tensor decode_png(std::string_view bytes, const std::string& where, std::int64_t channels,
                  std::string_view read);
/// Its size and whether it has colors, from its header alone.
PictureInfo png_info(std::string_view bytes, const std::string& where, std::string_view read);

/// Writes u8 (H, W) or (C, H, W) with C 1 (gray), 3 (RGB) or 4 (RGBA). Whole or not at all. Throws
/// IoError, ShapeError, DTypeError.
void save_png(const std::string& path, const Tensor& image);

}  // namespace weft::data
