// What reads bytes that anybody may have made. One target a format: valid files to begin with, and
// the reader.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::fuzz {

struct Target {
  std::string name;
  std::function<std::vector<std::string>()> seeds;   ///< valid files, small
  std::function<void(std::string_view bytes)> read;  ///< may throw weft::Error, and nothing else
};

const std::vector<Target>& targets();

/// The files of tests/fuzz/corpus/TARGET: what once went wrong, and small inputs among those that
/// `./weft fuzz` found which together reach most of the code (libFuzzer's -merge=1 tells what each
/// reaches).
std::vector<std::string> corpus(const std::string& target);

/// Reads once. True for a file that was taken, false for one that was refused by a weft::Error with
/// a text; anything else passes through.
bool read_once(const Target& target, std::string_view bytes);

}  // namespace weft::fuzz
