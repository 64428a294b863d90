// How typed words are handed to CLI11 so that it takes them as they are: each with one letter
// before it that no rule of CLI11 knows.
#pragma once

#include <string>

namespace weft::cli {

constexpr char kLiteral = '\x01';

inline std::string for_cli11(const std::string& word) { return kLiteral + word; }
/// Of a default that CLI11 filled in itself, without the letter, the text as it is.
inline std::string from_cli11(const std::string& result) {
  return !result.empty() && result.front() == kLiteral ? result.substr(1) : result;
}

}  // namespace weft::cli
