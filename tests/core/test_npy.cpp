#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/io/file.h"
#include "core/io/npy.h"
#include "core/random.h"
#include "tests/core/error_text.h"

using namespace weft;
using weft::test::error_text;
namespace fs = std::filesystem;

namespace {

/// A directory of its own that goes away with the test.
struct TemporaryDirectory {
  fs::path path = fs::temp_directory_path() / fmt::format("weft-core-{}", ::getpid());
  TemporaryDirectory() { fs::create_directories(path); }
  ~TemporaryDirectory() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string text(bytes, '\0');
  std::memcpy(text.data(), &value, std::min(bytes, sizeof value));
  return text;
}

std::string npy(const std::string& header, const std::string& data, char version = 1) {
  const std::string magic = std::string("\x93NUMPY") + version + '\0';
  return magic + number(header.size(), version == 1 ? 2 : 4) + header + data;
}

std::string dictionary(const std::string& descr, const std::string& shape,
                       const char* fortran = "False") {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}  \n", descr, fortran,
                     shape);
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string parse_error(const std::string& bytes) {
  return error_text<IoError>([&] { parse_npy(bytes, "x.npy"); });
}

struct Entry {
  std::string name;
  std::string data;
  std::uint64_t method = 0;
};

/// As Python's zipfile writes them, the local header with the zip64 extra field that numpy.savez
/// asks for.
std::string zip(const std::vector<Entry>& entries) {
  std::string out;
  std::string directory;
  for (const Entry& entry : entries) {
    const std::uint64_t offset = out.size();
    const std::string extra =
        number(1, 2) + number(16, 2) + number(entry.data.size(), 8) + number(entry.data.size(), 8);
    out += number(0x04034b50, 4) + number(45, 2) + number(0, 2) + number(entry.method, 2) +
           number(0, 8) + number(0xffffffff, 4) + number(0xffffffff, 4) +
           number(entry.name.size(), 2) + number(extra.size(), 2) + entry.name + extra + entry.data;
    directory += number(0x02014b50, 4) + number(45, 2) + number(45, 2) + number(0, 2) +
                 number(entry.method, 2) + number(0, 8) + number(entry.data.size(), 4) +
                 number(entry.data.size(), 4) + number(entry.name.size(), 2) + number(0, 12) +
                 number(offset, 4) + entry.name;
  }
  return out + directory + number(0x06054b50, 4) + number(0, 4) + number(entries.size(), 2) +
         number(entries.size(), 2) + number(directory.size(), 4) + number(out.size(), 4) +
         number(0, 2);
}

}  // namespace

TEST_CASE("every dtype and rank comes back as it was saved") {
  const TemporaryDirectory directory;
  const std::string path = directory / "x.npy";
  for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8})
    for (const Shape& shape :
         {Shape{}, Shape{5}, Shape{2, 3}, Shape{0, 4}, Shape{2, 1, 3, 1, 2, 1, 1, 2}}) {
      const Tensor t = raw::reshape(Tensor::arange(shape.numel(), dtype), shape);
      save_npy(path, t);
      const Tensor back = load_npy(path);
      CHECK(back.dtype() == dtype);
      CHECK(back.shape() == shape);
      CHECK(back.to_vector<double>() == t.to_vector<double>());
    }
  const Tensor t = raw::reshape(Tensor::arange(6, DType::f32), {2, 3});
  save_npy(path, raw::transpose(t, 0, 1));
  CHECK(load_npy(path).to_vector<float>() == std::vector<float>{0, 3, 1, 4, 2, 5});
  const std::string bytes = read_file(path);
  CHECK(bytes.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  CHECK(bytes.size() == 128 + 24);
  CHECK(bytes.substr(10, 57) == "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2),");
  CHECK(bytes[127] == '\n');
}

TEST_CASE("files as NumPy writes them are read, in both orders and all versions") {
  const std::vector<float> values{0, 1, 2, 3, 4, 5};
  const std::string data = bytes_of(values);
  for (const char version : {'\1', '\2', '\3'})
    CHECK(parse_npy(npy(dictionary("<f4", "(2, 3)"), data, version), "x").to_vector<float>() ==
          values);
  const Tensor fortran = parse_npy(npy(dictionary("<f4", "(2, 3)", "True"), data), "x");
  CHECK(fortran.shape() == Shape{2, 3});
  CHECK(fortran.to_vector<float>() == std::vector<float>{0, 2, 4, 1, 3, 5});
  CHECK(parse_npy(npy("{'fortran_order': False, 'shape': (6,), 'descr': '<f4'}", data), "x")
            .shape() == Shape{6});
  CHECK(parse_npy(npy(dictionary("<i8", "()"), bytes_of<std::int64_t>({-3})), "x").item() == -3);
  CHECK(parse_npy(npy(dictionary("|b1", "(2,)"), std::string("\x01\x00", 2)), "x")
            .to_vector<std::int32_t>() == std::vector<std::int32_t>{1, 0});
}

TEST_CASE("hostile headers are refused in words") {
  const std::string data(24, '\0');
  CHECK(parse_error("") == "[x.npy] is not a NumPy array file");
  CHECK(parse_error("\x93NUMPX and more") == "[x.npy] is not a NumPy array file");
  CHECK(parse_error(npy(dictionary("<f4", "(2, 3)"), data, 9)) ==
        "[x.npy] has version 9 of the NumPy format; 1 to 3 are read");
  CHECK(parse_error(npy(dictionary("<f4", "(2, 3)"), data).substr(0, 30)) ==
        "[x.npy] ends inside the array's header");
  CHECK(parse_error(npy(dictionary("<f4", "(2, 3)"), data, 2).substr(0, 11)) ==
        "[x.npy] ends inside the array's header");
  CHECK(parse_error(npy(dictionary("<f4", "(2, 4)"), data)) ==
        "[x.npy] shape (2, 4) of f32 does not match the 24 bytes of data that follow");
  CHECK(parse_error(npy(dictionary("<f4", "(2, 2)"), data)) ==
        "[x.npy] shape (2, 2) of f32 does not match the 24 bytes of data that follow");
  CHECK(parse_error(npy(dictionary("<f8", "(4611686018427387904, 4)"), data)) ==
        "[x.npy] shape (4611686018427387904, 4) of f64 does not match the 24 bytes of data that "
        "follow");
  CHECK(parse_error(npy(dictionary("<f8", "(4611686018427387904, 4, 0)"), ""))
            .starts_with("[x.npy] shape (4611686018427387904, 4, 0) of f64"));
  CHECK(parse_error(npy(dictionary(">f4", "(2, 3)"), data)) ==
        "[x.npy] holds elements of type >f4; read are <f4 <f8 <i4 <i8 |u1 |b1");
  CHECK(parse_error(npy(dictionary("|O", "(2, 3)"), data))
            .starts_with("[x.npy] holds elements of type |O"));
  CHECK(parse_error(npy(dictionary("<f4", "(1, 1, 1, 1, 1, 1, 1, 2, 3)"), data)) ==
        "[x.npy] the array has more than 8 dimensions");
  for (const std::string header :
       {"", "{", "{}", "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} and more",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", "{'other': '<f4'}",
        "{'descr"})
    CHECK(parse_error(npy(header, data)) ==
          "[x.npy] the array's header is not one that NumPy writes");
}

TEST_CASE("any change of a byte and any cut gives an array or an IoError") {
  const std::string good = npy(dictionary("<f4", "(2, 3)"), std::string(24, '\x01'));
  Generator generator(3, "fuzz");
  int arrays = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = good;
    for (std::uint64_t i = generator.next_below(3) + 1; i > 0; --i)
      bytes[generator.next_below(bytes.size())] = static_cast<char>(generator.next_below(256));
    if (round % 4 == 0) bytes.resize(generator.next_below(bytes.size()));
    try {
      parse_npy(bytes, "x.npy");
      ++arrays;
    } catch (const IoError&) {
    }
  }
  CHECK(arrays > 0);
}

TEST_CASE("an archive gives every array by name") {
  const TemporaryDirectory directory;
  const std::string path = directory / "x.npz";
  const std::string a = npy(dictionary("<f4", "(3,)"), bytes_of<float>({1, 2, 3}));
  const std::string b = npy(dictionary("<i8", "()"), bytes_of<std::int64_t>({7}));
  write_file(path, zip({{"wte.weight.npy", a}, {"step.npy", b}}));
  const auto arrays = load_npz(path);
  CHECK(arrays.size() == 2);
  CHECK(arrays.at("wte.weight").to_vector<float>() == std::vector<float>{1, 2, 3});
  CHECK(arrays.at("step").item() == 7);
  write_file(path, zip({}));
  CHECK(load_npz(path).empty());

  const auto text = [&](const std::string& bytes) {
    write_file(path, bytes);
    return error_text<IoError>([&] { load_npz(path); }).substr(path.size() + 1);
  };
  CHECK(text("nothing of the kind") == "] is not a zip file");
  CHECK(text(zip({{"a.npy", a, 8}})) ==
        "/a.npy] is compressed; write it with numpy.savez, not savez_compressed");
  CHECK(text(zip({{"a.npy", a}, {"a.npy", a}})) == "/a.npy] appears twice in the file");
  CHECK(text(zip({{"a.npy", "text"}})) == "/a.npy] is not a NumPy array file");

  const std::string good = zip({{"a.npy", a}, {"b.npy", b}});
  Generator generator(4, "fuzz");
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 2; ++i)
      bytes[generator.next_below(bytes.size())] = static_cast<char>(generator.next_below(256));
    if (round % 8 == 0) bytes.resize(generator.next_below(bytes.size()));
    write_file(path, bytes);
    try {
      load_npz(path);
    } catch (const IoError&) {
    }
  }
}

TEST_CASE("files are read whole, and what cannot be read is said") {
  const TemporaryDirectory directory;
  CHECK(error_text<IoError>([] { load_npy("/nowhere/x.npy"); }) ==
        "[/nowhere/x.npy] cannot be opened: No such file or directory");
  CHECK(error_text<IoError>([&] { read_file(directory.path.string()); }) ==
        fmt::format("[{}] is not a regular file", directory.path.string()));
  CHECK(error_text<IoError>([] { read_file("/dev/zero"); }) == "[/dev/zero] is not a regular file");
  const std::string path = directory / "text";
  write_file(path, std::string("a\0b", 3));
  CHECK(read_file(path) == std::string("a\0b", 3));
  CHECK(error_text<IoError>([&] { read_file(path, 2); }) ==
        fmt::format("[{}] holds 3 bytes, more than the limit of 2", path));
}

TEST_CASE("a file appears whole or not at all") {
  const TemporaryDirectory directory;
  const std::string path = directory / "out";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new, but never finished");
  }
  CHECK(read_file(path) == "old");
  {
    AtomicFile file(path);
    file.write("ne");
    file.write("w");
    CHECK(read_file(path) == "old");
    file.commit();
  }
  CHECK(read_file(path) == "new");
  CHECK(std::distance(fs::directory_iterator(directory.path), fs::directory_iterator()) == 1);
  CHECK(error_text<IoError>([] { write_file("/nowhere/out", "x"); }) ==
        "[/nowhere/out] cannot be written: No such file or directory");
  fs::create_directory(directory.path / "taken");
  CHECK(error_text<IoError>([&] {
          write_file(directory / "taken", "x");
        }).find("] cannot be named: ") != std::string::npos);
  CHECK(std::distance(fs::directory_iterator(directory.path), fs::directory_iterator()) == 2);
}
