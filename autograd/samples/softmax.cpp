// Samples of softmax and log_softmax.
#include "autograd/ops/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/binary.h"
#include "autograd/sample.h"

namespace weft::samples::softmax_samples {
namespace {

using Inputs = std::vector<Tensor>;
using Op = Tensor (*)(const Tensor&, std::int64_t);
constexpr double kNone = -std::numeric_limits<double>::infinity();

std::vector<double> normalized(const std::vector<double>& x, const Shape& shape, std::int64_t dim,
                               bool logarithm) {
  std::size_t n = 1, inner = 1;
  if (shape.rank() > 0) {
    const int d = normalize_dim(dim, shape.rank(), "reference");
    n = static_cast<std::size_t>(shape[d]);
    for (int i = d + 1; i < shape.rank(); ++i) inner *= static_cast<std::size_t>(shape[i]);
  }
  std::vector<double> out(x.size());
  for (std::size_t start = 0; n > 0 && inner > 0 && start < x.size(); start += n * inner)
    for (std::size_t i = 0; i < inner; ++i) {
      double largest = kNone, total = 0;
      for (std::size_t j = 0; j < n; ++j) largest = std::max(largest, x[start + j * inner + i]);
      if (largest == kNone) largest = 0;
      for (std::size_t j = 0; j < n; ++j) total += std::exp(x[start + j * inner + i] - largest);
      for (std::size_t j = 0; j < n; ++j) {
        const std::size_t at = start + j * inner + i;
        out[at] = logarithm    ? x[at] - largest - std::log(total)
                  : total == 0 ? 0.0
                               : std::exp(x[at] - largest) / total;
      }
    }
  return out;
}

Case plain(Op op, bool logarithm, std::string label, const Shape& shape, std::int64_t dim,
           double range = 2) {
  return {
      .label = std::move(label),
      .inputs = {values(shape, 1, -range, range)},
      .call = [=](const Inputs& in) { return op(in[0], dim); },
      .reference =
          [=](const Inputs& in) { return normalized(flat(in[0]), in[0].shape(), dim, logarithm); }};
}

/// The second row sees nothing, the first all but two.
Case masked_softmax() {
  return {.label = "a row of only -inf",
          .inputs = {values({3, 5}, 1), Tensor::from<std::uint8_t>(
                                            {0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}, {3, 5})},
          .call = [](const Inputs& in) { return softmax(masked_fill(in[0], in[1], kNone), -1); },
          .reference =
              [](const Inputs& in) {
                std::vector<double> x = flat(in[0]);
                const std::vector<double> hidden = flat(in[1]);
                for (std::size_t i = 0; i < x.size(); ++i)
                  if (hidden[i] != 0) x[i] = kNone;
                return normalized(x, in[0].shape(), -1, false);
              }};
}

Sample make(const char* name, Op op, bool logarithm) {
  Sample sample{.name = name};
  sample.cases = {plain(op, logarithm, "last", {3, 5}, -1),
                  plain(op, logarithm, "first", {4, 3}, 0),
                  plain(op, logarithm, "middle", {2, 3, 4}, 1),
                  plain(op, logarithm, "longer than vectors", {2, 37}, -1),
                  plain(op, logarithm, "vector", {6}, 0),
                  plain(op, logarithm, "scalar", {}, -1),
                  plain(op, logarithm, "one column", {3, 1}, -1),
                  plain(op, logarithm, "no rows", {0, 4}, -1),
                  plain(op, logarithm, "no columns", {3, 0}, -1)};
  sample.cases.push_back(plain(op, logarithm, "far apart", {2, 9}, -1, 60));
  if (!logarithm) sample.cases.push_back(masked_softmax());
  const std::string prefix = std::string("[") + name + "] ";
  sample.errors = {{"dimension",
                    [=] {
                      op(Tensor::zeros({2, 3}), 2);
                    },
                    prefix + "dimension 2 is out of range for 2 dimensions"},
                   {"integers",
                    [=] {
                      op(Tensor::zeros({2, 3}, DType::i64), -1);
                    },
                    prefix + "expects f32 or f64, got i64"}};
  for (const Shape& shape : {Shape{3072, 64}, Shape{768, 65}, Shape{64, 50000}})
    sample.benchmarks.push_back(
        {shape.str(), [=] { return Inputs{raw::cast(values(shape, 1), DType::f32)}; },
         [=](const Inputs& in) { return op(in[0], -1); }, 5.0 * static_cast<double>(shape.numel()),
         8.0 * static_cast<double>(shape.numel())});
  return sample;
}

const Register softmax_register("softmax", Kind::op,
                                [] { return make("softmax", softmax, false); });
const Register log_softmax_register("log_softmax", Kind::op,
                                    [] { return make("log_softmax", log_softmax, true); });

}  // namespace
}  // namespace weft::samples::softmax_samples
