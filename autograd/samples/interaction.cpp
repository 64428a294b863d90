// Samples of products of features.
#include "autograd/ops/interaction.h"

#include "autograd/sample.h"

namespace weft::samples::interaction_samples {
namespace {

using Inputs = std::vector<Tensor>;

/// The double sum over pairs, as the paper's eq. 1 writes it.
std::vector<double> by_pairs(const Inputs& in) {
  const Tensor &x = in[0], &v = in[1];
  std::vector<double> out;
  for (std::int64_t b = 0; b < x.size(0); ++b) {
    double sum = 0;
    for (std::int64_t i = 0; i < x.size(1); ++i)
      for (std::int64_t j = i + 1; j < x.size(1); ++j)
        for (std::int64_t f = 0; f < v.size(1); ++f)
          sum += v.at({i, f}) * v.at({j, f}) * x.at({b, i}) * x.at({b, j});
    out.push_back(sum);
  }
  return out;
}

Case pairs_case(const std::string& label, std::int64_t rows, std::int64_t features,
                std::int64_t factors) {
  return {.label = label,
          .inputs = {values({rows, features}, 1), values({features, factors}, 2)},
          .call = [](const Inputs& in) { return pairwise_interactions(in[0], in[1]); },
          .reference = by_pairs};
}

const Register pairwise_interactions_sample("pairwise_interactions", Kind::op, [] {
  Sample sample{.name = "pairwise_interactions"};
  sample.cases = {pairs_case("5 features, 3 factors", 4, 5, 3),
                  pairs_case("one feature has no pair", 3, 1, 2), pairs_case("one factor", 2, 6, 1),
                  pairs_case("no rows", 0, 3, 2), pairs_case("no factors", 2, 3, 0)};
  sample.errors = {
      {"sizes",
       [] {
         pairwise_interactions(Tensor::zeros({2, 3}), Tensor::zeros({4, 2}));
       },
       "[pairwise_interactions] expects x (B, N) and factors (N, K), got (2, 3) and (4, 2)"}};
  sample.benchmarks = {{"4,096 rows of 256 features, 16 factors",
                        [] {
                          return Inputs{raw::cast(values({4096, 256}, 1), DType::f32),
                                        raw::cast(values({256, 16}, 2), DType::f32)};
                        },
                        [](const Inputs& in) { return pairwise_interactions(in[0], in[1]); },
                        2.0 * 4096 * 256 * 16 + 2.0 * 4096 * 256,
                        4.0 * (4096 * 256 + 256 * 16 + 4096)}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::interaction_samples
