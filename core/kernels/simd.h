// Which instruction sets kernels are compiled for: include before hwy/foreach_target.h and
// hwy/highway.h, in every kernel file.
//
// On x86-64: the scalar baseline, AVX2 (2013 on) and AVX-512; the steps between them would cost a
// third of the build for machines that nobody trains on. On Arm NEON: vectors
// whose width is not known to the compiler cannot be members of a struct, as rows-inl.h wants.
#pragma once

// foreach_target.h wants HWY_TARGET_INCLUDE, the path of the file itself.
#ifndef HWY_DISABLED_TARGETS
#if defined(__x86_64__)
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#elif defined(__aarch64__)
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif
#endif

#include <cstddef>
#include <cstdint>
