#include "core/simd.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/simd.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {
const char* target_name() { return hwy::TargetName(HWY_TARGET); }
}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {
namespace kernels {
namespace {
HWY_EXPORT(target_name);
std::string name_in_use() { return HWY_DYNAMIC_DISPATCH(target_name)(); }
}  // namespace
}  // namespace kernels

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Targets are single bits, the better the lower.
std::vector<std::int64_t> usable_targets() {
  std::vector<std::int64_t> targets;
  for (int bit = 0; bit < 63; ++bit)
    if (const std::int64_t target = std::int64_t{1} << bit;
        (hwy::SupportedTargets() & HWY_TARGETS & target) != 0)
      targets.push_back(target);
  return targets;
}

}  // namespace

std::string simd_in_use() { return lower(kernels::name_in_use()); }

std::vector<std::string> simd_choices() {
  std::vector<std::string> names;
  for (const std::int64_t target : usable_targets())
    names.push_back(lower(hwy::TargetName(target)));
  return names;
}

namespace {

// Not DisableTargets: Highway 1.0.3 forgets it when it is next asked what the machine supports.
void use_targets(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

void limit_simd(const std::string& name) {
  for (const std::int64_t target : usable_targets())
    if (lower(hwy::TargetName(target)) == name)
      return use_targets(hwy::SupportedTargets() & ~(target - 1));
  fail<ConfigError>("simd", "instruction set `{}` is not available; available: {}", name,
                    fmt::join(simd_choices(), ", "));
}

ScopedSimd::ScopedSimd(const std::string& name) : before_(hwy::SupportedTargets()) {
  limit_simd(name);
}
ScopedSimd::~ScopedSimd() { use_targets(before_); }

void limit_simd_by_environment() {
  if (const char* name = std::getenv("WEFT_SIMD"); name && *name) limit_simd(name);
}

}  // namespace weft
#endif  // HWY_ONCE
