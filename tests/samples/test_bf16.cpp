// How far values and gradients in bf16 may be from those of f64 at the same inputs.
#include "core/precision.h"
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

/// An operand is off by 2^-9 of itself, a product of two by 2^-8; sums of a sample have up to some
/// hundred terms of about 1, whose errors do not all point one way. Gradients are products of
/// products.
constexpr double kValues = 0.1, kGradients = 0.2;
/// A module's values as a whole: root mean squares. (Behind a kink as ReLU's, single gradients may
/// be other ones altogether.)
constexpr double kModules = 0.06;

/// The norm of a - b, in norms of b.
double relative_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    apart += (a[i] - b[i]) * (a[i] - b[i]);
  }
  for (const double value : b)
    if (std::isfinite(value)) size += value * value;
  return apart == 0 ? 0 : std::sqrt(apart / size);
}

template <class F>
void for_each_in_bf16(Kind kind, const F& check) {
  for_each_sample([&](const Entry& entry) { return entry.kind == kind; },
                  [&](const Sample& sample) {
                    for (const Case& one : sample.cases) {
                      const std::vector<Tensor> inputs = cast_inputs(one.inputs, DType::f32);
                      const Outcome exact =
                          run(one.call, cast_inputs(inputs, DType::f64), one.without_grad);
                      const ScopedPrecision bf16(Precision::bf16);
                      check(run(one.call, inputs, one.without_grad), exact,
                            title(sample, one.label) + " in bf16");
                    }
                  });
}

}  // namespace

TEST_CASE("ops in bf16 are near those in f64") {
  double most = 0;
  for_each_in_bf16(Kind::op, [&](const Outcome& a, const Outcome& exact, const std::string& what) {
    check_close(a, exact, kValues, kGradients, what);
    most = std::max(most, distance(a.value, exact.value));
  });
  CHECK(most > 1e-3);  // something was rounded
}

TEST_CASE("modules in bf16 are near those in f64") {
  double most = 0;
  for_each_in_bf16(Kind::module,
                   [&](const Outcome& a, const Outcome& exact, const std::string& what) {
                     const double apart = relative_distance(a.value, exact.value);
                     CHECK_MESSAGE(apart <= kModules, what, ": off by ", apart);
                     most = std::max(most, apart);
                   });
  CHECK(most > 1e-3);
}
