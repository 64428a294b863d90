// Data that a run did not learn from, measured whole.
#pragma once

#include <vector>

namespace weft::train {

/// Puts all three splits into that of validation, in their order. What trains is the same, so that
/// there is something to make batches of, though none is made.
template <class T>
void join_splits(std::vector<T> (&splits)[3]) {
  std::vector<T> all = std::move(splits[0]);
  for (int k = 1; k < 3; ++k) all.insert(all.end(), splits[k].begin(), splits[k].end());
  splits[0] = splits[1] = std::move(all);
  splits[2].clear();
}

}  // namespace weft::train
