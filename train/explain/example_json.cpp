#include <nlohmann/json.hpp>

#include "train/explain/worked_example.h"

namespace weft::explain {
namespace {

using Json = nlohmann::ordered_json;

/// Row-major numbers as nested arrays.
Json nested(const Tensor& t) {
  const auto values = t.to_vector<double>();
  Json result = Json::array();
  for (const double value : values) result.push_back(value);
  for (int dim = t.rank() - 1; dim > 0; --dim) {
    Json outer = Json::array();
    const auto size = static_cast<std::size_t>(t.size(dim));
    for (std::size_t begin = 0; begin < result.size(); begin += size)
      outer.push_back(Json(result.begin() + static_cast<std::ptrdiff_t>(begin),
                           result.begin() + static_cast<std::ptrdiff_t>(begin + size)));
    result = std::move(outer);
  }
  return result;
}

Json count_json(const CrossCount& count) { return {{"nonzero", count.nonzero}, {"of", count.of}}; }

Json dependence_json(const Dependence& d) {
  return {{"within_token", count_json(d.within)},
          {"between_tokens", count_json(d.between)},
          {"largest_cross", d.largest_cross},
          {"largest_same", d.largest_same},
          {"only_within_heads", d.only_within_heads}};
}

}  // namespace

std::string to_json(const Example& example) {
  Json json{{"tokens", example.tokens.names},
            {"dim", example.tokens.x.size(1)},
            {"seed", example.seed},
            {"heads", example.heads},
            {"several_heads", example.several}};
  json["x"] = nested(example.tokens.x);
  json["steps"] = Json::array();
  for (std::size_t i = 0; i < example.steps.size(); ++i) {
    const Projections& w = example.projections[i];
    const Steps& s = example.steps[i];
    json["steps"].push_back({{"matrices", to_name(w.mixing)},
                             {"w_q", nested(w.w_q)},
                             {"w_k", nested(w.w_k)},
                             {"w_v", nested(w.w_v)},
                             {"q", nested(s.q)},
                             {"k", nested(s.k)},
                             {"v", nested(s.v)},
                             {"scores", nested(s.scores)},
                             {"weights", nested(s.weights)},
                             {"z", nested(s.z)}});
  }
  json["ffn"] = {{"w_1", nested(example.ffn.w_1)},
                 {"b_1", nested(example.ffn.b_1)},
                 {"w_2", nested(example.ffn.w_2)},
                 {"b_2", nested(example.ffn.b_2)}};
  json["score_products"] = Json::array();
  for (const Products& p : example.products)
    json["score_products"].push_back({{"matrices", to_name(p.mixing)},
                                      {"sizes", nested(p.sizes)},
                                      {"cross", count_json(p.cross)}});
  json["arms"] = Json::array();
  for (const Arm& arm : example.arms) {
    json["arms"].push_back({{"name", arm.name()},
                            {"matrices", to_name(arm.mixing)},
                            {"heads", arm.heads},
                            {"ffn", arm.ffn},
                            {"cross", dependence_json(arm.whole)},
                            {"cross_weights_constant", dependence_json(arm.frozen)},
                            {"largest_weight", arm.largest_weight},
                            {"zero_below", zero_below(arm.jacobian)},
                            {"jacobian", nested(arm.jacobian)}});
  }
  json["conclusion"] = conclusion(example);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weft::explain
