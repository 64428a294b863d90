// What a trained transformer attends to: the maps of one text or picture, and how far each head
// looks on the run's own data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "train/explain/distance.h"
#include "train/metrics/neighbors.h"
#include "train/tasks/common/image_uses.h"
#include "train/tasks/common/text_uses.h"

namespace weft::explain {

/// Weights that a page or JSON holds; above, only their mean over the queries.
constexpr std::int64_t kMostWeights = 4'000'000;

constexpr std::int64_t kMostSamples = 100'000;

struct MapOptions {
  std::optional<std::string>
      text{};  ///< of a text run; default: the beginning of its validation text
  std::optional<std::string>
      image{};  ///< of a vision run: the number of a test image, or a PNG file; default: 0
  std::int64_t samples = 128;  ///< texts or pictures over which distances are averaged
};

/// Mean attention distance by layer and head.
struct HeadDistances {
  std::vector<std::vector<double>> mean;  ///< [layer][head]
  double uniform = 0;                     ///< if every query looked at all that it may alike
  std::string unit;                       ///< tokens or pixels
  std::string samples;                    ///< over what: "128 test images"
};

/// One map a layer: weights (H, Q, T). Q is T, or 1 where there would be too many: the mean over
/// the queries.
struct AttentionMaps {
  std::string title;
  std::string model;                ///< what made them, in a line
  std::vector<std::string> tokens;  ///< printable; of pictures "row 1, column 2", with "class
                                    ///< token" first where there is one
  std::vector<Tensor> layers;
  bool causal = false;
  HeadDistances distances;
  std::vector<std::string> notes;  ///< what was cut or could not be done
  std::int64_t n_head() const { return layers.front().size(0); }
};

/// A token of the text and what lies nearest to it in the embedding.
struct TokenNeighbors {
  std::string token;
  std::vector<std::pair<std::string, double>> nearest;  ///< with their cosines
};

struct TextMaps : AttentionMaps {
  std::vector<TokenNeighbors>
      neighbors;  ///< of each different token of the text, in order of appearance
};

struct ImageMaps : AttentionMaps {
  Tensor image;  ///< u8 (C, H, W)
  std::int64_t patch = 1;
  bool class_token = false;
  std::vector<FieldLayer> cnn;  ///< the receptive field of weft's CNN on pictures of this size
};

/// Throws ConfigError for a model without attention, a text that the vocabulary cannot express, an
/// empty one, or samples below 1; IoError where neither text nor data are there.
TextMaps explain_text(const train::TextAttention& run, const MapOptions& options);
/// Throws ConfigError for a model without attention, IndexError for an image that does not exist,
/// IoError for a file that is none.
ImageMaps explain_image(const train::ImageAttention& run, const MapOptions& options);

/// One sentence or two that follow from the distances.
std::string reading(const TextMaps& maps);
std::string reading(const ImageMaps& maps);

std::string to_json(const TextMaps& maps);
std::string to_json(const ImageMaps& maps);
std::string to_text(const TextMaps& maps);
std::string to_text(const ImageMaps& maps);
std::string to_html(const TextMaps& maps);
std::string to_html(const ImageMaps& maps);

}  // namespace weft::explain
