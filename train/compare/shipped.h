// The suites that come with the program: train/suites/*.toml, embedded by the build.
#pragma once

#include <string>
#include <vector>

namespace weft::compare {

struct ShippedSuite {
  const char* name;  ///< of the file, without .toml
  const char* text;
};

/// By name.
const std::vector<ShippedSuite>& shipped_suites();

}  // namespace weft::compare
