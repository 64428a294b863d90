// A directory of its own for each test, and the messages of what is thrown.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/error.h"

namespace weft_test {

class Scratch {
 public:
  Scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "weft-data-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string folder() const { return folder_.string(); }
  std::string path(const std::string& file) const { return (folder_ / file).string(); }
  std::string write(const std::string& file, std::string_view bytes) const {
    std::ofstream(folder_ / file, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path(file);
  }

 private:
  std::filesystem::path folder_;
};

/// The text of the E that `f` throws; fails the test when it throws nothing or something else.
template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    FAIL("another error: " << std::string(error.what()));
  }
  FAIL("no error");
  return {};
}

inline bool contains(std::string_view text, std::string_view part) {
  if (text.find(part) != std::string_view::npos) return true;
  MESSAGE("'" << std::string(part) << "' is not in '" << std::string(text) << "'");
  return false;
}

inline std::string shipped(const std::string& file) {
  return std::string(WEFT_SOURCE_DIR) + "/data/sets/" + file;
}

}  // namespace weft_test
