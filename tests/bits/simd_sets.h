// The same work on each instruction set of this machine, within one process.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "core/parallel.h"
#include "core/simd.h"

namespace weft::bits {

/// Whether the portable kernels take part, whose multiply-adds are calls of std::fma and take a
/// hundred times as long.
enum class Portable { no, yes };

/// The best set first, each with another number of threads.
template <class F>
void on_every_set(Portable portable, const F& work) {
  int threads = 1;
  const auto sets = simd_choices();
  for (const std::string& simd : sets) {
    if (portable == Portable::no && simd == "scalar" && sets.size() > 1) continue;
    CAPTURE(simd);
    const ScopedSimd only(simd);
    set_num_threads(threads++);
    work();
  }
}

}  // namespace weft::bits
