// Which instruction sets kernels are compiled for: include before hwy/foreach_target.h and
// hwy/highway.h, in every kernel file.
//
// On x86-64: the scalar baseline, AVX2 (2013 on) and AVX-512; the steps between them would cost a
// third of the build for machines that nobody trains on. Elsewhere Highway's own choice (NEON and
// SVE on Arm).
#pragma once

// foreach_target.h wants HWY_TARGET_INCLUDE, the path of the file itself.
#ifndef HWY_DISABLED_TARGETS
#if defined(__x86_64__)
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#endif
#endif

#include <cstddef>
#include <cstdint>
