// Philox4x32-10 on vectors: many blocks of one stream side by side.
#pragma once

#include <array>
#include <cstdint>

namespace weft::kernels {

/// The words of blocks position .. position + count - 1, four a block: counters are (position's low
/// and high half, stream).
void philox_blocks(std::array<std::uint32_t, 2> key, std::array<std::uint32_t, 2> stream,
                   std::uint64_t position, std::int64_t count, std::uint32_t* words);

}  // namespace weft::kernels
