// Samples: one record of an op, module or model that serves the gradient check, the parity and error tests and the benchmark.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "core/tensor.h"

namespace weft::samples {

/// One call that is checked in every way.
struct Case {
  std::string label;                      ///< "causal", "broadcast", "empty", ...
  std::vector<Tensor> inputs;             ///< floats as f64 (tests cast to f32), ids and masks in their own dtype
  GradFunction call;                      ///< must work for f64 and f32 inputs, contiguous or not
  /// Naive double reference: all output elements in row-major order. Written with loops, never with ops.
  std::function<std::vector<double>(const std::vector<Tensor>& inputs)> reference;
  std::vector<int> without_grad;          ///< inputs that have no gradient (ids and masks never have one)
  GradcheckOptions check;                 ///< kinks, tolerance
  bool gradients = true;                  ///< false: an op without gradient (argmax, comparisons)
  double f32_tolerance = 2e-5;            ///< |f32 - reference| <= tolerance * max(1, |reference|)
};

/// A call that must throw, and what the message must hold.
struct ErrorCase {
  std::string label;
  std::function<void()> call;
  std::string expected;  ///< the whole text
};

struct Benchmark {
  std::string label;
  std::function<std::vector<Tensor>()> make_inputs;  ///< f32
  GradFunction call;
  double flops = 0;  ///< of one forward
  double bytes = 0;  ///< read and written by one forward at least
};

enum class Kind : std::uint8_t { op, module, model };

struct Sample {
  std::string name;  ///< the function's or class's name
  Kind kind = Kind::op;
  std::vector<Case> cases;
  std::vector<ErrorCase> errors;
  std::vector<Benchmark> benchmarks;
};

/// All samples, by name. Each is built anew: a sample is a function, so that start-up costs nothing.
struct Entry {
  std::string name;
  Kind kind;
  std::function<Sample()> make;
};
const std::vector<Entry>& all();

/// Registers a sample: `static const Register kAdd("add", Kind::op, [] { return Sample{...}; });`
struct Register {
  Register(std::string name, Kind kind, std::function<Sample()> make);
};

// Helpers to write samples with.

/// f64 tensor of reproducible values in [low, high), different for each `salt`, none within 1e-3 of another multiple of 0.5 kink by design of the range.
Tensor values(const Shape& shape, std::uint64_t salt, double low = -1, double high = 1);
/// i64 ids in [0, bound).
Tensor ids(const Shape& shape, std::int64_t bound, std::uint64_t salt);
/// Row-major values of any tensor as doubles.
std::vector<double> flat(const Tensor& t);
/// Calls f(x) for every element: the reference of a unary op.
std::function<std::vector<double>(const std::vector<Tensor>&)> elementwise(std::function<double(double)> f);
/// The reference of a broadcast binary op.
std::function<std::vector<double>(const std::vector<Tensor>&)> elementwise2(std::function<double(double, double)> f);

}  // namespace weft::samples
