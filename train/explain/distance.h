// How far attention looks, and how far a convolutional network can.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "nn/models/cnn.h"

namespace weft::explain {

/// |i - j| of tokens in a row. Shape: (T, T), f64.
Tensor token_distances(std::int64_t tokens);
/// Between the centers of patches in reading order, in pixels. Shape: (rows columns, rows columns),
/// f64.
Tensor patch_distances(std::int64_t rows, std::int64_t columns, std::int64_t patch);

/// Mean over the queries of sum_keys weight distance, for each head. The first `skip` tokens (a
/// class token) are neither queries nor keys: the weights of the others are scaled to sum to 1.
/// Shape: weights (H, T, T) f32 or f64, distances (T - skip, T - skip). Throws ShapeError. Source:
/// Dosovitskiy et al. 2020 (arXiv 2010.11929), figure 7 and appendix D.7.
std::vector<double> mean_distances(const Tensor& weights, const Tensor& distances,
                                   std::int64_t skip = 0);
/// The same if every query looked at all keys (causal: up to its own) alike.
double uniform_distance(const Tensor& distances, bool causal);

/// One step of a convolutional network, and what its outputs can see.
struct FieldLayer {
  std::string name;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t field = 1;  ///< side of the square of input pixels that one output depends on; it
                           ///< may reach over the edge
  std::int64_t jump = 1;   ///< input pixels between neighboring outputs
};

/// Fills in field and jump of layers in order: field_l = field_(l-1) + (kernel_l - 1) jump_(l-1),
/// jump_l = stride_l jump_(l-1). Source: Araujo, Norris, Sim 2019 (Distill, "Computing receptive
/// fields of convolutional neural networks"), eq. 2.
std::vector<FieldLayer> receptive_field(std::vector<FieldLayer> layers);
/// Of weft's network: convolutions and poolings in turn.
std::vector<FieldLayer> receptive_field(const nn::CnnConfig& config);
/// Mean distance from the center of a square of `field` x `field` pixels to its pixels: what a head
/// would have that looked at all of them alike.
double field_distance(std::int64_t field);

}  // namespace weft::explain
