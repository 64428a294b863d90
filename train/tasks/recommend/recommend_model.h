// A model that recommend runs may choose: one entry in train/tasks/recommend/recommend_models.cpp.
#pragma once

#include <memory>
#include <string>

#include "nn/models/recommender.h"
#include "train/config/block_options.h"
#include "train/tasks/recommend/recommend_config.h"

namespace weft::train {

/// What a model must know of its clicks.
struct ClickFacts {
  std::int64_t items = 0;
  std::int64_t categories = 0;
  std::int64_t users = 0;

  std::string to_json() const;
  /// Throws ConfigError, `[where] ...`.
  static ClickFacts from_json(const std::string& json, const std::string& where);
};

/// Base of the options of all of these models; each has fields for those that it uses.
struct RecommenderOptions : ModelOptions {
  std::int64_t width = 8;
  std::int64_t hidden = 80;
  std::int64_t unit_hidden = 36;
  std::string gate = "dice";  ///< activation of the MLP
  std::int64_t layers = 1;
  std::int64_t heads = 2;
  bool user_id = false;
  double dropout = 0;
  double init_std = 0.05;
};

nn::RecommenderConfig recommender_config(const RecommendConfig& config, const ClickFacts& facts);

}  // namespace weft::train
