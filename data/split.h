// The three parts of a data set, and the certificate of a sequence of batches.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace weft::data {

enum class Split : std::uint8_t { train, validation, test };

/// "train", "validation" or "test".
constexpr std::string_view name(Split split) {
  constexpr std::string_view kNames[] = {"train", "validation", "test"};
  return kNames[static_cast<int>(split)];
}

/// Targets with this value are padding and count in no loss (cross_entropy's default ignore_index).
inline constexpr std::int64_t kIgnoreIndex = -100;

/// Chains a batch onto the hash of the batches before it: dtype, shape and every element count. Two
/// runs that saw the same batches in the same order hold the same value; it is how a comparison
/// shows that its arms were paired.
std::uint64_t batch_hash(const Tensor& inputs, const Tensor& targets, std::uint64_t previous = 0);
/// Sixteen hexadecimal digits, as files hold a hash.
std::string hash_text(std::uint64_t hash);

}  // namespace weft::data
