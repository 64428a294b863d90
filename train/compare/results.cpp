#include "train/compare/results.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::compare {

const ResultCell* Results::cell(std::size_t task, std::size_t arm) const {
  const std::size_t number = grid[task * arms.size() + arm];
  return number == 0 ? nullptr : &cells[number - 1];
}

void Results::index_cells() {
  grid.assign(tasks.size() * arms.size(), 0);
  for (std::size_t i = 0; i < cells.size(); ++i)
    grid[cells[i].task * arms.size() + cells[i].arm] = i + 1;
}

std::int64_t repeated_looks(const Results& results) {
  if (results.looked.size() < 2) return 0;
  return std::count_if(results.looked.begin(), results.looked.end(), [&](std::int64_t look) {
    return std::find(results.looks.begin(), results.looks.end(), look) == results.looks.end();
  });
}

std::string pairing_error(const Results& results) {
  for (const ResultTask& task : results.tasks) {
    for (const Pairing& pairing : task.pairing) {
      if (pairing.equal) continue;
      return fmt::format(
          "[compare] the arms did not see the same batches: task {}, seed {}, arm {}; no contrast "
          "of this task is decided",
          task.name, pairing.seed, pairing.mismatched_arm);
    }
  }
  return "";
}

}  // namespace weft::compare
