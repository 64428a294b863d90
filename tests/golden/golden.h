// Comparing with the files that make_golden.py wrote.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "core/io/npy.h"
#include "core/tensor.h"

namespace weft::golden {

using Arrays = std::map<std::string, Tensor>;

inline Arrays load(const std::string& name) {
  return load_npz(std::string(WEFT_SOURCE_DIR) + "/tests/golden/files/" + name + ".npz");
}

/// The issue of trust: f64 must agree to 1e-9, f32 to 1e-4, relative to the larger of 1 and the
/// value.
inline double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-9 : 1e-4; }

/// Largest |a - b| / max(1, |b|); infinite for different shapes or a NaN on one side.
inline double distance(const Tensor& ours, const Tensor& theirs) {
  if (!ours.defined() || ours.shape() != theirs.shape()) return INFINITY;
  const auto a = ours.to_vector<double>(), b = theirs.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i]));
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  return worst;
}

inline void check_close(const std::string& what, const Tensor& ours, const Tensor& theirs,
                        double tolerance) {
  const double error = distance(ours, theirs);
  CHECK_MESSAGE(
      error <= tolerance,
      fmt::format("{}: off by {:.3g}, {:.0e} allowed (ours {}, theirs {})", what, error, tolerance,
                  ours.defined() ? ours.shape().str() : "undefined", theirs.shape().str()));
}

/// Arrays whose name starts with `prefix`, which is cut off.
inline Arrays below(const Arrays& arrays, const std::string& prefix) {
  Arrays found;
  for (auto it = arrays.lower_bound(prefix); it != arrays.end() && it->first.starts_with(prefix);
       ++it)
    found[it->first.substr(prefix.size())] = it->second;
  return found;
}

}  // namespace weft::golden
