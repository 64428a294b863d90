// DETR: a set of objects from a set of queries, without anchors, proposals or suppression of
// doubles.
#pragma once

#include "nn/backbone.h"
#include "nn/detector.h"
#include "nn/dropout.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"

namespace weft::nn {

struct DetrConfig {
  std::int64_t n_class = 10;
  std::int64_t image_height = 96;
  std::int64_t image_width = 96;
  std::int64_t channels = 1;
  std::int64_t n_layer = 3;  ///< of the encoder and of the decoder
  std::int64_t n_head = 4;
  std::int64_t n_embd = 64;
  double mlp_ratio = 4;
  double dropout = 0;
  std::int64_t n_query = 12;  ///< most objects that it can see
  // Weights of the matching and of the loss: section A.4.
  double class_cost = 1;
  double l1_cost = 5;
  double giou_cost = 2;
  double background_weight = 0.1;  ///< of "no object" among the classes
  double score_threshold = 0.05;

  /// Throws ConfigError.
  void validate() const;
};

/// Heads of softmax(q k^T / sqrt D) v where queries, keys and values come apart, because places are
/// added to the first two only. Source: Carion et al. 2020 (arXiv 2005.12872), figure 10.
class DetrAttention : public Module {
 public:
  DetrAttention(std::int64_t n_embd, std::int64_t n_head);

  /// Shape: query (B, T, C), key and value (B, S, C) -> (B, T, C). Throws: ShapeError.
  Tensor forward(const Tensor& query, const Tensor& key, const Tensor& value) const;

 private:
  std::int64_t n_head_;
  Child<Linear> q;
  Child<Linear> k;
  Child<Linear> v;
  Child<Linear> out_proj;
};

/// Self attention, attention to the map (a decoder's), feed-forward layers; each added to what came
/// in and normalized after. Source: Carion et al. 2020, figure 10.
class DetrLayer : public Module {
 public:
  DetrLayer(const DetrConfig& config, bool decoder);

  /// Shape: x (B, T, C), places (T, C) or (1, T, C); for a decoder's layer memory and its places
  /// (B, S, C), (S, C) -> (B, T, C). Throws: ShapeError.
  Tensor forward(const Tensor& x, const Tensor& places, const Tensor& memory = Tensor(),
                 const Tensor& memory_places = Tensor()) const;

 private:
  Child<DetrAttention> self_attn;
  OptionalChild<DetrAttention> cross_attn;
  Child<Linear> linear1;
  Child<Linear> linear2;
  Child<LayerNorm> norm1;
  OptionalChild<LayerNorm> norm2;
  Child<LayerNorm> norm3;
  Child<Dropout> drop;
};

/// A map of features as tokens with sinusoids of row and column, an encoder, and a decoder of
/// learned queries, each of which says a class (the last one: no object) and a box. Training
/// matches queries to objects at least cost, one to one, after every layer of the decoder. Source:
/// Carion et al. 2020 (arXiv 2005.12872), sections 3.1, 3.2 and A.4.
class Detr : public Detector {
 public:
  Detr(const DetrConfig& config, std::unique_ptr<Backbone> backbone);

  struct Output {
    Tensor logits;  ///< (B, n_query, n_class + 1)
    Tensor boxes;   ///< (B, n_query, 4): center x, y, width, height, as shares of the image
  };
  /// After every layer of the decoder. Throws: ShapeError.
  std::vector<Output> forward(const Tensor& images) const;

  Tensor loss(const Tensor& images, const Tensor& boxes) const override;
  std::vector<std::vector<Detection>> detect(const Tensor& images) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const DetrConfig& config() const { return config_; }  ///< as it was built

 private:
  Tensor set_loss(const Output& out, const std::vector<std::vector<BoxTarget>>& targets) const;
  Box pixels(const double* box) const;

  DetrConfig config_;
  Child<Backbone> backbone;
  Child<Linear> input_proj;
  ModuleList<DetrLayer> encoder{*this, "encoder"};
  ModuleList<DetrLayer> decoder{*this, "decoder"};
  Child<LayerNorm> norm;
  Parameter query_embed;
  Child<Linear> class_embed;
  Child<Linear> bbox_embed1;
  Child<Linear> bbox_embed2;
  Child<Linear> bbox_embed3;
  Buffer places;  ///< (S, C) of the map
};

/// Sum of 1 - GIoU over rows of boxes given by center and size. Shape: both (N, 4) -> (). Throws:
/// ShapeError.
Tensor giou_loss(const Tensor& boxes, const Tensor& wanted);

}  // namespace weft::nn
