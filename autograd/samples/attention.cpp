// Samples of scaled_dot_product_attention and attention_weights.
#include "autograd/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/shape_ops.h"
#include "autograd/sample.h"

namespace weft::samples::attention_samples {
namespace {

using Inputs = std::vector<Tensor>;
constexpr double kNone = -std::numeric_limits<double>::infinity();

/// Sizes and options of one case; inputs are q, k, v, then the bias if any, then the padding if
/// any.
struct Setting {
  std::int64_t batch = 2, heads = 2, kv_heads = 2, queries = 3, keys = 4, size = 2, value_size = 3;
  bool causal = false;
  std::optional<double> scale{};
  Shape bias{};  // empty: none
  bool forbidding_bias = false;
  bool padding = false;

  Shape q() const { return {batch, heads, queries, size}; }
  Shape k() const { return {batch, kv_heads, keys, size}; }
  Shape v() const { return {batch, kv_heads, keys, value_size}; }
};

/// All keys of the second batch are padding but the first; with an odd number of keys all of them
/// are.
Tensor padding_mask(const Setting& s) {
  const Tensor mask = Tensor::zeros({s.batch, s.keys}, DType::u8);
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t j = 0; j < s.keys; ++j)
      mask.data<std::uint8_t>()[b * s.keys + j] = b == 0 ? j == 1 : (j > 0 || s.keys % 2 == 1);
  return mask;
}

AttentionOptions options_of(const Setting& s, const Inputs& in, std::size_t next) {
  AttentionOptions options{.causal = s.causal, .scale = s.scale};
  if (!s.bias.empty()) options.bias = in[next++];
  if (s.padding) options.key_padding = in[next];
  return options;
}

/// The weights of every query, row by row.
std::vector<double> weights_of(const Setting& s, const Inputs& in, std::size_t next) {
  const std::vector<double> q = flat(in[0]), k = flat(in[1]);
  std::vector<double> bias, padding;
  if (!s.bias.empty()) bias = flat(raw::expand(in[next++], {s.batch, s.heads, s.queries, s.keys}));
  if (s.padding) padding = flat(in[next]);
  const double scale = s.scale.value_or(1 / std::sqrt(static_cast<double>(s.size)));
  std::vector<double> out;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h)
      for (std::int64_t i = 0; i < s.queries; ++i) {
        std::vector<double> row;
        const std::int64_t query = (b * s.heads + h) * s.queries + i;
        for (std::int64_t j = 0; j < s.keys; ++j) {
          const std::int64_t key = (b * s.kv_heads + h / (s.heads / s.kv_heads)) * s.keys + j;
          double score = 0;
          for (std::int64_t d = 0; d < s.size; ++d)
            score += scale * q[static_cast<std::size_t>(query * s.size + d)] *
                     k[static_cast<std::size_t>(key * s.size + d)];
          if (!bias.empty()) score += bias[static_cast<std::size_t>(query * s.keys + j)];
          if (s.causal && j > i + s.keys - s.queries) score = kNone;
          if (!padding.empty() && padding[static_cast<std::size_t>(b * s.keys + j)] != 0)
            score = kNone;
          row.push_back(score);
        }
        const double largest = row.empty() ? kNone : *std::max_element(row.begin(), row.end());
        double total = 0;
        for (double& score : row) total += score = score == kNone ? 0.0 : std::exp(score - largest);
        for (const double score : row) out.push_back(total == 0 ? 0.0 : score / total);
      }
  return out;
}

std::vector<double> outputs_of(const Setting& s, const Inputs& in) {
  const std::vector<double> weights = weights_of(s, in, 3), v = flat(in[2]);
  std::vector<double> out;
  for (std::int64_t row = 0; row < s.batch * s.heads * s.queries; ++row)
    for (std::int64_t d = 0; d < s.value_size; ++d) {
      const std::int64_t head = row / s.queries,
                         kv = head / s.heads * s.kv_heads + head % s.heads / (s.heads / s.kv_heads);
      double value = 0;
      for (std::int64_t j = 0; j < s.keys; ++j)
        value += weights[static_cast<std::size_t>(row * s.keys + j)] *
                 v[static_cast<std::size_t>((kv * s.keys + j) * s.value_size + d)];
      out.push_back(value);
    }
  return out;
}

Inputs inputs_of(const Setting& s, bool with_values) {
  Inputs inputs{values(s.q(), 1, -2, 2), values(s.k(), 2, -2, 2)};
  if (with_values) inputs.push_back(values(s.v(), 3));
  if (!s.bias.empty()) {
    inputs.push_back(values(s.bias, 4));
    if (s.forbidding_bias)
      for (std::int64_t i = 0; i < inputs.back().numel(); i += 2)
        inputs.back().data<double>()[i] = kNone;
  }
  if (s.padding) inputs.push_back(padding_mask(s));
  return inputs;
}

Case attention_case(std::string label, const Setting& s, std::int64_t max_elements = 0) {
  Case c{.label = std::move(label),
         .inputs = inputs_of(s, true),
         .call =
             [=](const Inputs& in) {
               return scaled_dot_product_attention(in[0], in[1], in[2], options_of(s, in, 3));
             },
         .reference = [=](const Inputs& in) { return outputs_of(s, in); }};
  if (s.forbidding_bias) c.without_grad = {3};
  c.check.max_elements = max_elements;
  if (max_elements > 0) c.no_second_order = "as the small cases, which are checked";
  return c;
}

/// q, k and v stored with time before heads, as a projection leaves them.
Case time_first_case() {
  const Setting s{.causal = true};
  return {.label = "time before heads",
          .inputs = {values({2, 3, 2, 2}, 1), values({2, 4, 2, 2}, 2), values({2, 4, 2, 3}, 3)},
          .call =
              [](const Inputs& in) {
                return scaled_dot_product_attention(transpose(in[0], 1, 2), transpose(in[1], 1, 2),
                                                    transpose(in[2], 1, 2), {.causal = true});
              },
          .reference =
              [=](const Inputs& in) {
                return outputs_of(s, {raw::transpose(in[0], 1, 2), raw::transpose(in[1], 1, 2),
                                      raw::transpose(in[2], 1, 2)});
              }};
}

std::vector<ErrorCase> errors_of(
    const std::string& name,
    const std::function<void(const Shape&, const Shape&, const AttentionOptions&)>& call) {
  const std::string prefix = "[" + name + "] ", v = name == "attention_weights" ? "" : ", v ";
  const auto shapes = [=](const Shape& q, const Shape& k) {
    return "q " + q.str() + ", k " + k.str() + (v.empty() ? "" : v + k.str());
  };
  const Shape q{2, 2, 3, 4}, k{2, 2, 5, 4};
  return {{"rank",
           [=] {
             call({3, 4}, k, {});
           },
           prefix + "operands must be (batch, heads, time, size): " + shapes({3, 4}, k)},
          {"batch",
           [=] {
             call(q, {1, 2, 5, 4}, {});
           },
           prefix + "batches differ: " + shapes(q, {1, 2, 5, 4})},
          {"head size",
           [=] {
             call(q, {2, 2, 5, 3}, {});
           },
           prefix + "head sizes of q and k differ: " + shapes(q, {2, 2, 5, 3})},
          {"groups",
           [=] {
             call({2, 3, 3, 4}, k, {});
           },
           prefix + "heads of q are not a multiple of those of k: " + shapes({2, 3, 3, 4}, k)},
          {"padding dtype",
           [=] {
             call(q, k, {.key_padding = Tensor::zeros({2, 5})});
           },
           prefix + "key_padding must be u8, got f32"},
          {"padding shape",
           [=] {
             call(q, k, {.key_padding = Tensor::zeros({2, 3}, DType::u8)});
           },
           prefix + "key_padding must be (2, 5), got (2, 3)"},
          {"bias shape",
           [=] {
             call(q, k, {.bias = Tensor::zeros({4, 5})});
           },
           prefix + "bias (4, 5) does not broadcast to the scores (2, 2, 3, 5)"},
          {"bias dtype", [=] { call(q, k, {.bias = Tensor::zeros({5}, DType::f64)}); },
           prefix + "bias must have the dtype of q, f32, got f64"},
          {"scale", [=] { call(q, k, {.scale = std::numeric_limits<double>::quiet_NaN()}); },
           prefix + "scale must be finite, got nan"}};
}

Benchmark benchmark(std::string label, std::int64_t batch, std::int64_t heads, std::int64_t time,
                    std::int64_t size, bool causal) {
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
            return scaled_dot_product_attention(transpose(in[0], 1, 2), transpose(in[1], 1, 2),
                                                transpose(in[2], 1, 2), {.causal = causal});
          },
          4 * n * static_cast<double>(time) / (causal ? 2 : 1), 16 * n};
}

Sample attention_sample() {
  Sample sample{.name = "scaled_dot_product_attention"};
  sample.cases = {
      attention_case("all keys", {}),
      attention_case("causal", {.queries = 4, .causal = true}),
      attention_case("causal, more keys", {.queries = 2, .keys = 5, .causal = true}),
      attention_case("causal, queries that see nothing", {.queries = 5, .keys = 3, .causal = true}),
      attention_case("grouped heads", {.heads = 4, .kv_heads = 2, .scale = 0.4}),
      attention_case("one key head", {.heads = 3, .kv_heads = 1, .causal = true}),
      attention_case("padding", {.padding = true}),
      attention_case("padding, a batch of nothing else",
                     {.keys = 5, .causal = true, .padding = true}),
      attention_case("bias", {.bias = {2, 2, 3, 4}}),
      attention_case("bias a head and key", {.causal = true, .bias = {2, 1, 4}}),
      attention_case("bias a query", {.bias = {3, 1}, .padding = true}),
      attention_case("forbidding bias", {.bias = {3, 4}, .forbidding_bias = true}),
      attention_case("one query",
                     {.queries = 1, .keys = 5, .causal = true, .bias = {2, 1, 5}, .padding = true}),
      attention_case(
          "one query, grouped",
          {.heads = 4, .kv_heads = 2, .queries = 1, .keys = 9, .size = 5, .value_size = 37}),
      attention_case("one key", {.keys = 1}),
      attention_case("no queries", {.queries = 0}),
      attention_case("no keys", {.keys = 0}),
      attention_case("no batch", {.batch = 0}),
      attention_case("several tiles, few heads",
                     {.batch = 1, .queries = 150, .keys = 270, .causal = true, .bias = {150, 270}},
                     12),
      attention_case("one row past a tile",
                     {.batch = 1, .queries = 129, .keys = 129, .causal = true}, 12),
      attention_case("several tiles, many heads",
                     {.batch = 2,
                      .heads = 8,
                      .kv_heads = 4,
                      .queries = 140,
                      .keys = 131,
                      .causal = true,
                      .padding = true},
                     12),
      time_first_case()};
  sample.errors = errors_of("scaled_dot_product_attention", [](const Shape& q, const Shape& k,
                                                               const AttentionOptions& options) {
    scaled_dot_product_attention(Tensor::zeros(q), Tensor::zeros(k), Tensor::zeros(k), options);
  });
  sample.errors.push_back({"values",
                           [] {
                             scaled_dot_product_attention(Tensor::zeros({1, 2, 3, 4}),
                                                          Tensor::zeros({1, 2, 3, 4}),
                                                          Tensor::zeros({1, 2, 4, 4}));
                           },
                           "[scaled_dot_product_attention] heads or lengths of k and v differ: q "
                           "(1, 2, 3, 4), k (1, 2, 3, 4), v (1, 2, 4, 4)"});
  sample.benchmarks = {benchmark("GPT (12, 4, 64, 32) causal", 12, 4, 64, 32, true),
                       benchmark("ViT (64, 4, 50, 16)", 64, 4, 50, 16, false),
                       benchmark("(8, 6, 256, 64) causal", 8, 6, 256, 64, true),
                       benchmark("(1, 4, 4096, 64) causal", 1, 4, 4096, 64, true)};
  return sample;
}

Case weights_case(std::string label, const Setting& s) {
  Case c{
      .label = std::move(label),
      .inputs = inputs_of(s, false),
      .call =
          [=](const Inputs& in) { return attention_weights(in[0], in[1], options_of(s, in, 2)); },
      .reference = [=](const Inputs& in) { return weights_of(s, in, 2); }};
  if (s.forbidding_bias) c.without_grad = {2};
  return c;
}

Sample weights_sample() {
  Sample sample{.name = "attention_weights"};
  sample.cases = {
      weights_case("all keys", {}), weights_case("causal", {.queries = 4, .causal = true}),
      weights_case("queries that see nothing", {.queries = 5, .keys = 3, .causal = true}),
      weights_case("grouped, bias, padding",
                   {.heads = 4, .kv_heads = 2, .scale = 0.4, .bias = {4, 1, 4}, .padding = true}),
      weights_case("no queries", {.queries = 0})};
  sample.errors = errors_of("attention_weights",
                            [](const Shape& q, const Shape& k, const AttentionOptions& options) {
                              attention_weights(Tensor::zeros(q), Tensor::zeros(k), options);
                            });
  const Shape shape{12, 4, 64, 32};
  sample.benchmarks = {
      {"GPT (12, 4, 64, 32) causal",
       [=] {
         return Inputs{raw::cast(values(shape, 1), DType::f32),
                       raw::cast(values(shape, 2), DType::f32)};
       },
       [](const Inputs& in) { return attention_weights(in[0], in[1], {.causal = true}); },
       2.0 * 12 * 4 * 64 * 64 * 32, 4.0 * 12 * 4 * (2 * 64 * 32 + 64 * 64)}};
  return sample;
}

const Register attention_register("scaled_dot_product_attention", Kind::op, attention_sample);
const Register weights_register("attention_weights", Kind::op, weights_sample);

}  // namespace
}  // namespace weft::samples::attention_samples
