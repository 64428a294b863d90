#include "core/kernels/philox.h"

#include "core/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/philox.cpp"
#include "core/kernels/simd.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR  // has no even and odd lanes

std::int64_t PhiloxRun(const std::uint32_t*, const std::uint32_t*, std::uint64_t, std::int64_t,
                       std::uint32_t*) {
  return 0;
}

#else

/// Both halves of the 64-bit products of all lanes: even lanes multiply in place, odd ones after a
/// shift into the even place.
template <class D, class V>
HWY_INLINE void multiply(D d, V a, V b, V& high, V& low) {
  const hn::RepartitionToWide<D> d64;
  const auto even = hn::MulEven(a, b);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(d64, a))), b);
  high = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
  low = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
}

/// As many whole vectors of blocks as fit into `count`; returns how many blocks that were.
/// Multipliers and Weyl constants: Salmon et al. 2011, table 2 and section 3.3.
std::int64_t PhiloxRun(const std::uint32_t* key, const std::uint32_t* stream,
                       std::uint64_t position, std::int64_t count, std::uint32_t* words) {
  const hn::ScalableTag<std::uint32_t> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const V multiplier0 = hn::Set(d, 0xD2511F53u), multiplier1 = hn::Set(d, 0xCD9E8D57u);
  std::int64_t done = 0;
  for (; done + lanes <= count; done += lanes) {
    const std::uint64_t first = position + static_cast<std::uint64_t>(done);
    const V base = hn::Set(d, static_cast<std::uint32_t>(first)),
            next = hn::Set(d, static_cast<std::uint32_t>(first >> 32) + 1);
    V c0 = hn::Add(base, hn::Iota(d, 0));
    V c1 = hn::IfThenElse(
        hn::Lt(c0, base), next,
        hn::Set(d, static_cast<std::uint32_t>(first >> 32)));  // carry of the low half
    V c2 = hn::Set(d, stream[0]), c3 = hn::Set(d, stream[1]);
    std::uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < 10; ++round) {
      V high0, low0, high1, low1;
      multiply(d, c0, multiplier0, high0, low0);
      multiply(d, c2, multiplier1, high1, low1);
      c0 = hn::Xor(hn::Xor(high1, c1), hn::Set(d, key0));
      c1 = low1;
      c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(d, key1));
      c3 = low0;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    hn::StoreInterleaved4(c0, c1, c2, c3, d, words + 4 * done);
  }
  return done;
}

#endif

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {
HWY_EXPORT(PhiloxRun);
}

void philox_blocks(std::array<std::uint32_t, 2> key, std::array<std::uint32_t, 2> stream,
                   std::uint64_t position, std::int64_t count, std::uint32_t* words) {
  for (std::int64_t done =
           HWY_DYNAMIC_DISPATCH(PhiloxRun)(key.data(), stream.data(), position, count, words);
       done < count; ++done) {
    const std::uint64_t at = position + static_cast<std::uint64_t>(done);
    const auto block = philox4x32({static_cast<std::uint32_t>(at),
                                   static_cast<std::uint32_t>(at >> 32), stream[0], stream[1]},
                                  key);
    for (std::size_t w = 0; w < 4; ++w) words[4 * static_cast<std::size_t>(done) + w] = block[w];
  }
}

}  // namespace weft::kernels
#endif
