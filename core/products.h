// Whose matrix products f32 runs on.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// `own`: weft's kernels, whose sums have one order on every machine: equal bits everywhere.
/// `openblas`: OpenBLAS, whose kernels, and with them the bits, are chosen by the CPU. f64, which
/// checks gradients, is OpenBLAS's in any case.
enum class Products : std::uint8_t { own, openblas };

/// For the whole process; before the first op.
void set_products(Products products);
Products products();
/// "own" or "openblas". Throws ConfigError for another name.
Products products_from_name(const std::string& name);

}  // namespace weft
