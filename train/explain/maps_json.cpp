#include <cmath>
#include <nlohmann/json.hpp>

#include "train/explain/attention_maps.h"

namespace weft::explain {
namespace {

using Json = nlohmann::ordered_json;

/// (H, Q, T) -> nested arrays, rounded: seven decimals say all that f32 holds of a weight.
Json weights_json(const Tensor& weights) {
  Json heads = Json::array();
  const double* value = weights.data<double>();
  for (std::int64_t h = 0; h < weights.size(0); ++h) {
    Json queries = Json::array();
    for (std::int64_t q = 0; q < weights.size(1); ++q) {
      Json keys = Json::array();
      for (std::int64_t k = 0; k < weights.size(2); ++k)
        keys.push_back(std::round(*value++ * 1e7) / 1e7);
      queries.push_back(std::move(keys));
    }
    heads.push_back(std::move(queries));
  }
  return heads;
}

Json common_json(const AttentionMaps& maps) {
  Json json{
      {"title", maps.title}, {"model", maps.model}, {"tokens", maps.tokens}, {"notes", maps.notes}};
  json["distance"] = {{"unit", maps.distances.unit},
                      {"over", maps.distances.samples},
                      {"uniform", maps.distances.uniform},
                      {"mean", maps.distances.mean}};
  return json;
}

std::string finish(Json json, const AttentionMaps& maps) {
  Json layers = Json::array();
  for (const Tensor& layer : maps.layers) layers.push_back(weights_json(layer));
  json["weights"] = std::move(layers);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const TextMaps& maps) {
  Json json = common_json(maps);
  json["reading"] = reading(maps);
  json["neighbors"] = Json::array();
  for (const TokenNeighbors& one : maps.neighbors) {
    Json nearest = Json::array();
    for (const auto& [token, cosine] : one.nearest)
      nearest.push_back({{"token", token}, {"cosine", cosine}});
    json["neighbors"].push_back({{"token", one.token}, {"nearest", std::move(nearest)}});
  }
  return finish(std::move(json), maps);
}

std::string to_json(const ImageMaps& maps) {
  Json json = common_json(maps);
  json["reading"] = reading(maps);
  json["patch"] = maps.patch;
  json["receptive_field"] = Json::array();
  for (const FieldLayer& layer : maps.cnn)
    json["receptive_field"].push_back({{"layer", layer.name},
                                       {"kernel", layer.kernel},
                                       {"stride", layer.stride},
                                       {"field", layer.field},
                                       {"mean_distance", field_distance(layer.field)}});
  return finish(std::move(json), maps);
}

}  // namespace weft::explain
