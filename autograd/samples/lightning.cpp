// Samples of lightning_attention.
#include "autograd/ops/lightning.h"

#include <cmath>

#include "autograd/ops/shape_ops.h"
#include "autograd/sample.h"

namespace weft::samples::lightning_samples {
namespace {

using Inputs = std::vector<Tensor>;

struct Setting {
  std::int64_t batch = 2, heads = 2, time = 5, size = 2, value_size = 3;
  bool causal = true;
  std::vector<double> decay{};

  Shape q() const { return {batch, heads, time, size}; }
  Shape v() const { return {batch, heads, time, value_size}; }
};

std::vector<double> outputs_of(const Setting& s, const Inputs& in) {
  const std::vector<double> q = flat(in[0]), k = flat(in[1]), v = flat(in[2]);
  const auto at = [](const std::vector<double>& x, std::int64_t row, std::int64_t size,
                     std::int64_t d) { return x[static_cast<std::size_t>(row * size + d)]; };
  std::vector<double> out;
  for (std::int64_t head = 0; head < s.batch * s.heads; ++head)
    for (std::int64_t i = 0; i < s.time; ++i) {
      std::vector<double> row(static_cast<std::size_t>(s.value_size), 0.0);
      for (std::int64_t j = 0; j < (s.causal ? i + 1 : s.time); ++j) {
        double score = 0;
        for (std::int64_t d = 0; d < s.size; ++d)
          score += at(q, head * s.time + i, s.size, d) * at(k, head * s.time + j, s.size, d);
        if (!s.decay.empty())
          score *= std::pow(s.decay[static_cast<std::size_t>(head % s.heads)],
                            static_cast<double>(std::abs(i - j)));
        for (std::int64_t d = 0; d < s.value_size; ++d)
          row[static_cast<std::size_t>(d)] += score * at(v, head * s.time + j, s.value_size, d);
      }
      out.insert(out.end(), row.begin(), row.end());
    }
  return out;
}

Case lightning_case(std::string label, const Setting& s, std::int64_t max_elements = 0) {
  Case c{.label = std::move(label),
         .inputs = {values(s.q(), 1), values(s.q(), 2), values(s.v(), 3)},
         .call =
             [=](const Inputs& in) {
               return lightning_attention(in[0], in[1], in[2],
                                          {.causal = s.causal, .decay = s.decay});
             },
         .reference = [=](const Inputs& in) { return outputs_of(s, in); }};
  c.check.max_elements = max_elements;
  if (max_elements > 0) {
    c.no_second_order = "as the small cases, which are checked";
    c.f32_tolerance = 1e-4;
  }
  return c;
}

/// Stored with time before heads, as a projection leaves them.
Case time_first_case() {
  const Setting s{.decay = {0.9, 0.5}};
  return {.label = "time before heads",
          .inputs = {values({2, 5, 2, 2}, 1), values({2, 5, 2, 2}, 2), values({2, 5, 2, 3}, 3)},
          .call =
              [=](const Inputs& in) {
                return lightning_attention(transpose(in[0], 1, 2), transpose(in[1], 1, 2),
                                           transpose(in[2], 1, 2), {.decay = s.decay});
              },
          .reference =
              [=](const Inputs& in) {
                return outputs_of(s, {raw::transpose(in[0], 1, 2), raw::transpose(in[1], 1, 2),
                                      raw::transpose(in[2], 1, 2)});
              }};
}

Benchmark benchmark(std::string label, std::int64_t batch, std::int64_t heads, std::int64_t time,
                    std::int64_t size) {
  const Shape stored{batch, time, heads, size};
  const double n =
      static_cast<double>(batch * heads) * static_cast<double>(time) * static_cast<double>(size);
  return {std::move(label),
          [=] {
            Inputs inputs;
            for (std::uint64_t i = 1; i <= 3; ++i)
              inputs.push_back(raw::cast(values(stored, i), DType::f32));
            return inputs;
          },
          [=](const Inputs& in) {
            return lightning_attention(
                transpose(in[0], 1, 2), transpose(in[1], 1, 2), transpose(in[2], 1, 2),
                {.decay = std::vector<double>(static_cast<std::size_t>(heads), 0.99)});
          },
          n * (2.0 * 64 + 4.0 * static_cast<double>(size)), 16 * n};
}

Sample lightning_sample() {
  const std::vector<double> decay{0.9, 0.5};
  Sample sample{.name = "lightning_attention"};
  sample.cases = {
      lightning_case("no decay", {}),
      lightning_case("decay", {.decay = decay}),
      lightning_case("both ways", {.causal = false}),
      lightning_case("both ways, decay", {.causal = false, .decay = decay}),
      lightning_case("one token", {.time = 1, .decay = decay}),
      lightning_case("no tokens", {.time = 0, .decay = decay}),
      lightning_case("no batch", {.batch = 0}),
      lightning_case("no heads", {.heads = 0}),
      lightning_case("keys without features", {.size = 0}),
      lightning_case("values without features", {.value_size = 0}),
      lightning_case("several blocks", {.batch = 1, .time = 200, .decay = {0.99, 0.7}}, 12),
      lightning_case("several blocks, both ways",
                     {.batch = 1, .time = 150, .causal = false, .decay = {0.99, 0.7}}, 12),
      lightning_case("one token past a block, many heads",
                     {.batch = 3,
                      .heads = 4,
                      .time = 65,
                      .size = 5,
                      .value_size = 17,
                      .decay = {1, 0.9, 0.5, 1e-3}},
                     12),
      lightning_case(
          "several segments",
          {.batch = 1, .heads = 1, .time = 4200, .size = 3, .value_size = 2, .decay = {0.999}}, 6),
      lightning_case("several segments, both ways",
                     {.batch = 1,
                      .heads = 1,
                      .time = 2100,
                      .size = 3,
                      .value_size = 2,
                      .causal = false,
                      .decay = {0.999}},
                     6),
      time_first_case()};
  const std::string prefix = "[lightning_attention] ";
  const auto call = [](const Shape& q, const Shape& k, const Shape& v,
                       const LightningOptions& options) {
    lightning_attention(Tensor::zeros(q), Tensor::zeros(k), Tensor::zeros(v), options);
  };
  const Shape q{2, 2, 3, 4}, v{2, 2, 3, 5};
  sample.errors = {
      {"rank",
       [=] {
         call({3, 4}, q, v, {});
       },
       prefix +
           "operands must be (batch, heads, time, size): q (3, 4), k (2, 2, 3, 4), v (2, 2, 3, 5)"},
      {"keys",
       [=] {
         call(q, {2, 2, 4, 4}, v, {});
       },
       prefix + "q and k must have one shape: q (2, 2, 3, 4), k (2, 2, 4, 4), v (2, 2, 3, 5)"},
      {"values",
       [=] {
         call(q, q, {2, 2, 4, 4}, {});
       },
       prefix + "batches, heads or lengths of q and v differ: q (2, 2, 3, 4), k (2, 2, 3, 4), v "
                "(2, 2, 4, 4)"},
      {"decays", [=] { call(q, q, v, {.decay = {0.5}}); },
       prefix + "expects one decay per head, 2, got 1"},
      {"decay",
       [=] {
         call(q, q, v, {.decay = {0.5, 1.5}});
       },
       prefix + "a decay must be above 0 and at most 1, got 1.5"},
      {"state both ways",
       [=] {
         call(q, q, v, {.causal = false, .state = Tensor::zeros({2, 2, 4, 5})});
       },
       prefix + "a state needs causal attention: what follows is not known yet"},
      {"state",
       [=] {
         call(q, q, v, {.state = Tensor::zeros({2, 2, 5, 4})});
       },
       prefix + "the state must be (2, 2, 4, 5)and contiguous, got (2, 2, 5, 4)"},
      {"state dtype",
       [=] {
         call(q, q, v, {.state = Tensor::zeros({2, 2, 4, 5}, DType::f64)});
       },
       prefix + "the state must have the dtype of q, f32, got f64"},
      {"dtypes",
       [=] {
         lightning_attention(Tensor::zeros(q), Tensor::zeros(q, DType::f64), Tensor::zeros(v));
       },
       prefix + "operands of different dtypes: q f32, k f64, v f32; cast one"}};
  sample.benchmarks = {
      benchmark("GPT (12, 4, 64, 32)", 12, 4, 64, 32), benchmark("(8, 6, 256, 64)", 8, 6, 256, 64),
      benchmark("(1, 8, 1024, 64)", 1, 8, 1024, 64), benchmark("(1, 8, 8192, 64)", 1, 8, 8192, 64)};
  return sample;
}

const Register lightning_register("lightning_attention", Kind::op, lightning_sample);

}  // namespace
}  // namespace weft::samples::lightning_samples
