// Counts calls of operator new in the whole program: a steady training step should need none.
#pragma once

#include <cstdint>

namespace weft::bench {

/// Calls since the program began, by all threads; -1 where they are not counted (under a sanitizer,
/// which has its own operator new).
std::int64_t heap_allocations();

}  // namespace weft::bench
