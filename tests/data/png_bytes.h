// PNG files as other programs may write them.
#pragma once

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weft_test {

inline std::string big_endian(std::uint32_t v) {
  std::string out;
  for (const int shift : {24, 16, 8, 0})
    out.push_back(static_cast<char>(static_cast<unsigned char>(v >> shift)));
  return out;
}

/// `width` x 1 pixels, `row` as they are packed; `chunks` (name and body) come before the palette
/// and the pixels.
inline std::string png_bytes(std::uint32_t width, int depth, int type, const std::string& row,
                             const std::string& palette = {},
                             const std::vector<std::pair<std::string, std::string>>& chunks = {}) {
  std::string bytes = "\x89PNG\r\n\x1A\n";
  const auto chunk = [&](const std::string& kind, const std::string& body) {
    const auto covered = kind + body;
    const auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(covered.data()), static_cast<uInt>(covered.size()));
    bytes += big_endian(static_cast<std::uint32_t>(body.size())) + covered +
             big_endian(static_cast<std::uint32_t>(crc));
  };
  chunk("IHDR", big_endian(width) + big_endian(1) +
                    std::string{static_cast<char>(depth), static_cast<char>(type), 0, 0, 0});
  for (const auto& [kind, body] : chunks) chunk(kind, body);
  if (!palette.empty()) chunk("PLTE", palette);
  const auto raw = std::string(1, '\0') + row;
  std::string packed(100, '\0');
  auto size = static_cast<uLongf>(packed.size());
  REQUIRE(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                   reinterpret_cast<const Bytef*>(raw.data()),
                   static_cast<uLong>(raw.size())) == Z_OK);
  packed.resize(size);
  chunk("IDAT", packed);
  chunk("IEND", "");
  return bytes;
}

}  // namespace weft_test
