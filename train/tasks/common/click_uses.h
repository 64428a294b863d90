// What can be asked of a run that recommends. Tasks implement this interface, explanations use it.
#pragma once

#include <cstdint>
#include <string>

#include "data/recommend/clicks.h"

namespace weft::train {

/// A run whose look at a user's earlier clicks can be seen: weft explain history.
class ClickHistory {
 public:
  /// Of a batch of examples (B, ...), as data::ClickData makes them.
  struct Look {
    Tensor weights;  ///< f32 (B, history): what each earlier click is multiplied with
    Tensor logits;   ///< f32 (B): of a click
  };

  virtual ~ClickHistory() = default;
  virtual std::string model_name() const = 0;
  virtual std::string learned_from() const = 0;  ///< the data's name
  virtual std::int64_t history() const = 0;      ///< earlier clicks that the model sees
  /// The clicks that the run learned from. Throws IoError where they are not there, ConfigError
  /// where others are in their place.
  virtual data::ClickData clicks() const = 0;
  /// Throws ConfigError for a model that does not weigh a history.
  virtual Look look(const Tensor& inputs) const = 0;
  /// The hidden topic of an item of the simulation; -1 where there are none.
  virtual std::int64_t topic_of(std::int64_t item) const = 0;
};

}  // namespace weft::train
