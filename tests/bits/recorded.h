// Hashes of results, held against those committed in tests/bits/hashes.txt: every machine, every
// instruction set and any number of threads must come to the same. A change that changes bits
// changes lines there, by hand, in the commit that says why: WEFT_RECORD_BITS=FILE adds the lines
// that were not as committed to FILE.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace weft::bits {

/// FNV-1a over 64-bit words. All NaNs count as one: their payloads are the machine's.
class Hash {
 public:
  void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3u; }
  void add(double value) {
    add(value != value ? std::uint64_t{0x7ff8} << 48 : std::bit_cast<std::uint64_t>(value));
  }
  void add(std::string_view text) {
    for (const char c : text) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
  }
  void add(const std::vector<double>& values) {
    add(static_cast<std::uint64_t>(values.size()));
    for (const double value : values) add(value);
  }
  void add(const Tensor& tensor) {
    for (const std::int64_t size : tensor.shape()) add(static_cast<std::uint64_t>(size));
    add(tensor.to_vector<double>());
  }
  std::string str() const { return fmt::format("{:016x}", value_); }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

/// The committed hashes, by name.
inline const std::map<std::string, std::string>& committed() {
  static const std::map<std::string, std::string> all = [] {
    std::map<std::string, std::string> read;
    std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/tests/bits/hashes.txt");
    for (std::string line; std::getline(file, line);)
      if (const auto space = line.find(' '); space != std::string::npos && line[0] != '#')
        read[line.substr(space + 1)] = line.substr(0, space);
    return read;
  }();
  return all;
}

inline void check(const std::string& name, const std::string& hash) {
  const auto found = committed().find(name);
  const std::string expected = found == committed().end() ? "(none)" : found->second;
  CHECK_MESSAGE(hash == expected, name << " has other bits");
  if (hash == expected) return;
  if (const char* path = std::getenv("WEFT_RECORD_BITS"); path && *path)
    std::ofstream(path, std::ios::app) << hash << ' ' << name << '\n';
}

}  // namespace weft::bits
