#include "core/io/safetensors.h"

#include <doctest/doctest.h>

#include <cstring>

#include "core/error.h"
#include "tests/train/tiny_runs.h"

using namespace weft;
using test::TempFolder;

namespace fs = std::filesystem;

namespace {

/// A file with this header and so many bytes of data.
std::string raw_file(const std::string& header, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\1');
}

std::string message_of(const fs::path& path) {
  try {
    read_safetensors(path);
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("every dtype, views, empty and 0-d tensors come back as they were") {
  const TempFolder folder;
  TensorFile file;
  file.metadata = {{"a", "1"}, {"text", "\"quoted\" 水\n"}};
  file.tensors.emplace_back("f32", Tensor::from<float>({1.5f, -2, 3, 4, 5, 6}, {2, 3}));
  file.tensors.emplace_back("f64", Tensor::from<double>({1e300, -0.0}, {2}));
  file.tensors.emplace_back("i32", Tensor::from<std::int32_t>({-1, 2}, {2}));
  file.tensors.emplace_back("i64", Tensor::from<std::int64_t>({std::int64_t{1} << 60}, {1}));
  file.tensors.emplace_back("u8", Tensor::from<std::uint8_t>({0, 255, 7}, {3}));
  file.tensors.emplace_back("transposed", raw::transpose(file.tensors[0].second, 0, 1));
  file.tensors.emplace_back("empty", Tensor::zeros({0, 3}));
  file.tensors.emplace_back("scalar", Tensor::scalar(2.5));
  write_safetensors(folder / "x.safetensors", file);
  const TensorFile back = read_safetensors(folder / "x.safetensors");
  CHECK(back.metadata == file.metadata);
  CHECK(read_safetensors_header(folder / "x.safetensors").metadata == file.metadata);
  REQUIRE(back.tensors.size() == file.tensors.size());
  for (std::size_t i = 0; i < back.tensors.size(); ++i) {
    CHECK(back.tensors[i].first == file.tensors[i].first);
    CHECK(back.tensors[i].second.dtype() == file.tensors[i].second.dtype());
    CHECK(back.tensors[i].second.shape() == file.tensors[i].second.shape());
    CHECK(back.tensors[i].second.to_vector<double>() == file.tensors[i].second.to_vector<double>());
  }
  CHECK(back.find("transposed").at({2, 1}) == 6);
  CHECK_FALSE(back.find("no such").defined());
}

TEST_CASE("the file is laid out as the format says") {
  const TempFolder folder;
  TensorFile file;
  file.tensors.emplace_back("w", Tensor::from<float>({1, 2}, {2}));
  write_safetensors(folder / "x", file);
  const std::string bytes = read_file((folder / "x").string());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  CHECK(header["w"]["dtype"] == "F32");
  CHECK(header["w"]["shape"] == nlohmann::json({2}));
  CHECK(header["w"]["data_offsets"] == nlohmann::json({0, 8}));
  CHECK(bytes.size() == 8 + length + 8);
}

TEST_CASE("hostile and truncated files are refused, each by its own rule") {
  const TempFolder folder;
  struct Bad {
    std::string bytes;
    std::string says;
  };
  const auto one = [](const std::string& entry) { return "{\"w\":" + entry + "}"; };
  const std::string good = one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})");
  const std::vector<Bad> all = {
      {"", "0 bytes"},
      {"abc", "3 bytes"},
      {std::string(8, '\xff') + "{}", "header's length"},
      {raw_file(good, 8).substr(0, 20), "header's length"},
      {raw_file(good, 7), "truncated"},
      {raw_file(good, 9), "truncated"},
      {raw_file("[1,2]", 0), "not a JSON object"},
      {raw_file("{\"w\":", 0), "not a JSON object"},
      {raw_file(std::string(2000, '['), 0), "nested too deeply"},
      {raw_file(one("3"), 0), "expects dtype, shape and data_offsets"},
      {raw_file(one(R"({"dtype":"F32","shape":[2]})"), 8), "expects dtype, shape and data_offsets"},
      {raw_file(one(R"({"dtype":"F16","shape":[2],"data_offsets":[0,4]})"), 4), "dtype \"F16\""},
      {raw_file(one(R"({"dtype":4,"shape":[2],"data_offsets":[0,4]})"), 4), "dtype 4"},
      {raw_file(one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), 8),
       "does not fill 8 bytes"},
      {raw_file(one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), 8), "whole numbers"},
      {raw_file(one(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,8]})"), 8), "whole numbers"},
      {raw_file(one(R"({"dtype":"F32","shape":"ab","data_offsets":[0,8]})"), 8), "shape must list"},
      {raw_file(one(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]})"), 8),
       "shape must list"},
      {raw_file(one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]})"), 8),
       "too large"},
      {raw_file(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"), 8), "two numbers"},
      {raw_file(one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), 8), "lie outside"},
      {raw_file(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999]})"), 8),
       "lie outside"},
      {raw_file(
           R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
           6),
       "neither overlap"},
      {raw_file(
           R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})",
           6),
       "leave holes"},
      {raw_file(
           R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
           2),
       "occurs twice"},
      {raw_file(R"({"__metadata__":{"a":1}})", 0), "object of texts"},
      {raw_file(R"({"__metadata__":7})", 0), "object of texts"},
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    write_file((folder / "bad").string(), all[i].bytes);
    const std::string message = message_of(folder / "bad");
    CAPTURE(message);
    CHECK(message.find("[" + (folder / "bad").string() + "] ") == 0);
    CHECK(message.find(all[i].says) != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
  CHECK(message_of(folder / "missing").find("open") != std::string::npos);
  CHECK(message_of(fs::temp_directory_path()).find("not a regular file") != std::string::npos);
}

TEST_CASE("two tensors of one name are not written, and what was there stays") {
  const TempFolder folder;
  write_file((folder / "x").string(), "before");
  TensorFile file;
  file.tensors.emplace_back("w", Tensor::ones({2}));
  file.tensors.emplace_back("w", Tensor::ones({2}));
  CHECK_THROWS_AS(write_safetensors(folder / "x", file), IoError);
  CHECK(read_file((folder / "x").string()) == "before");
}
