// What word embeddings learned: nearest neighbors, and the words in a plane.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/tasks/common/text_uses.h"

namespace weft::explain {

struct EmbeddingOptions {
  std::vector<std::string> tokens;  ///< whose neighbors are wanted; empty: the most frequent ones
  std::int64_t count = 10;          ///< neighbors of each
  std::int64_t shown = 250;         ///< of the most frequent tokens, in the picture
};

struct EmbeddingNeighbors {
  std::string token;
  std::vector<std::pair<std::string, double>> nearest;  ///< with their cosine
};

struct PlacedToken {
  std::string token;
  double x = 0, y = 0;
  bool asked = false;  ///< a token of the options, or a neighbor of one
};

struct EmbeddingMap {
  std::string title;
  std::vector<EmbeddingNeighbors> neighbors;
  std::vector<PlacedToken> placed;
  double explained[2] = {0, 0};  ///< shares of the variance along the two axes
};

/// The first `axes` principal components of the rows of a table (V, C): unit vectors (axes, C),
/// f64, the largest variance first, the sign such that the largest entry is above zero; `shares`
/// receives each one's part of the variance. By power iteration on the covariance, one after the
/// other. Throws ShapeError unless the table is a matrix with at least two rows and `axes` columns.
Tensor principal_axes(const Tensor& table, std::int64_t axes,
                      std::vector<double>* shares = nullptr);

/// Throws ConfigError for a token that the run does not know, with the nearest that it does.
EmbeddingMap explain_embedding(const train::WordVectors& run, const EmbeddingOptions& options);
std::string to_text(const EmbeddingMap& map);
std::string to_json(const EmbeddingMap& map);
std::string to_html(const EmbeddingMap& map);

}  // namespace weft::explain
