// What the tests over all samples share. WEFT_SAMPLE=softmax limits a run to the samples whose name
// holds that text.
#pragma once

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "autograd/sample.h"
#include "core/parallel.h"

namespace weft::samples {

/// Calls `f(sample)` for every sample that `chosen` lets through; an exception fails that sample
/// and the next goes on.
template <class Chosen, class F>
void for_each_sample(Chosen&& chosen, F&& f) {
  const char* only = std::getenv("WEFT_SAMPLE");
  int count = 0;
  for (const Entry& entry : all()) {
    if (!chosen(entry) || (only && entry.name.find(only) == std::string::npos)) continue;
    ++count;
    try {
      f(entry.make());
    } catch (const std::exception& error) {
      FAIL_CHECK(entry.name, ": ", error.what());
    }
  }
  if (!only) CHECK_MESSAGE(count > 0, "no samples are linked: their objects were lost");
}

template <class F>
void for_each_case(F&& f) {
  for_each_sample([](const Entry&) { return true; },
                  [&](const Sample& sample) {
                    for (const Case& one : sample.cases) {
                      try {
                        f(sample, one);
                      } catch (const std::exception& error) {
                        FAIL_CHECK(sample.name, " [", one.label, "]: ", error.what());
                      }
                    }
                  });
}

/// The largest |a - b| / max(1, |b|); infinite where only one is NaN, or infinities differ.
inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double error = std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i]));
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  return worst;
}

/// "0.5 instead of 0.25 at 3": the first element further off than `tolerance`.
inline std::string first_difference(const std::vector<double>& a, const std::vector<double>& b,
                                    double tolerance) {
  if (a.size() != b.size()) return fmt::format("{} elements instead of {}", a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    if (distance({a[i]}, {b[i]}) > tolerance)
      return fmt::format("{} instead of {} at {}", a[i], b[i], i);
  return "no difference";
}

inline void check_close(const std::vector<double>& a, const std::vector<double>& b,
                        double tolerance, const std::string& what) {
  CHECK_MESSAGE(distance(a, b) <= tolerance, what, ": ", first_difference(a, b, tolerance));
}

/// Casts the float inputs; ids and masks stay.
inline std::vector<Tensor> cast_inputs(const std::vector<Tensor>& inputs, DType dtype) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs)
    result.push_back(is_float(input.dtype()) ? raw::clone(raw::cast(input, dtype)) : input);
  return result;
}

inline std::vector<Tensor> strided_inputs(const std::vector<Tensor>& inputs, int variant) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs) result.push_back(strided_copy(input, variant));
  return result;
}

/// The value of a call and the gradients of <value, seed>, all as doubles in row-major order.
struct Outcome {
  std::vector<double> value;
  std::vector<std::vector<double>> gradients;  ///< empty for inputs without one
};

/// seed_variant: -1 contiguous, else strided_copy's; all give the same gradients.
inline Outcome run(const GradFunction& call, const std::vector<Tensor>& inputs,
                   const std::vector<int>& without_grad = {}, int seed_variant = -1) {
  std::vector<Tensor> wanted;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool skip = std::find(without_grad.begin(), without_grad.end(), static_cast<int>(i)) !=
                      without_grad.end();
    if (!is_float(inputs[i].dtype()) || skip) continue;
    inputs[i].set_requires_grad();
    wanted.push_back(inputs[i]);
  }
  const Tensor output = call(inputs);
  Outcome outcome{output.to_vector<double>(), {}};
  if (!output.requires_grad()) return outcome;
  Tensor seed = raw::cast(values(output.shape(), 77, -1.5, 1.5), output.dtype());
  if (seed_variant >= 0) seed = strided_copy(seed, seed_variant);
  for (const Tensor& gradient : grad({output}, wanted, {seed}, {.allow_unused = true}))
    outcome.gradients.push_back(gradient.defined() ? gradient.to_vector<double>()
                                                   : std::vector<double>());
  return outcome;
}

inline void check_close(const Outcome& a, const Outcome& b, double value_tolerance,
                        double gradient_tolerance, const std::string& what) {
  check_close(a.value, b.value, value_tolerance, what);
  REQUIRE_MESSAGE(a.gradients.size() == b.gradients.size(), what);
  for (std::size_t i = 0; i < a.gradients.size(); ++i)
    check_close(a.gradients[i], b.gradients[i], gradient_tolerance,
                fmt::format("{}: gradient {}", what, i));
}

inline std::string title(const Sample& sample, const std::string& label) {
  return sample.name + " [" + label + "]";
}

}  // namespace weft::samples
