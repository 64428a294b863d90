// Which of the compiled instruction sets the kernels run with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// The instruction set in use, in lower case: `avx2`, `avx3` (AVX-512), `neon`, `scalar`, ... .
std::string simd_in_use();

/// Those compiled in that this machine can run, the best first.
std::vector<std::string> simd_choices();

/// Uses no better one than `name`: to see what another machine would do. Results are the same
/// bits. Before the first op. Throws: ConfigError for a name that is none of
/// simd_choices().
void limit_simd(const std::string& name);

/// The same for as long as it lives, for tests; only while no other thread computes.
class ScopedSimd {
 public:
  explicit ScopedSimd(const std::string& name);
  ~ScopedSimd();
  ScopedSimd(const ScopedSimd&) = delete;
  ScopedSimd& operator=(const ScopedSimd&) = delete;

 private:
  std::int64_t before_;
};

/// As the environment variable WEFT_SIMD says, if there is one.
void limit_simd_by_environment();

}  // namespace weft
