#include "data/detection_data.h"

#include <algorithm>

#include "core/error.h"

namespace weft::data {

SceneBatch DetectionData::batch(Split split, std::int64_t first, std::int64_t count) const {
  const std::int64_t side = this->side(), most = most_boxes();
  SceneBatch batch{Tensor::empty({count, 1, side, side}), Tensor::full({count, most, 5}, -1)};
  const std::vector<float> table = normalization().table();
  for (std::int64_t b = 0; b < count; ++b) {
    const Scene one = scene(split, first + b);
    float* const to = batch.images.data<float>() + b * side * side;
    for (std::int64_t i = 0; i < side * side; ++i) to[i] = table[one.image.data<std::uint8_t>()[i]];
    std::copy_n(one.boxes.data<float>(), one.boxes.numel(),
                batch.boxes.data<float>() + b * most * 5);
  }
  return batch;
}

BatchRange<SceneBatch> train_batches(const std::shared_ptr<const DetectionData>& data,
                                     std::int64_t batch, std::int64_t first, std::int64_t last,
                                     PrefetchOptions prefetch) {
  if (batch < 1 || batch > 1'000'000)
    fail<ConfigError>("scenes", "batch must be 1 to 1000000, got {}", batch);
  return {[data, batch](std::int64_t k) { return data->batch(Split::train, k * batch, batch); },
          first, last, prefetch};
}

}  // namespace weft::data
