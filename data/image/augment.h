// Random changes of training pictures, and of whole batches. All are drawn from (seed, what is
// changed) alone: the same for any number of threads, and after a run was resumed.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "core/tensor.h"
#include "data/image/transform.h"

namespace weft::data {

/// Which of a picture's draws is next: word after word of a part of a stream that is its own.
class Draws {
 public:
  Draws(const Generator& stream, std::uint64_t number)
      : stream_(stream), place_(number * kBlocks) {}
  double uniform();  ///< in [0, 1), 32 bits
  double between(double low, double high) { return low + (high - low) * uniform(); }
  std::int64_t below(std::int64_t bound);  ///< 0 .. bound - 1
  bool chance(double probability) { return uniform() < probability; }

 private:
  static constexpr std::uint64_t kBlocks = 64;  // of four words each, a picture
  const Generator& stream_;
  std::uint64_t place_;
  std::uint64_t used_ = 0;
};

/// The changes of `augment` but shift, flip and erasing: a crop of another size and shape (Szegedy
/// et al. 2015, arXiv 1409.4842, section 6), RandAugment (Cubuk et al. 2020, arXiv 1909.13719, its
/// 14 changes as torchvision orders them, gray where nothing is left), turning, brightness,
/// contrast and color. u8 (C, H, W) to the same shape.
Tensor augment_picture(const Tensor& picture, const Augment& augment, Draws& draws);

/// Where erasing (Zhong et al. 2020, arXiv 1708.04896) puts the mean; height 0: nowhere.
struct Erased {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
};
Erased draw_erased(std::int64_t height, std::int64_t width, double probability, Draws& draws);

/// A batch that is mixed with itself in another order: row b is `share` of its own picture and the
/// rest of picture partner[b]; so is its loss.
struct Mixing {
  std::vector<std::int64_t> partner;
  double share = 1;
};

/// Mixes normalized pictures (B, C, H, W) f32 in place: mixup (Zhang et al. 2018, arXiv
/// 1710.09412), whole pictures, or CutMix (Yun et al. 2019, arXiv 1905.04899), a rectangle; where
/// both are asked for, either with equal chance. The share is drawn from Beta(alpha, alpha); an
/// alpha of 0 is never.
Mixing mix_batch(const Tensor& images, double mixup_alpha, double cutmix_alpha, std::uint64_t seed,
                 std::int64_t batch_number);

}  // namespace weft::data
