// The samples of a PNG file are read as they are, whatever remarks on showing them stand beside
// them; and files that are no PNG at all are called what they are.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "data/image/png.h"
#include "tests/data/png_bytes.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::big_endian;
using weft_test::contains;
using weft_test::message_of;
using weft_test::png_bytes;
using weft_test::Scratch;

namespace {

struct Remark {
  std::string what;
  std::vector<std::pair<std::string, std::string>> chunks;
};

/// The primaries and white point of Adobe RGB, which is wider than sRGB.
std::string adobe_primaries() {
  std::string body;
  for (const std::uint32_t v : {31270U, 32900U, 64000U, 33000U, 21000U, 71000U, 15000U, 6000U})
    body += big_endian(v);
  return body;
}

std::vector<Remark> remarks() {
  using namespace std::string_literals;
  return {
      {"linear light", {{"gAMA", big_endian(100000)}}},
      {"the gamma of old Macs", {{"gAMA", big_endian(55556)}}},
      {"the gamma of sRGB", {{"gAMA", big_endian(45455)}}},
      {"sRGB", {{"sRGB", "\0"s}}},
      {"linear light in wide primaries",
       {{"gAMA", big_endian(100000)}, {"cHRM", adobe_primaries()}}},
      {"a profile that cannot be unpacked", {{"iCCP", "mine\0\0xx"s}}},
      {"BT.2100 PQ", {{"cICP", "\x09\x10\x00\x01"s}}},
      {"a physical size and a remark",
       {{"pHYs", big_endian(1) + big_endian(2) + "\x01"s}, {"tEXt", "a\0b"s}}},
  };
}

}  // namespace

TEST_CASE("what a PNG says of how to show it changes no sample") {
  using namespace std::string_literals;
  struct Kind {
    std::string what;
    int depth, type;
    std::string row, palette;
    std::int64_t channels;
    std::vector<int> samples;
  };
  const std::vector<Kind> kinds = {
      {"gray", 8, 0, "\x20\x80\xC0"s, "", 1, {0x20, 0x80, 0xC0}},
      {"gray of 16 bits", 16, 0, "\x20\x00\x80\x80\xC0\xFF"s, "", 1, {0x20, 0x80, 0xC0}},
      {"RGB",
       8,
       2,
       "\x20\x80\xC0\x10\x30\x50\xA0\xB0\xF0"s,
       "",
       3,
       {0x20, 0x10, 0xA0, 0x80, 0x30, 0xB0, 0xC0, 0x50, 0xF0}},
      {"a palette",
       8,
       3,
       "\x00\x01\x00"s,
       "\x20\x80\xC0\x10\x30\x50"s,
       3,
       {0x20, 0x10, 0x20, 0x80, 0x30, 0x80, 0xC0, 0x50, 0xC0}},
  };
  const Scratch scratch;
  for (const Kind& kind : kinds) {
    CAPTURE(kind.what);
    for (const Remark& remark : remarks()) {
      CAPTURE(remark.what);
      const auto path = scratch.write(
          "p.png", png_bytes(3, kind.depth, kind.type, kind.row, kind.palette, remark.chunks));
      CHECK(load_png(path, kind.channels).to_vector<int>() == kind.samples);
    }
  }
}

TEST_CASE("transparency is not a remark on showing: it stays") {
  using namespace std::string_literals;
  const Scratch scratch;
  // Pixels of gray 0x20 are transparent, and the paper beneath is white.
  const std::string file =
      png_bytes(2, 8, 0, "\x20\x80"s, "", {{"gAMA", big_endian(100000)}, {"tRNS", "\x00\x20"s}});
  CHECK(load_png(scratch.write("p.png", file), 1).to_vector<int>() == std::vector<int>{255, 0x80});
}

TEST_CASE("other files than PNG are called what they are") {
  using namespace std::string_literals;
  const Scratch scratch;
  const auto refused = [&](const std::string& file, const std::string& bytes) {
    const auto path = scratch.write(file, bytes);
    return message_of<IoError>([&] { load_png(path, 1); }).substr(path.size() + 3);
  };
  const std::string jpeg = "\xFF\xD8\xFF\xE0\x00\x10JFIF"s;
  CHECK(
      refused("x.jpg", jpeg) ==
      "is a JPEG file, and only PNG is read; convert it, for example with ImageMagick: convert \"" +
          scratch.path("x.jpg") + "\" \"" + scratch.path("x.png") + "\"");
  CHECK(contains(refused("x.png", jpeg), "is a JPEG file in spite of its name"));
  CHECK(contains(refused("x.png", jpeg), "x.converted.png\""));  // not onto itself
  const std::vector<std::pair<std::string, std::string>> all = {{"GIF", "GIF89a"},
                                                                {"WebP", "RIFF\x10\0\0\0WEBPVP8 "s},
                                                                {"TIFF", "II*\0\x08"s},
                                                                {"TIFF", "MM\0*\0"s},
                                                                {"AVIF",
                                                                 "\0\0\0\x20"
                                                                 "ftypavif"s},
                                                                {"HEIC",
                                                                 "\0\0\0\x20"
                                                                 "ftypheic"s},
                                                                {"JPEG XL", "\xFF\x0A\x10"s},
                                                                {"BMP", "BM\x10\0"s},
                                                                {"PDF", "%PDF-1.7"},
                                                                {"SVG", "<svg xmlns="},
                                                                {"PGM", "P5 2 2 255 abcd"},
                                                                {"ICO", "\0\0\x01\0\x01"s}};
  for (const auto& [name, bytes] : all)
    CHECK(contains(refused("x.bin", bytes), "is a " + name + " file, and only PNG is read"));
  CHECK(contains(refused("x.gz", "\x1F\x8B\x08"s), "is a compressed file"));
  CHECK(contains(
      refused("x.txt", "hello"),
      "is not a PNG file: it begins with the bytes 68 65 6c 6c 6f, a PNG with 89 50 4e 47"));
  CHECK(contains(refused("x.png", "\x89PN"s),
                 "is not a PNG file: it begins with the bytes 89 50 4e"));
  CHECK(contains(refused("x.png", ""), "is empty"));
  CHECK(
      contains(refused("x.png", png_bytes(2, 8, 0, "ab").substr(0, 40)), "is not a readable PNG"));
}
