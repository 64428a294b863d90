// Dropout's kernels: masks from the words of a counter-based stream.
#pragma once

#include <cstdint>

#include "core/random.h"

namespace weft::kernels {

/// Blocks of the stream that n elements take: a word each.
constexpr std::int64_t dropout_blocks(std::int64_t n) { return (n + 3) / 4; }

/// out[i] = x[i] / (1 - p) where word i of the stream from block `first` on is at least p 2^32,
/// else 0. mask[i] says which, unless null.
template <class T>
void dropout(const Generator& generator, std::uint64_t first, double p, const T* x, std::int64_t n,
             T* out, std::uint8_t* mask);

/// dx[i] = mask[i] ? g[i] * scale : 0.
template <class T>
void apply_mask(const std::uint8_t* mask, double scale, const T* g, std::int64_t n, T* dx);

}  // namespace weft::kernels
