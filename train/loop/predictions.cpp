#include "train/loop/predictions.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/io/safetensors.h"

namespace weft::train {
namespace {

bool is_whole(double value) { return value == std::floor(value) && std::abs(value) < 0x1p31; }

Tensor column_tensor(const std::vector<double>& values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  if (std::all_of(values.begin(), values.end(), is_whole))
    return Tensor::from(std::vector<std::int32_t>(values.begin(), values.end()), shape);
  return Tensor::from(std::vector<float>(values.begin(), values.end()), shape);
}

}  // namespace

std::vector<double>& Predictions::operator[](const std::string& name) {
  for (auto& [known, values] : columns)
    if (known == name) return values;
  return columns.emplace_back(name, std::vector<double>()).second;
}

const std::vector<double>* Predictions::find(const std::string& name) const {
  for (const auto& [known, values] : columns)
    if (known == name) return &values;
  return nullptr;
}

void write_predictions(const std::filesystem::path& file, const Predictions& predictions) {
  TensorFile tensors;
  for (const auto& [name, values] : predictions.columns)
    tensors.tensors.emplace_back(name, column_tensor(values));
  write_safetensors(file, tensors);
}

Predictions read_predictions(const std::filesystem::path& file) {
  Predictions predictions;
  for (const auto& [name, tensor] : read_safetensors(file).tensors) {
    predictions.columns.emplace_back(name, tensor.to_vector<double>());
    if (predictions.columns.back().second.size() != predictions.columns.front().second.size())
      fail<IoError>(file.string(), "column {} has {} entries, {} has {}", name,
                    predictions.columns.back().second.size(), predictions.columns.front().first,
                    predictions.columns.front().second.size());
  }
  return predictions;
}

std::filesystem::path predictions_file(const std::filesystem::path& run) {
  return run / "test_predictions.safetensors";
}

}  // namespace weft::train
