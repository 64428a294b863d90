// Sizes at which something begins or ends: one more than a block, a last block that is not full,
// rows longer than a vector with the extreme anywhere. Samples are smaller and benchmarks rounder;
// planted faults (tests/mutation) passed both.
#include <limits>

#include "autograd/ops.h"
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

using EdgeInputs = std::vector<Tensor>;

/// A call in f64 against its definition, value and gradients, and in f32 against that: f64 takes
/// the same tiles and tasks, so that f32 against f64 alone, as at the benchmarks' sizes, does not
/// see one that is left out.
void check_edge(const std::string& what, const EdgeInputs& inputs, const GradFunction& call,
                const GradFunction& definition) {
  const Outcome exact = run(definition, cast_inputs(inputs, DType::f64));
  check_close(run(call, cast_inputs(inputs, DType::f64)), exact, 1e-10, 1e-9, what);
  check_close(run(call, cast_inputs(inputs, DType::f32)), exact, 1e-4, 1e-3, what + " in f32");
}

}  // namespace

TEST_CASE("attention at one token more than its blocks") {
  for (const std::int64_t tokens : {128, 129, 257})
    for (const bool causal : {true, false}) {
      const AttentionOptions how{.causal = causal};
      check_edge(
          fmt::format("{} tokens", tokens),
          {values({1, 2, tokens, 5}, 1), values({1, 2, tokens, 5}, 2),
           values({1, 2, tokens, 3}, 3)},
          [=](const EdgeInputs& in) {
            return scaled_dot_product_attention(in[0], in[1], in[2], how);
          },
          [=](const EdgeInputs& in) {
            return definition::scaled_dot_product_attention(in[0], in[1], in[2], how);
          });
    }
}

TEST_CASE("attention of many heads over more than one block") {
  const AttentionOptions how{.causal =
                                 true};  // with eight heads and more a task has a head to itself
  check_edge(
      "8 heads",
      {values({1, 8, 131, 2}, 1, -3, 3), values({1, 8, 131, 2}, 2, -3, 3),
       values({1, 8, 131, 2}, 3)},
      [=](const EdgeInputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2], how); },
      [=](const EdgeInputs& in) {
        return definition::scaled_dot_product_attention(in[0], in[1], in[2], how);
      });
}

TEST_CASE("lightning attention over more than one segment") {
  const std::int64_t tokens = 2048 + 65;
  for (const bool causal : {true, false}) {
    const LightningOptions how{.causal = causal, .decay = {0.999}};
    check_edge(
        causal ? "causal" : "not causal",
        {values({1, 1, tokens, 2}, 1), values({1, 1, tokens, 2}, 2),
         values({1, 1, tokens, 2}, 3, -0.1, 0.1)},
        [=](const EdgeInputs& in) { return lightning_attention(in[0], in[1], in[2], how); },
        [=](const EdgeInputs& in) {
          return definition::lightning_attention(in[0], in[1], in[2], how);
        });
  }
}

TEST_CASE("a linear layer of few rows and so many features that tasks share them") {
  check_edge(
      "linear", {values({2, 300}, 1), values({500, 300}, 2, -0.1, 0.1), values({500}, 3)},
      [](const EdgeInputs& in) { return linear(in[0], in[1], in[2]); },
      [](const EdgeInputs& in) { return add(matmul(in[0], transpose(in[1], 0, 1)), in[2]); });
}

TEST_CASE("norms, sums and embeddings of more rows and columns than one task takes") {
  check_edge(
      "layer_norm", {values({900, 40}, 1), values({40}, 2), values({40}, 3)},
      [](const EdgeInputs& in) { return layer_norm(in[0], in[1], in[2]); },
      [](const EdgeInputs& in) { return definition::layer_norm(in[0], in[1], in[2], 1e-5); });
  for (const Shape& shape : {Shape{200, 5}, Shape{65, 3}, Shape{70'000}}) {
    const Tensor x = values(shape, 1);
    const std::int64_t columns = shape.rank() == 1 ? 1 : shape[1];
    std::vector<double> expected(static_cast<std::size_t>(columns)), flat_x = flat(x);
    for (std::size_t i = 0; i < flat_x.size(); ++i)
      expected[i % static_cast<std::size_t>(columns)] += flat_x[i];
    check_close(sum(x, {0}).to_vector<double>(), expected, 1e-9, "sum of " + shape.str());
    check_close(sum(raw::cast(x, DType::f32), {0}).to_vector<double>(), expected, 1e-4,
                "sum in f32 of " + shape.str());
  }
  for (const std::int64_t width : {63, 64, 65, 130}) {
    const Tensor index = ids({50}, 7, 1);
    const Tensor one_hot = Tensor::zeros({50, 7}, DType::f64);
    for (std::int64_t i = 0; i < 50; ++i)
      one_hot.data<double>()[i * 7 + index.data<std::int64_t>()[i]] = 1;
    check_edge(
        fmt::format("embedding of width {}", width), {values({7, width}, 1)},
        [=](const EdgeInputs& in) { return embedding(in[0], index); },
        [=](const EdgeInputs& in) { return matmul(one_hot, in[0]); });
  }
}

TEST_CASE("convolutions whose last block of images is not full") {
  struct Sizes {
    Shape x, weight;
  };
  // The last: a part of the weight gradient's sum takes two blocks, a full one and then that one.
  for (const Sizes& sizes :
       {Sizes{{17, 3, 6, 5}, {6, 3, 3, 3}}, Sizes{{37, 3, 6, 5}, {6, 3, 3, 3}},
        Sizes{{39, 3, 6, 5}, {6, 3, 3, 3}}, Sizes{{88, 1, 95, 95}, {2, 1, 3, 3}}}) {
    const std::int64_t batch = sizes.x[0];
    const auto call = [](const EdgeInputs& in) {
      return conv2d(in[0], in[1], in[2], {.padding = {1, 1}});
    };
    // One image at a time is the definition: no block of images then holds more than one.
    check_edge(fmt::format("{} images", batch),
               {values(sizes.x, 1), values(sizes.weight, 2), values({sizes.weight[0]}, 3)}, call,
               [=](const EdgeInputs& in) {
                 std::vector<Tensor> images;
                 for (std::int64_t b = 0; b < batch; ++b)
                   images.push_back(call({slice(in[0], 0, b, b + 1), in[1], in[2]}));
                 return cat(images, 0);
               });
  }
}

TEST_CASE("softmax and cross entropy with one large value, wherever it stands") {
  constexpr std::int64_t kClasses = 133;
  for (const DType dtype : {DType::f32, DType::f64})
    for (std::int64_t place = 0; place < kClasses; ++place) {
      const Tensor x = Tensor::full({kClasses}, -1e4, dtype);
      raw::slice(x, 0, place, place + 1).fill(1e4);
      const std::vector<double> p = softmax(x, 0).to_vector<double>(),
                                log_p = log_softmax(x, 0).to_vector<double>();
      std::vector<double> expected(kClasses, 0.0), expected_log(kClasses, -2e4);
      expected[static_cast<std::size_t>(place)] = 1;
      expected_log[static_cast<std::size_t>(place)] = 0;
      CHECK(p == expected);
      CHECK(log_p == expected_log);
      CHECK(cross_entropy(reshape(x, {1, kClasses}), Tensor::from<std::int64_t>({place}, {1}))
                .item() == 0);
    }
}

TEST_CASE("the gradient of logsumexp over nothing but -infinity is 0, not NaN") {
  const double none = -std::numeric_limits<double>::infinity();
  const Tensor x = Tensor::from<double>({none, none, 1, none}, {2, 2});
  x.set_requires_grad();
  CHECK(grad({sum(logsumexp(x, {1}))}, {x})[0].to_vector<double>() ==
        std::vector<double>{0, 0, 1, 0});
}

TEST_CASE("at a tie each of two operands has half the gradient") {
  for (const auto op : {maximum, minimum}) {
    const Tensor a = Tensor::from<double>({1, 2, 3}, {3}), b = Tensor::from<double>({3, 2, 1}, {3});
    a.set_requires_grad();
    b.set_requires_grad();
    const std::vector<Tensor> gradients = grad({sum(op(a, b))}, {a, b});
    CHECK(gradients[0].at({1}) == 0.5);
    CHECK(gradients[1].at({1}) == 0.5);
  }
}

TEST_CASE("elementwise work on long rows that are no neighbors in memory") {
  for (const std::int64_t n : {63, 64, 65, 200, 40'000})
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Tensor a = raw::cast(values({n}, 1), dtype), b = raw::cast(values({n}, 2), dtype);
      std::vector<double> expected = a.to_vector<double>();
      const std::vector<double> other = b.to_vector<double>();
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] = dtype == DType::f32
                          ? static_cast<float>(expected[i]) + static_cast<float>(other[i])
                          : expected[i] + other[i];
      CHECK(add(a, b).to_vector<double>() == expected);
      CHECK(add(strided_copy(a, 1), b).to_vector<double>() == expected);
      CHECK(add(a, strided_copy(b, 1)).to_vector<double>() == expected);
      CHECK(add(strided_copy(a, 1), strided_copy(b, 1)).to_vector<double>() == expected);
    }
}
