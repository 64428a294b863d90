// What a process takes of its address space beside its tensors. Not for users.
#pragma once

#include <cstdint>

namespace weft {

/// Threads, their heaps, and OpenBLAS's buffer of 128 MiB for each of them.
constexpr std::int64_t kAddressSpaceBeside = std::int64_t{5} << 28;

}  // namespace weft
