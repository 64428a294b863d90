#include "data/split.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstring>

namespace weft::data {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection in which every input
// bit reaches every output bit.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::uint64_t chain(std::uint64_t hash, std::uint64_t word) {
  return mix(hash + 0x9e3779b97f4a7c15ULL + mix(word + 1));
}

std::uint64_t add_tensor(std::uint64_t hash, const Tensor& tensor) {
  if (!tensor.defined()) return chain(hash, ~0ULL);
  hash = chain(hash, static_cast<std::uint64_t>(tensor.dtype()));
  hash = chain(hash, static_cast<std::uint64_t>(tensor.rank()));
  for (const auto size : tensor.shape()) hash = chain(hash, static_cast<std::uint64_t>(size));
  const auto flat = raw::contiguous(tensor);
  const auto bytes = static_cast<std::size_t>(flat.numel() * item_size(flat.dtype()));
  if (bytes == 0) return hash;
  const std::byte* data = flat.raw_data();
  for (std::size_t i = 0; i < bytes; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, bytes - i < 8 ? bytes - i : 8);
    hash = chain(hash, word);
  }
  return hash;
}

}  // namespace

std::uint64_t batch_hash(const Tensor& inputs, const Tensor& targets, std::uint64_t previous) {
  return add_tensor(add_tensor(previous, inputs), targets);
}

std::string hash_text(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace weft::data
