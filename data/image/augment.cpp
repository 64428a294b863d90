#include "data/image/augment.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/math.h"
#include "data/image/picture_ops.h"

namespace weft::data {
namespace {

constexpr int kGray = 128;       // what comes in where a picture is turned or moved
constexpr int kMagnitudes = 30;  // RandAugment's scale

/// A rectangle of `share` of the area and of this ratio of width to height; empty where it does not
/// fit.
Erased rectangle(std::int64_t height, std::int64_t width, double share, double ratio,
                 Draws& draws) {
  const double area = static_cast<double>(height * width) * share;
  const auto wide = static_cast<std::int64_t>(std::llround(std::sqrt(area * ratio))),
             high = static_cast<std::int64_t>(std::llround(std::sqrt(area / ratio)));
  if (wide < 1 || high < 1 || wide > width || high > height) return {};
  return {draws.below(height - high + 1), draws.below(width - wide + 1), high, wide};
}

double log_between(double low, double high, Draws& draws) {
  return math::exp(draws.between(math::log(low), math::log(high)));
}

Tensor resized_crop(const Tensor& picture, double least, Draws& draws) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double share = draws.between(least, 1), ratio = log_between(3.0 / 4, 4.0 / 3, draws);
    const Erased part = rectangle(picture.size(1), picture.size(2), share, ratio, draws);
    if (part.height > 0)
      return crop_and_resize(picture, part.top, part.left, part.height, part.width);
  }
  return picture;
}

/// One of RandAugment's changes.
Tensor random_change(const Tensor& picture, int magnitude, Draws& draws) {
  const double strength = static_cast<double>(magnitude) / kMagnitudes;
  const std::int64_t which = draws.below(14);
  const double sign = draws.chance(0.5) ? -1 : 1;
  const double factor = 1 + sign * 0.9 * strength;
  const double height = static_cast<double>(picture.size(1)),
               width = static_cast<double>(picture.size(2));
  switch (which) {
    case 0:
      return picture;
    case 1: {
      const double shear = sign * 0.3 * strength;
      return affine(picture, {1, shear, -shear * height / 2, 0, 1, 0}, kGray);
    }
    case 2: {
      const double shear = sign * 0.3 * strength;
      return affine(picture, {1, 0, 0, shear, 1, -shear * width / 2}, kGray);
    }
    case 3:
      return affine(picture, {1, 0, std::floor(sign * 150.0 / 331 * width * strength), 0, 1, 0},
                    kGray);
    case 4:
      return affine(picture, {1, 0, 0, 0, 1, std::floor(sign * 150.0 / 331 * height * strength)},
                    kGray);
    case 5:
      return rotate(picture, sign * 30 * strength, kGray);
    case 6:
      return adjust_brightness(picture, factor);
    case 7:
      return adjust_color(picture, factor);
    case 8:
      return adjust_contrast(picture, factor);
    case 9:
      return adjust_sharpness(picture, factor);
    case 10:
      return posterize(picture, 8 - static_cast<int>(std::lround(4 * strength)));
    case 11:
      return solarize(picture, static_cast<int>(std::lround(256 * (1 - strength))));
    case 12:
      return autocontrast(picture);
    default:
      return equalize(picture);
  }
}

/// Gamma(alpha, 1). Source: Marsaglia and Tsang 2000 (ACM TOMS 26), and their section 6 for alpha
/// < 1.
double draw_gamma(double alpha, Generator& generator) {
  if (alpha < 1)
    return draw_gamma(alpha + 1, generator) *
           math::pow(std::max(generator.next_uniform(), 0x1p-60), 1 / alpha);
  const double d = alpha - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = generator.next_normal(), t = 1 + c * x, v = t * t * t;
    const double u = std::max(generator.next_uniform(), 0x1p-60);
    if (v > 0 && math::log(u) < 0.5 * x * x + d - d * v + d * math::log(v)) return d * v;
  }
}

double draw_beta(double alpha, Generator& generator) {
  const double a = draw_gamma(alpha, generator), b = draw_gamma(alpha, generator);
  return a + b > 0 ? a / (a + b) : 0.5;
}

}  // namespace

double Draws::uniform() {
  const auto words = stream_.block(place_ + used_ / 4 % kBlocks);
  return words[used_++ % 4] * 0x1p-32;
}

std::int64_t Draws::below(std::int64_t bound) {
  return std::min(bound - 1, static_cast<std::int64_t>(uniform() * static_cast<double>(bound)));
}

Tensor augment_picture(const Tensor& picture, const Augment& augment, Draws& draws) {
  Tensor result = picture;
  if (augment.least_crop < 1) result = resized_crop(result, augment.least_crop, draws);
  for (int i = 0; i < augment.random_changes; ++i)
    result = random_change(result, augment.magnitude, draws);
  if (augment.rotate > 0)
    result = rotate(result, draws.between(-augment.rotate, augment.rotate), kGray);
  if (augment.jitter > 0) {
    const auto factor = [&] { return draws.between(1 - augment.jitter, 1 + augment.jitter); };
    result = adjust_brightness(result, factor());
    result = adjust_contrast(result, factor());
    result = adjust_color(result, factor());
  }
  return result;
}

Erased draw_erased(std::int64_t height, std::int64_t width, double probability, Draws& draws) {
  if (probability <= 0 || !draws.chance(probability)) return {};
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double share = draws.between(0.02, 1.0 / 3), ratio = log_between(0.3, 1 / 0.3, draws);
    const Erased part = rectangle(height, width, share, ratio, draws);
    if (part.height > 0) return part;
  }
  return {};
}

Mixing mix_batch(const Tensor& images, double mixup_alpha, double cutmix_alpha, std::uint64_t seed,
                 std::int64_t batch_number) {
  const std::int64_t batch = images.size(0), channels = images.size(1), height = images.size(2),
                     width = images.size(3), size = channels * height * width;
  Generator generator(seed, "mix");
  generator.set_position(static_cast<std::uint64_t>(batch_number) << 24);
  const bool cut = cutmix_alpha > 0 && (mixup_alpha <= 0 || generator.next_uniform() < 0.5);
  Mixing mixing;
  mixing.share = draw_beta(cut ? cutmix_alpha : mixup_alpha, generator);
  mixing.partner = generator.permutation(batch).to_vector<std::int64_t>();
  const Tensor before = raw::clone(images);
  const float* other = before.data<float>();
  float* own = images.data<float>();
  if (!cut) {
    const auto share = static_cast<float>(mixing.share);
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t i = 0; i < size; ++i) {
        const float theirs = other[mixing.partner[static_cast<std::size_t>(b)] * size + i];
        float& mine = own[b * size + i];
        mine = theirs + share * (mine - theirs);
      }
    return mixing;
  }
  // The paper's rectangle: of 1 - share of the area, anywhere, cut off at the edges.
  const double side = std::sqrt(1 - mixing.share);
  const auto half_height = static_cast<std::int64_t>(static_cast<double>(height) * side) / 2,
             half_width = static_cast<std::int64_t>(static_cast<double>(width) * side) / 2;
  const auto y = static_cast<std::int64_t>(
                 generator.next_below(static_cast<std::uint64_t>(height))),
             x = static_cast<std::int64_t>(generator.next_below(static_cast<std::uint64_t>(width)));
  const std::int64_t top = std::max<std::int64_t>(0, y - half_height),
                     bottom = std::min(height, y + half_height),
                     left = std::max<std::int64_t>(0, x - half_width),
                     right = std::min(width, x + half_width);
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t row = top; row < bottom; ++row) {
        const std::int64_t at = (c * height + row) * width;
        std::copy(other + mixing.partner[static_cast<std::size_t>(b)] * size + at + left,
                  other + mixing.partner[static_cast<std::size_t>(b)] * size + at + right,
                  own + b * size + at + left);
      }
  mixing.share = 1 - static_cast<double>((bottom - top) * (right - left)) /
                         static_cast<double>(height * width);
  return mixing;
}

}  // namespace weft::data
