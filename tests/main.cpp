// Every test program begins here. WEFT_SIMD limits the instruction set, as it does for the program.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>

#include "core/simd.h"

int main(int argc, char** argv) try {
  weft::limit_simd_by_environment();
  return doctest::Context(argc, argv).run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
