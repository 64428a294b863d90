#include <doctest/doctest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "data/image/idx.h"
#include "data/image/png.h"
#include "tests/data/png_bytes.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::png_bytes;
using weft_test::Scratch;

namespace {

std::string header(std::vector<std::uint32_t> sizes, int type = 8) {
  std::string bytes = {0, 0, static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const auto size : sizes) {
    for (const int shift : {24, 16, 8, 0})
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(size >> shift)));
  }
  return bytes;
}

std::string gz(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string idx_error(const Scratch& scratch, const std::string& bytes, int rank = -1) {
  const auto path = scratch.write("bad", bytes);
  return message_of<IoError>([&] { read_idx(path, rank); });
}

Tensor gradient(const Shape& shape) {
  const Tensor t = Tensor::empty(shape, DType::u8);
  for (std::int64_t i = 0; i < t.numel(); ++i)
    t.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 37 + i / 11);
  return t;
}

}  // namespace

TEST_CASE("IDX there and back, packed or not") {
  const Scratch scratch;
  for (const auto& shape :
       {Shape{3, 4, 5}, Shape{7}, Shape{2, 3, 4, 5}, Shape{0}, Shape{0, 28, 28}}) {
    const auto tensor = gradient(shape);
    const auto path = scratch.path("t-idx");
    write_idx(path, tensor);
    const auto again = read_idx(path, shape.rank());
    CHECK(again.shape() == shape);
    CHECK(again.to_vector<int>() == tensor.to_vector<int>());
    std::string bytes = header({});
    bytes = header(std::vector<std::uint32_t>(shape.begin(), shape.end()));
    for (const auto v : tensor.to_vector<int>()) bytes.push_back(static_cast<char>(v));
    CHECK(read_idx(scratch.write("t-idx.gz", gz(bytes))).to_vector<int>() ==
          tensor.to_vector<int>());
  }
}

TEST_CASE("IDX files that lie, break off or are something else") {
  const Scratch scratch;
  const std::string pixels(60, 'x');
  CHECK(contains(message_of<IoError>([&] { read_idx(scratch.path("none")); }), "no such file"));
  CHECK(contains(message_of<IoError>([&] { read_idx(scratch.folder()); }), "is a directory"));
  CHECK(contains(idx_error(scratch, ""), "empty"));
  CHECK(contains(idx_error(scratch, std::string(3, '\0')), "truncated"));
  CHECK(contains(idx_error(scratch, header({3, 4, 5}).substr(0, 9)),
                 "truncated inside the IDX header"));
  CHECK(contains(idx_error(scratch, "P5 28 28 255 " + pixels),
                 "is not an IDX file: it begins with the bytes 50352032"));
  CHECK(
      contains(idx_error(scratch, header({3, 4, 5}, 0x0D) + pixels), "IDX elements of type 0x0d"));
  CHECK(contains(idx_error(scratch, header({60}) + pixels, 3),
                 "is an IDX file of 1 dimensions, expected 3"));
  CHECK(contains(idx_error(scratch, header({1, 1, 1, 1, 60}) + pixels),
                 "5 dimensions, expected 1 to 4"));
  CHECK(contains(idx_error(scratch, header({}) + pixels), "0 dimensions"));
  // Claims beyond the file are refused before anything is allocated for them.
  CHECK(contains(idx_error(scratch, header({3, 4, 6}) + pixels),
                 "its header declares (3, 4, 6), more than the file's 76 bytes can hold"));
  CHECK(contains(
      idx_error(scratch, header({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}) + pixels),
      "declares (4294967295, 4294967295"));
  CHECK(contains(idx_error(scratch, header({0xFFFFFFFF, 0, 0xFFFFFFFF}) + pixels),
                 "declares (4294967295, 0, 4294967295)"));
  CHECK(contains(idx_error(scratch, header({3, 0, 4}) + pixels),
                 "continues beyond the (3, 0, 4) = 0 bytes"));
  CHECK(contains(idx_error(scratch, header({3, 4, 4}) + pixels),
                 "continues beyond the (3, 4, 4) = 48 bytes"));
}

TEST_CASE("gzip that is truncated, damaged or a bomb") {
  const Scratch scratch;
  std::string noise;
  for (unsigned i = 0, x = 1; i < 5000; ++i)
    noise.push_back(static_cast<char>((x = x * 1664525U + 1013904223U) >> 24));
  const auto good = gz(header({50, 10, 10}) + noise);
  CHECK_NOTHROW(read_idx(scratch.write("good.gz", good)));
  for (const std::size_t cut : {12, 100, 2500}) {
    CHECK(contains(idx_error(scratch, good.substr(0, cut)), "truncated"));
  }
  CHECK(contains(idx_error(scratch, good.substr(0, good.size() - 3)),
                 "truncated gzip"));  // only the checksum is cut
  auto flipped = good;
  flipped[good.size() - 6] = static_cast<char>(flipped[good.size() - 6] ^ 1);
  CHECK(contains(idx_error(scratch, flipped), "damaged"));
  CHECK(contains(idx_error(scratch, gz(header({50, 10, 11}) + noise)),
                 "truncated: its header declares (50, 10, 11) = 5500 bytes, there are 5000"));
  CHECK(contains(idx_error(scratch, gz(header({50, 10, 9}) + noise)), "continues beyond"));
  // 32 MiB of zeros in 32 KiB: only what the header claims is unpacked, and one byte.
  CHECK(contains(idx_error(scratch, gz(header({2, 2}) + std::string(32 << 20, '\0'))),
                 "continues beyond the (2, 2) = 4 bytes"));
  // A claim that no gzip file of this size could hold.
  CHECK(
      contains(idx_error(scratch, gz(header({60000, 28, 28}) + "x")), "more than a gzip file of"));
}

TEST_CASE("PNG there and back") {
  const Scratch scratch;
  const auto path = scratch.path("p.png");
  const auto gray = gradient({1, 5, 7});
  save_png(path, gray);
  CHECK(load_png(path, 1).shape() == Shape{1, 5, 7});
  CHECK(load_png(path, 1).to_vector<int>() == gray.to_vector<int>());
  const auto as_rgb = load_png(path, 3);
  CHECK(raw::slice(as_rgb, 0, 2, 3).to_vector<int>() == gray.to_vector<int>());
  save_png(path, raw::reshape(gray, {5, 7}));
  CHECK(load_png(path, 1).to_vector<int>() == gray.to_vector<int>());

  const auto rgb = gradient({3, 6, 4});
  save_png(path, rgb);
  CHECK(load_png(path, 3).to_vector<int>() == rgb.to_vector<int>());
  const double luma =
      0.299 * rgb.at({0, 2, 1}) + 0.587 * rgb.at({1, 2, 1}) + 0.114 * rgb.at({2, 2, 1});
  CHECK(load_png(path, 1).at({0, 2, 1}) == doctest::Approx(luma).epsilon(0.01));

  // Alpha: opaque, transparent, half.
  const auto rgba =
      Tensor::from<std::uint8_t>({10, 10, 0, 20, 20, 0, 30, 30, 0, 255, 0, 128}, {4, 1, 3});
  save_png(path, rgba);
  CHECK(load_png(path, 3).to_vector<int>() ==
        std::vector<int>{10, 255, 127, 20, 255, 127, 30, 255, 127});
}

TEST_CASE("PNG of other kinds: written by another program") {
  const Scratch scratch;
  // 2 x 1 pixels each. 16-bit gray (0x1234, 0xFFFF), palette of 1 bit (red, green), 2-bit gray (1,
  // 3), gray + alpha.
  const auto png = [&](int depth, int type, const std::string& row,
                       const std::string& palette = {}) {
    return scratch.write("kind.png", png_bytes(2, depth, type, row, palette));
  };
  CHECK(load_png(png(16, 0, std::string("\x12\x34\xFF\xFF", 4)), 1).to_vector<int>() ==
        std::vector<int>{0x12, 255});
  CHECK(load_png(png(1, 3, std::string("\x40", 1), std::string("\xFF\0\0\0\xFF\0", 6)), 3)
            .to_vector<int>() == std::vector<int>{255, 0, 0, 255, 0, 0});
  CHECK(load_png(png(2, 0, std::string("\x70", 1)), 1).to_vector<int>() ==
        std::vector<int>{85, 255});
  CHECK(load_png(png(8, 4, std::string("\x20\xFF\x20\x00", 4)), 1).to_vector<int>() ==
        std::vector<int>{0x20, 255});
}

TEST_CASE("PNG files that are broken, huge or none") {
  const Scratch scratch;
  const auto error = [&](const std::string& bytes) {
    const auto path = scratch.write("bad.png", bytes);
    return message_of<IoError>([&] { load_png(path, 1); });
  };
  CHECK(contains(message_of<IoError>([&] { load_png(scratch.path("none.png"), 1); }), "none.png]"));
  CHECK(contains(error(""), "empty"));
  CHECK(contains(error("GIF89a and so on"), "is a GIF file"));
  const auto path = scratch.path("good.png");
  save_png(path, gradient({3, 40, 40}));
  std::ifstream in(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (std::size_t size = 0; size + 12 < good.size(); size += 7) {
    const auto cut = scratch.write("cut.png", good.substr(0, size));
    CHECK_THROWS_AS(load_png(cut, 3), IoError);
  }
  for (std::size_t at = 0; at < good.size(); at += 3) {  // anything may come out, but in order
    auto flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x55);
    const auto file = scratch.write("flipped.png", flipped);
    try {
      load_png(file, 3);
    } catch (const Error&) {
    }
  }
  auto huge = good;
  huge[18] = 0x7F;  // width 32552: the header's checksum no longer holds either
  CHECK_THROWS_AS(load_png(scratch.write("huge.png", huge), 1), IoError);
  CHECK_THROWS_AS(load_png(path, 2), ConfigError);
  CHECK_THROWS_AS(save_png(path, Tensor::zeros({2, 3, 3}, DType::u8)), ShapeError);
  CHECK_THROWS_AS(save_png(path, Tensor::zeros({3, 3})), DTypeError);
  CHECK_THROWS_AS(save_png(scratch.path("no/such/dir.png"), gradient({2, 2})), IoError);
}

TEST_CASE("a picture wider than the limit is refused before it is unpacked") {
  const Scratch scratch;
  const auto path = scratch.path("wide.png");
  save_png(path, Tensor::zeros({1, kMaxPngSide + 1}, DType::u8));
  CHECK(contains(message_of<IoError>([&] { load_png(path, 1); }),
                 "4097 x 1 pixels, at most 4096 x 4096 are read"));
}
