// The share of a test file's work that one process does, so that shares run side by side: ctest
// starts some files several times (tests/CMakeLists.txt), each with WEFT_SHARD=NUMBER/OF.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace weft::samples {

struct Shard {
  int number = 0;
  int of = 1;
  bool has(int item) const { return item % of == number; }
};

/// What WEFT_SHARD asks for; everything without it.
inline Shard shard() {
  const char* const text = std::getenv("WEFT_SHARD");
  if (text == nullptr) return {};
  Shard result;
  char rest = 0;
  if (std::sscanf(text, "%d/%d%c", &result.number, &result.of, &rest) != 2 || result.of < 1 ||
      result.number < 0 || result.number >= result.of)
    throw std::invalid_argument("WEFT_SHARD must be NUMBER/OF as 0/3, got " + std::string(text));
  return result;
}

}  // namespace weft::samples
