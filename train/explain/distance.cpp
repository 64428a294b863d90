#include "train/explain/distance.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/error.h"

namespace weft::explain {

Tensor token_distances(std::int64_t tokens) {
  const Tensor result = Tensor::empty({tokens, tokens}, DType::f64);
  for (std::int64_t i = 0; i < tokens; ++i)
    for (std::int64_t j = 0; j < tokens; ++j)
      result.data<double>()[i * tokens + j] = static_cast<double>(std::abs(i - j));
  return result;
}

Tensor patch_distances(std::int64_t rows, std::int64_t columns, std::int64_t patch) {
  const std::int64_t count = rows * columns;
  const Tensor result = Tensor::empty({count, count}, DType::f64);
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j < count; ++j)
      result.data<double>()[i * count + j] =
          static_cast<double>(patch) * std::hypot(static_cast<double>(i / columns - j / columns),
                                                  static_cast<double>(i % columns - j % columns));
  return result;
}

std::vector<double> mean_distances(const Tensor& weights, const Tensor& distances,
                                   std::int64_t skip) {
  if (weights.rank() != 3 || weights.size(1) != weights.size(2) ||
      distances.shape() != Shape{weights.size(1) - skip, weights.size(1) - skip})
    fail<ShapeError>("mean_distances",
                     "expects weights (H, T, T) and distances of T - {} tokens, got {} and {}",
                     skip, weights.shape().str(), distances.shape().str());
  const std::int64_t heads = weights.size(0), tokens = weights.size(1), count = tokens - skip;
  const Tensor w = raw::contiguous(raw::cast(weights, DType::f64));
  const double* const d = distances.data<double>();
  std::vector<double> result(static_cast<std::size_t>(heads), 0.0);
  for (std::int64_t h = 0; h < heads; ++h)
    for (std::int64_t q = 0; q < count; ++q) {
      const double* const row = w.data<double>() + (h * tokens + q + skip) * tokens + skip;
      double total = 0, far = 0;
      for (std::int64_t k = 0; k < count; ++k) {
        total += row[k];
        far += row[k] * d[q * count + k];
      }
      if (total > 0)
        result[static_cast<std::size_t>(h)] += far / total / static_cast<double>(count);
    }
  return result;
}

double uniform_distance(const Tensor& distances, bool causal) {
  const std::int64_t count = distances.size(0);
  double mean = 0;
  for (std::int64_t q = 0; q < count; ++q) {
    const std::int64_t keys = causal ? q + 1 : count;
    double far = 0;
    for (std::int64_t k = 0; k < keys; ++k) far += distances.data<double>()[q * count + k];
    mean += far / static_cast<double>(keys) / static_cast<double>(count);
  }
  return mean;
}

std::vector<FieldLayer> receptive_field(std::vector<FieldLayer> layers) {
  std::int64_t field = 1, jump = 1;
  for (FieldLayer& layer : layers) {
    field += (layer.kernel - 1) * jump;
    jump *= layer.stride;
    layer.field = field;
    layer.jump = jump;
  }
  return layers;
}

std::vector<FieldLayer> receptive_field(const nn::CnnConfig& config) {
  std::vector<FieldLayer> layers;
  for (std::size_t i = 1; i <= config.widths.size(); ++i) {
    layers.push_back(
        {.name = fmt::format("convolution {}", i), .kernel = config.kernel, .stride = 1});
    layers.push_back({.name = fmt::format("pooling {}", i), .kernel = 2, .stride = 2});
  }
  return receptive_field(std::move(layers));
}

double field_distance(std::int64_t field) {
  const double middle = static_cast<double>(field - 1) / 2;
  double sum = 0;
  for (std::int64_t i = 0; i < field; ++i)
    for (std::int64_t j = 0; j < field; ++j)
      sum += std::hypot(static_cast<double>(i) - middle, static_cast<double>(j) - middle);
  return sum / static_cast<double>(field * field);
}

}  // namespace weft::explain
