// Which of a user's earlier clicks a deep interest network looks at.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/tasks/common/click_uses.h"

namespace weft::explain {

struct HistoryPlace {
  std::int64_t item = 0, category = 0;
  double weight = 0;        ///< that the local activation unit gives it
  std::int64_t topic = -1;  ///< hidden topic, of the simulation
};

struct HistoryExample {
  std::int64_t number = 0, user = 0, item = 0, category = 0, topic = -1;
  double probability = 0;  ///< of a click, as the model sees it
  bool clicked = false;
  std::vector<HistoryPlace> places;  ///< the latest click first
};

struct HistoryWeights {
  std::string title;
  std::vector<HistoryExample> examples;
  /// Mean weight of clicks on items of the candidate's topic, and of others, over the test split;
  /// NaN but for the simulation.
  double same_topic, other_topic;
};

/// Test examples by number; without one the first three. Throws ConfigError for a run of another
/// model than din and where other clicks are in the place of those it learned from, IndexError for
/// an example that does not exist.
HistoryWeights explain_history(const train::ClickHistory& run,
                               const std::vector<std::int64_t>& numbers);
std::string to_text(const HistoryWeights& weights);
std::string to_json(const HistoryWeights& weights);
std::string to_html(const HistoryWeights& weights);

}  // namespace weft::explain
