// What can be asked of a run that looks at pictures. Tasks implement these interfaces, commands and
// explanations use them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/image/image_dataset.h"
#include "nn/boxes.h"

namespace weft::train {

/// A PNG file as a model sees it.
struct Picture {
  Tensor pixels;          ///< u8 (C, H, W), of the model's size
  bool inverted = false;  ///< light and dark were exchanged
  std::string note{};     ///< why they were, in a sentence
};

struct ImageGuess {
  std::vector<double> probabilities;       ///< of each class
  std::vector<std::string> class_names{};  ///< none: classes are numbers
  std::optional<std::int64_t> truth{};     ///< where it is known
  bool inverted = false;                   ///< as in Picture
  std::string note{};
};

/// A run that names the class of a picture: weft predict.
class ImagePredictor {
 public:
  virtual ~ImagePredictor() = default;
  /// `invert`: yes, no, or auto, see invert_where_needed(). Throws IoError for a file that is no
  /// PNG.
  virtual ImageGuess guess_file(const std::string& file, const std::string& invert) const = 0;
  /// Throws IndexError for an image that does not exist, IoError where the data are not there,
  /// ConfigError where others are in their place.
  virtual ImageGuess guess_test_image(std::int64_t number) = 0;
};

/// A run whose attention to a picture can be looked at: weft explain attention.
class ImageAttention {
 public:
  struct Grid {
    std::int64_t layers = 0, heads = 0;
    std::int64_t channels = 1, height = 0, width = 0;
    std::int64_t patch = 1;    ///< side of the squares that are a token each
    bool class_token = false;  ///< stands before them
  };

  virtual ~ImageAttention() = default;
  /// Throws ConfigError `[explain] ...` for a model that has no attention.
  virtual Grid attention_grid() const = 0;
  virtual std::string model_line() const = 0;  ///< "ViT, ..., step 100"
  /// u8 (B, C, H, W) -> each layer's weights (B, H, T, T).
  virtual std::vector<Tensor> attention(const Tensor& images) const = 0;
  virtual Picture picture(const std::string& file) const = 0;  ///< Throws IoError
  /// The images that the run learned from. Throws IoError where they are not there, ConfigError
  /// where others are in their place.
  virtual data::ImageData images() const = 0;
};

/// What a detector sees in a picture.
struct SeenPicture {
  Tensor pixels;                         ///< u8 (1, H, W), of the model's size
  std::vector<nn::Detection> found{};    ///< by falling score
  std::vector<nn::BoxTarget> objects{};  ///< what is known to be in it
  double scale_x = 1, scale_y = 1;       ///< pixels of the file for one of the model's
  bool inverted = false;                 ///< as in Picture
  std::string note{};
};

/// A run that finds objects: weft detect.
class ObjectDetector {
 public:
  virtual ~ObjectDetector() = default;
  /// As ImagePredictor's.
  virtual SeenPicture look_at_file(const std::string& file, const std::string& invert) const = 0;
  virtual SeenPicture look_at_scene(std::int64_t number) = 0;
  virtual std::string class_name(std::int64_t label) const = 0;
  /// The picture enlarged, u8 (3, H, W), with a frame around everything that was found, and a
  /// dotted one around what is really there.
  virtual Tensor draw(const SeenPicture& seen) const = 0;
};

}  // namespace weft::train
