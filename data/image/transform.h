// What is done to pictures between the file and the model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace weft::data {

/// Mean and standard deviation of each channel, of values scaled to [0, 1].
struct Normalization {
  std::vector<double> mean;
  std::vector<double> std;

  /// Of u8 images (N, C, H, W); exact (integer sums), so that any order of summing gives the same
  /// bits. A channel that never varies gets std 1.
  static Normalization of_images(const Tensor& images);
  /// 256 floats a channel: what normalize() makes of each value.
  std::vector<float> table() const;
  std::string to_json() const;  ///< what from_json() reads
  /// Throws ConfigError, `[where] ...`, for anything else than what to_json() wrote.
  static Normalization from_json(std::string_view json, std::string_view where = "normalization");
};

/// (value / 255 - mean) / std: u8 (..., C, H, W) to f32 of the same shape. Throws ShapeError,
/// DTypeError.
Tensor normalize(const Tensor& images, const Normalization& normalization);

/// Random changes of training pictures.
struct Augment {
  int shift = 0;          ///< moves up to this many pixels each way; what enters is background (0)
  bool flip = false;      ///< mirrors every second picture left to right (not for digits)
  double least_crop = 1;  ///< crops of at least this share of the area, of ratios from 3 : 4 to 4 :
                          ///< 3, scaled back; 1: none
  int random_changes = 0;  ///< RandAugment: so many changes of a picture
  int magnitude = 9;       ///< of these, 0 .. 30
  double rotate = 0;       ///< turns by up to so many degrees either way
  double jitter = 0;       ///< brightness, contrast and color times 1 - jitter .. 1 + jitter
  double erase = 0;        ///< the chance that a rectangle becomes the training pictures' mean

  /// Whether pictures are changed before they are shifted and flipped.
  bool changes_pictures() const {
    return least_crop < 1 || random_changes > 0 || rotate > 0 || jitter > 0;
  }
};

enum class Filter : std::uint8_t {
  bilinear,  ///< a triangle, widened when shrinking, so that no pixel is skipped
  area,      ///< the mean of the pixels covered
};

/// u8 (..., H, W) to u8 (..., height, width), pixel centers at halves, rounded to nearest. Throws
/// ShapeError for sizes outside 1 .. 65536, DTypeError.
Tensor resize_images(const Tensor& images, std::int64_t height, std::int64_t width,
                     Filter filter = Filter::bilinear);

/// The pixels of every picture in one other order, always the same for a size: what a model knows
/// of neighborhood is worth nothing any more, and nothing else is lost. u8 (..., H, W) to the same
/// shape. Throws ShapeError, DTypeError.
Tensor shuffle_pixels(const Tensor& images);

/// 255 - value.
Tensor invert_image(const Tensor& image);

/// What the edges of training pictures have in common. Pictures from outside that are drawn the
/// other way round (dark ink on white paper, for a model of light digits on black) can be told only
/// where the pictures of the data are all alike.
enum class Edges : std::uint8_t {
  unknown,  ///< not recorded: a run of an earlier version
  mixed,    ///< neither: natural images
  dark,  ///< of 999 in 1,000 pictures and more, the mean of the outermost pixels is below a quarter
         ///< of white
  light,  ///< likewise above three quarters
};

/// "unknown", "mixed", "dark", "light".
std::string_view name(Edges edges);
/// Throws ConfigError, `[where] ...`, for another name.
Edges edges_from_name(std::string_view name, std::string_view where);

/// Of u8 images (N, C, H, W), all channels together. Throws DTypeError, ShapeError.
Edges edges_of(const Tensor& images);

/// Whether a picture's edge is on the other side of mid-gray than those of the training pictures,
/// which must be dark or light; never where they are mixed. Where they are unknown, the mean of the
/// training pictures stands for them.
bool looks_inverted(const Tensor& image, Edges edges, const Normalization& normalization);

}  // namespace weft::data
