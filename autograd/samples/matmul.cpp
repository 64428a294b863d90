// Samples of matmul and linear.
#include "autograd/ops/matmul.h"

#include <algorithm>

#include "autograd/ops/shape_ops.h"
#include "autograd/sample.h"

namespace weft::samples::matmul_samples {
namespace {

using Inputs = std::vector<Tensor>;

Tensor f32(const Shape& shape, std::uint64_t salt) {
  return raw::cast(values(shape, salt), DType::f32);
}

/// Which matrix of `shape`, broadcast to the batch dimensions, stands at place `index`.
std::int64_t batch_of(std::int64_t index, const Shape& batch, const Shape& shape) {
  std::int64_t place = 0, step = 1;
  for (int i = batch.rank() - 1, d = shape.rank() - 3; i >= 0 && d >= 0; --i, --d) {
    if (shape[d] != 1) place += index % batch[i] * step;
    step *= shape[d];
    index /= batch[i];
  }
  return place;
}

std::vector<double> product(const std::vector<double>& a, Shape sa, const std::vector<double>& b,
                            Shape sb) {
  if (sa.rank() == 1) sa.insert(0, 1);
  if (sb.rank() == 1) sb.push_back(1);
  const std::int64_t m = sa[sa.rank() - 2], k = sa.back(), n = sb.back();
  const Shape batch = broadcast_shapes(Shape(sa.begin(), sa.end() - 2),
                                       Shape(sb.begin(), sb.end() - 2), "reference");
  std::vector<double> out(static_cast<std::size_t>(batch.numel() * m * n), 0.0);
  for (std::int64_t g = 0; g < batch.numel(); ++g)
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t l = 0; l < k; ++l)
          out[static_cast<std::size_t>((g * m + i) * n + j)] +=
              a[static_cast<std::size_t>((batch_of(g, batch, sa) * m + i) * k + l)] *
              b[static_cast<std::size_t>((batch_of(g, batch, sb) * k + l) * n + j)];
  return out;
}

Case matmul_case(std::string label, const Shape& a, const Shape& b) {
  return {.label = std::move(label),
          .inputs = {values(a, 1), values(b, 2)},
          .call = [](const Inputs& in) { return matmul(in[0], in[1]); },
          .reference =
              [](const Inputs& in) {
                return product(flat(in[0]), in[0].shape(), flat(in[1]), in[1].shape());
              }};
}

/// Both operands stored transposed, read in place.
Case transposed_case() {
  return {
      .label = "transposed views",
      .inputs = {values({2, 4, 3}, 1), values({5, 4}, 2)},
      .call =
          [](const Inputs& in) { return matmul(transpose(in[0], 1, 2), transpose(in[1], 0, 1)); },
      .reference =
          [](const Inputs& in) {
            const Tensor a = raw::transpose(in[0], 1, 2), b = raw::transpose(in[1], 0, 1);
            return product(flat(a), a.shape(), flat(b), b.shape());
          }};
}

Case expanded_case() {
  return {.label = "expanded rows",
          .inputs = {values({1, 4}, 1), values({4, 3}, 2)},
          .call =
              [](const Inputs& in) {
                return matmul(expand(in[0], {3, 4}), in[1]);
              },
          .reference =
              [](const Inputs& in) {
                const Tensor a = raw::expand(in[0], {3, 4});
                return product(flat(a), a.shape(), flat(in[1]), in[1].shape());
              }};
}

Benchmark matmul_benchmark(const Shape& a, const Shape& b, double flops) {
  const double bytes =
      4.0 * static_cast<double>(a.numel() + b.numel() + a.numel() / a.back() * b.back());
  return {a.str() + " x " + b.str(),
          [=] {
            return Inputs{f32(a, 1), f32(b, 2)};
          },
          [](const Inputs& in) { return matmul(in[0], in[1]); }, flops, bytes};
}

Sample matmul_sample() {
  Sample sample{.name = "matmul"};
  sample.cases = {matmul_case("matrices", {3, 4}, {4, 5}),
                  matmul_case("odd sizes", {7, 19}, {19, 11}),
                  matmul_case("batched", {2, 3, 4}, {2, 4, 5}),
                  matmul_case("broadcast both", {2, 1, 3, 4}, {3, 4, 2}),
                  matmul_case("folded", {2, 3, 4}, {4, 5}),
                  matmul_case("shared left", {3, 4}, {2, 4, 5}),
                  matmul_case("row", {4}, {4, 5}),
                  matmul_case("column", {2, 3, 4}, {4}),
                  matmul_case("row of a batch", {4}, {2, 4, 3}),
                  matmul_case("inner product", {6}, {6}),
                  matmul_case("one element", {1, 1}, {1, 1}),
                  matmul_case("nothing summed", {3, 0}, {0, 2}),
                  matmul_case("no rows", {0, 4}, {4, 2}),
                  matmul_case("no batches", {0, 2, 3}, {3, 2}),
                  matmul_case("no columns", {2, 2, 3}, {3, 0}),
                  transposed_case(),
                  expanded_case()};
  sample.errors = {{"inner",
                    [] {
                      matmul(Tensor::zeros({4, 8}), Tensor::zeros({6, 3}));
                    },
                    "[matmul] inner dimensions differ: a (4, 8), b (6, 3)"},
                   {"scalar",
                    [] {
                      matmul(Tensor::zeros({}), Tensor::zeros({6, 3}));
                    },
                    "[matmul] operands must have at least one dimension: a (), b (6, 3); use mul"},
                   {"mixed",
                    [] {
                      matmul(Tensor::zeros({2, 2}), Tensor::zeros({2, 2}, DType::f64));
                    },
                    "[matmul] operands of different dtypes: a f32, b f64; cast one"},
                   {"integers",
                    [] {
                      matmul(Tensor::zeros({2, 2}, DType::i64), Tensor::zeros({2, 2}, DType::i64));
                    },
                    "[matmul] expects f32 or f64, got i64"}};
  sample.benchmarks = {matmul_benchmark({768, 128}, {128, 512}, 2.0 * 768 * 128 * 512),
                       matmul_benchmark({48, 64, 32}, {48, 32, 64}, 2.0 * 48 * 64 * 32 * 64),
                       matmul_benchmark({1024, 1024}, {1024, 1024}, 2.0 * 1024 * 1024 * 1024)};
  return sample;
}

std::vector<double> affine(const Inputs& in) {
  const std::vector<double> x = flat(in[0]), w = flat(in[1]),
                            bias = in.size() > 2 ? flat(in[2]) : std::vector<double>();
  const std::size_t inner = static_cast<std::size_t>(in[1].size(1)),
                    outer = static_cast<std::size_t>(in[1].size(0));
  std::size_t rows = 1;
  for (int i = 0; i + 1 < in[0].rank(); ++i) rows *= static_cast<std::size_t>(in[0].size(i));
  std::vector<double> out;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t o = 0; o < outer; ++o) {
      double value = bias.empty() ? 0.0 : bias[o];
      for (std::size_t i = 0; i < inner; ++i) value += x[r * inner + i] * w[o * inner + i];
      out.push_back(value);
    }
  return out;
}

Case linear_case(std::string label, const Shape& x, const Shape& weight, bool bias) {
  Inputs inputs{values(x, 1), values(weight, 2)};
  if (bias) inputs.push_back(values({weight[0]}, 3));
  return {
      .label = std::move(label),
      .inputs = std::move(inputs),
      .call =
          [](const Inputs& in) { return linear(in[0], in[1], in.size() > 2 ? in[2] : Tensor()); },
      .reference = affine};
}

Benchmark linear_benchmark(const char* label, std::int64_t rows, std::int64_t in_size,
                           std::int64_t out_size) {
  const auto n = static_cast<double>(rows), in = static_cast<double>(in_size),
             out = static_cast<double>(out_size);
  return {label,
          [=] {
            return Inputs{f32({rows, in_size}, 1), f32({out_size, in_size}, 2), f32({out_size}, 3)};
          },
          [](const Inputs& inputs) { return linear(inputs[0], inputs[1], inputs[2]); },
          2 * n * in * out, 4 * (n * in + in * out + n * out)};
}

Sample linear_sample() {
  Sample sample{.name = "linear"};
  sample.cases = {linear_case("matrix", {3, 4}, {5, 4}, true),
                  linear_case("no bias", {2, 3, 4}, {5, 4}, false),
                  linear_case("folded", {2, 3, 4}, {5, 4}, true),
                  linear_case("one row", {4}, {3, 4}, true),
                  linear_case("many rows", {70, 3}, {4, 3}, true),
                  linear_case("no rows", {0, 4}, {3, 4}, true),
                  linear_case("nothing in", {2, 0}, {3, 0}, true),
                  linear_case("nothing out", {2, 3}, {0, 3}, true)};
  sample.errors = {
      {"inner",
       [] {
         linear(Tensor::zeros({2, 3}), Tensor::zeros({4, 5}));
       },
       "[linear] the last dimension of x is not weight's second: x (2, 3), weight (4, 5)"},
      {"weight rank",
       [] {
         linear(Tensor::zeros({2, 3}), Tensor::zeros({3}));
       },
       "[linear] x must have a last dimension and weight be (out, in): x (2, 3), weight (3,)"},
      {"bias",
       [] {
         linear(Tensor::zeros({2, 3}), Tensor::zeros({4, 3}), Tensor::zeros({3}));
       },
       "[linear] bias must be (out,): x (2, 3), weight (4, 3), bias (3,)"},
      {"mixed",
       [] {
         linear(Tensor::zeros({2, 3}), Tensor::zeros({4, 3}, DType::f64));
       },
       "[linear] operands of different dtypes: x f32, weight f64, bias none; cast one"}};
  sample.benchmarks = {linear_benchmark("GPT up (768, 128) -> 512", 768, 128, 512),
                       linear_benchmark("GPT down (768, 512) -> 128", 768, 512, 128),
                       linear_benchmark("ViT qkv (6400, 64) -> 192", 6400, 64, 192),
                       linear_benchmark("wide (3072, 384) -> 1536", 3072, 384, 1536)};
  return sample;
}

const Register matmul_register("matmul", Kind::op, matmul_sample);
const Register linear_register("linear", Kind::op, linear_sample);

}  // namespace
}  // namespace weft::samples::matmul_samples
