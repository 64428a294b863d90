// What a recommend run is: a model that says whether a user will click an item.
#pragma once

#include "train/config/config_sources.h"

namespace weft::train {

class Kind;

struct RecommendConfig : RunConfig {
  RecommendConfig();

  std::string data = "clicks";
  std::int64_t history = 30;
  std::int64_t leave_out = 0;  ///< 0: 1 for ratings, 5 for the simulation
  double penalty = 0;
  std::int64_t epochs = 2;
  std::int64_t steps = 0;     ///< 0: to the end of the epochs
  std::int64_t users = 1500;  ///< of the simulation, and below
  std::int64_t items = 600;
  std::int64_t topics = 30;
  std::int64_t interests = 3;
  std::int64_t events = 40;
};

/// The models of recommend runs. A new one is one line in
/// train/tasks/recommend/recommend_models.cpp.
const Registry& recommend_models();

const Kind& kind_of(const RecommendConfig&);

}  // namespace weft::train
