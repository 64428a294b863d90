// The instruction sets that kernels can be held to.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "core/simd.h"
#include "tests/core/error_text.h"

using namespace weft;

TEST_CASE(
    "the instruction set in use is one that this machine runs, and the best unless it was "
    "limited") {
  const std::vector<std::string> choices = simd_choices();
  REQUIRE_FALSE(choices.empty());
  const char* limit = std::getenv("WEFT_SIMD");
  CHECK(simd_in_use() == (limit && *limit ? std::string(limit) : choices.front()));
}

TEST_CASE("a limit that is no choice names those there are") {
  const std::string text = test::error_text<ConfigError>([] { limit_simd("mmx"); });
  CHECK(text.starts_with("[simd] instruction set `mmx` is not available; available: "));
  for (const std::string& name : simd_choices()) CHECK(text.find(name) != std::string::npos);
}
