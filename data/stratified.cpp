#include "data/stratified.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/error.h"
#include "core/random.h"

namespace weft::data {
namespace {

constexpr std::uint64_t kSplitSeed = 1;  // of the fixed order: never the seed of a run

using Members = std::array<std::vector<std::int64_t>, 256>;

/// How many of each class are drawn: the floor of its exact share, then one more where the
/// remainder is largest, then, if that does not suffice because classes may not be used up, one
/// more wherever there is room.
std::array<std::int64_t, 256> shares(const Members& members, std::int64_t count, std::int64_t all) {
  std::array<std::int64_t, 256> taken{}, remainder{};
  std::array<std::size_t, 256> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::int64_t left = count;
  for (const std::size_t c : order) {
    const std::int64_t exact = count * std::ssize(members[c]);
    taken[c] = exact / all;
    remainder[c] = exact % all;
    left -= taken[c];
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  for (const std::int64_t kept : {1, 0}) {  // of each class
    for (bool progress = true; left > 0 && progress;) {
      progress = false;
      for (const std::size_t c : order) {
        if (left == 0 || taken[c] + kept >= std::ssize(members[c])) continue;
        ++taken[c];
        --left;
        progress = true;
      }
    }
  }
  return taken;
}

}  // namespace

std::vector<std::int64_t> draw_by_class(const Tensor& labels, std::int64_t count) {
  if (labels.dtype() != DType::u8)
    fail<DTypeError>("split", "labels must be u8, got {}", name(labels.dtype()));
  if (labels.rank() != 1)
    fail<ShapeError>("split", "labels must be (N,), got {}", labels.shape().str());
  const std::int64_t all = labels.numel();
  if (count < 0 || count > all)
    fail<ConfigError>("split", "{} examples cannot be drawn of {}", count, all);
  std::vector<std::int64_t> drawn;
  if (count == 0) return drawn;
  const Tensor flat = raw::contiguous(labels);
  Members members;
  for (std::int64_t i = 0; i < all; ++i) members[flat.data<std::uint8_t>()[i]].push_back(i);
  const auto taken = shares(members, count, all);
  for (std::size_t c = 0; c < members.size(); ++c) {
    if (taken[c] == 0) continue;
    const Tensor order =
        Generator(kSplitSeed, fmt::format("split.class.{}", c)).permutation(std::ssize(members[c]));
    const auto* place = order.data<std::int64_t>();
    for (std::int64_t k = 0; k < taken[c]; ++k)
      drawn.push_back(members[c][static_cast<std::size_t>(place[k])]);
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

}  // namespace weft::data
