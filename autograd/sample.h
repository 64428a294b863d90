// Samples: one record of an op, module or model that serves the gradient check, the parity and
// error tests and the benchmark. Not for users.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "core/tensor.h"

namespace weft::samples {

/// All output elements in row-major order, computed with loops in double, never with ops.
using Reference = std::function<std::vector<double>(const std::vector<Tensor>& inputs)>;

/// One call that is checked in every way.
struct Case {
  std::string label;  ///< "causal", "broadcast", "empty", ...
  std::vector<Tensor>
      inputs{};       ///< floats as f64 (tests cast to f32), ids and masks in their own dtype
  GradFunction call;  ///< must work for f64 and f32 inputs, contiguous or not; may be called any
                      ///< number of times
  Reference reference{};
  std::vector<int>
      without_grad{};        ///< float inputs that have no gradient (ids and masks never have one)
  GradcheckOptions check{};  ///< kinks, tolerance
  bool gradients = true;     ///< false: an op without gradient (argmax, comparisons)
  double f32_tolerance =
      2e-5;  ///< |f32 - reference| <= tolerance * max(1, |reference|); ten times that for gradients
  std::string
      no_second_order{};  ///< why gradients of gradients are not checked here; empty: they are
  std::optional<Shape> shape{};  ///< of the output, where its elements alone do not tell enough
};

/// A call that must throw a weft::Error, and the whole text of it.
struct ErrorCase {
  std::string label;
  std::function<void()> call;
  std::string expected;
};

struct Benchmark {
  std::string label;
  std::function<std::vector<Tensor>()> make_inputs;  ///< f32
  GradFunction call;
  double flops = 0;  ///< of one forward
  double bytes = 0;  ///< read and written by one forward at least
};

enum class Kind : std::uint8_t { op, module, model };
std::string_view name(Kind kind);

struct Sample {
  std::string name;  ///< the function's or class's name
  Kind kind = Kind::op;
  std::vector<Case> cases{};
  std::vector<ErrorCase> errors{};
  std::vector<Benchmark> benchmarks{};
  std::string
      no_errors{};  ///< why there is no input that it refuses; empty: `errors` holds at least one
};

/// All samples, sorted by kind and name. Each is a function that builds one, so that start-up costs
/// nothing.
struct Entry {
  std::string name;
  Kind kind;
  std::function<Sample()> make;
};
const std::vector<Entry>& all();

/// Registers a sample: `const Register add("add", Kind::op, [] { return Sample{...}; });` in an
/// unnamed namespace.
struct Register {
  Register(std::string name, Kind kind, std::function<Sample()> make);
};

/// Gradient check of one case, as the tests and `weft gradcheck` run it: every float input not in
/// `without_grad` is checked, contiguous and strided; gradients of gradients too where the case is
/// small and does not say why not.
GradcheckResult check_case(const Case& sample_case, bool second_order);

/// What values() and ids() draw from: 0, which tests and benchmarks see, or any other for samples
/// of the same shapes with other numbers.
void set_sample_seed(std::uint64_t seed);

// Helpers to write samples with.

/// f64 tensor of reproducible values in [low, high), different for each `salt`. No two are equal
/// and, where the range leaves room, none is within 1e-3 of a multiple of 0.5: maxima have no ties,
/// and relu, abs and clamp stay off their kinks.
Tensor values(const Shape& shape, std::uint64_t salt, double low = -1, double high = 1);
/// i64 ids in [0, bound).
Tensor ids(const Shape& shape, std::int64_t bound, std::uint64_t salt);
/// Row-major values of any tensor as doubles.
std::vector<double> flat(const Tensor& t);
/// Calls f(x) for every element: the reference of a unary op.
Reference elementwise(std::function<double(double)> f);
/// The reference of a broadcast binary op.
Reference elementwise2(std::function<double(double, double)> f);

}  // namespace weft::samples
