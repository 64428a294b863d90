// Rows of f32 to bfloat16 and back, with the rounding of BFloat16. Serial.
#pragma once

#include <cstdint>

#include "core/bfloat16.h"

namespace weft::kernels {

void copy_bf16_row(const float* from, std::int64_t count, BFloat16* to);
void copy_bf16_row(const BFloat16* from, std::int64_t count, float* to);

}  // namespace weft::kernels
