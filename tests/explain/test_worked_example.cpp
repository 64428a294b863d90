// The worked example against loops in plain doubles, its Jacobians against differences, and what
// must be zero and what must not.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "autograd/autograd.h"
#include "core/error.h"
#include "tests/train/tiny_runs.h"
#include "train/explain/worked_example.h"

using namespace weft;
using namespace weft::explain;
using test::TempFolder;

namespace {

using Numbers = std::vector<double>;

/// The whole layer by loops. x (T, d); matrices (d, d).
struct Naive {
  std::size_t tokens, dim, heads;
  Numbers w_q, w_k, w_v;
  Numbers q, k, v, scores, weights;

  Naive(const Projections& p, std::size_t token_count, std::size_t head_count)
      : tokens(token_count),
        dim(static_cast<std::size_t>(p.w_q.size(0))),
        heads(head_count),
        w_q(p.w_q.to_vector<double>()),
        w_k(p.w_k.to_vector<double>()),
        w_v(p.w_v.to_vector<double>()) {}

  Numbers times(const Numbers& x, const Numbers& w) const {
    Numbers y(tokens * dim, 0.0);
    for (std::size_t t = 0; t < tokens; ++t)
      for (std::size_t o = 0; o < dim; ++o)
        for (std::size_t i = 0; i < dim; ++i) y[t * dim + o] += x[t * dim + i] * w[i * dim + o];
    return y;
  }

  Numbers z(const Numbers& x) {
    q = times(x, w_q);
    k = times(x, w_k);
    v = times(x, w_v);
    const std::size_t size = dim / heads;
    scores.assign(heads * tokens * tokens, 0.0);
    weights = scores;
    Numbers out(tokens * dim, 0.0);
    for (std::size_t h = 0; h < heads; ++h)
      for (std::size_t t = 0; t < tokens; ++t) {
        double sum = 0;
        for (std::size_t s = 0; s < tokens; ++s) {
          double& score = scores[(h * tokens + t) * tokens + s];
          for (std::size_t i = h * size; i < (h + 1) * size; ++i)
            score += q[t * dim + i] * k[s * dim + i];
          score /= std::sqrt(static_cast<double>(size));
          sum += std::exp(score);
        }
        for (std::size_t s = 0; s < tokens; ++s) {
          const double weight = std::exp(scores[(h * tokens + t) * tokens + s]) / sum;
          weights[(h * tokens + t) * tokens + s] = weight;
          for (std::size_t i = h * size; i < (h + 1) * size; ++i)
            out[t * dim + i] += weight * v[s * dim + i];
        }
      }
    return out;
  }

  Numbers after_ffn(const Numbers& in, const ExampleFeedForward& ffn) const {
    const Numbers w_1 = ffn.w_1.to_vector<double>(), b_1 = ffn.b_1.to_vector<double>(),
                  w_2 = ffn.w_2.to_vector<double>(), b_2 = ffn.b_2.to_vector<double>();
    const std::size_t hidden = b_1.size();
    Numbers out(tokens * dim);
    for (std::size_t t = 0; t < tokens; ++t) {
      for (std::size_t o = 0; o < dim; ++o) out[t * dim + o] = b_2[o];
      for (std::size_t n = 0; n < hidden; ++n) {
        double a = b_1[n];
        for (std::size_t i = 0; i < dim; ++i) a += in[t * dim + i] * w_1[i * hidden + n];
        const double g = a * 0.5 * (1 + std::erf(a / std::sqrt(2.0)));
        for (std::size_t o = 0; o < dim; ++o) out[t * dim + o] += g * w_2[n * dim + o];
      }
    }
    return out;
  }
};

double furthest(const Tensor& a, const Numbers& b) {
  const Numbers values = a.to_vector<double>();
  REQUIRE(values.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < b.size(); ++i) most = std::max(most, std::abs(values[i] - b[i]));
  return most;
}

Example example_of(const std::string& tokens, std::int64_t dim,
                   std::optional<std::int64_t> heads = {}, std::int64_t seed = 1) {
  return work_example({.tokens = tokens, .dim = dim, .seed = seed, .heads = heads});
}

}  // namespace

TEST_CASE("every step and the FFN agree with loops in plain doubles") {
  for (const auto& [tokens, dim, heads] : {std::tuple{"你好", 3, 1},
                                           {"你好", 3, 3},
                                           {"春眠不觉晓", 4, 2},
                                           {"a", 2, 1},
                                           {"abcab", 6, 3}}) {
    CAPTURE(tokens);
    CAPTURE(heads);
    const Example example = example_of(tokens, dim, heads);
    const Numbers x = example.tokens.x.to_vector<double>();
    for (std::size_t i = 0; i < 3; ++i) {
      Naive naive(example.projections[i], static_cast<std::size_t>(example.tokens.x.size(0)),
                  static_cast<std::size_t>(heads));
      const Numbers z = naive.z(x);
      const Steps& s = example.steps[i];
      CHECK(furthest(s.q, naive.q) < 1e-12);
      CHECK(furthest(s.k, naive.k) < 1e-12);
      CHECK(furthest(s.v, naive.v) < 1e-12);
      CHECK(furthest(s.scores, naive.scores) < 1e-12);
      CHECK(furthest(s.weights, naive.weights) < 1e-12);
      CHECK(furthest(s.z, z) < 1e-12);
      CHECK(furthest(feed_forward(s.z, example.ffn), naive.after_ffn(z, example.ffn)) < 1e-12);
    }
  }
}

TEST_CASE("every Jacobian agrees with differences of the loops") {
  const Example example = example_of("你好吗", 4, 2, 3);
  REQUIRE(example.arms.size() == 12);
  const std::size_t side = 12;
  for (const Arm& arm : example.arms) {
    CAPTURE(arm.name());
    Naive naive(example.projections[static_cast<std::size_t>(arm.mixing)], 3,
                static_cast<std::size_t>(arm.heads));
    const auto f = [&](const Numbers& x) {
      return arm.ffn ? naive.after_ffn(naive.z(x), example.ffn) : naive.z(x);
    };
    Numbers x = example.tokens.x.to_vector<double>(), expected(side * side);
    for (std::size_t j = 0; j < side; ++j) {
      const double at = x[j], h = 1e-5;
      x[j] = at + h;
      const Numbers above = f(x);
      x[j] = at - h;
      const Numbers below = f(x);
      x[j] = at;
      for (std::size_t i = 0; i < side; ++i)
        expected[i * side + j] = (above[i] - below[i]) / (2 * h);
    }
    CHECK(furthest(arm.jacobian, expected) < 1e-8);
  }
}

TEST_CASE("with the weights held constant a diagonal W_V keeps every dimension to itself") {
  const Example example = example_of("你好", 3);
  for (const Mixing mixing : {Mixing::identity, Mixing::diagonal}) {
    const Projections& p = example.projections[static_cast<std::size_t>(mixing)];
    const Tensor weights = attend(example.tokens.x, p, 1).weights;
    const Tensor frozen =
        jacobian([&](const Tensor& x) { return attend(x, p, 1, weights).z; }, example.tokens.x);
    for (std::int64_t t = 0; t < 2; ++t)
      for (std::int64_t i = 0; i < 3; ++i)
        for (std::int64_t s = 0; s < 2; ++s)
          for (std::int64_t j = 0; j < 3; ++j) {
            const double expected = i == j ? weights.at({0, t, s}) * p.w_v.at({i, i}) : 0.0;
            if (i == j)
              CHECK(frozen.at({t, i, s, j}) == doctest::Approx(expected));
            else
              CHECK(frozen.at({t, i, s, j}) == 0.0);
          }
    CHECK(example.find(mixing, 1, false)->frozen.cross().nonzero == 0);
  }
  CHECK(example.find(Mixing::full, 1, false)->frozen.cross().nonzero == 24);
}

TEST_CASE(
    "through the softmax one head couples all dimensions, several heads their own, full matrices "
    "and an FFN everything") {
  const Example example = example_of("你好", 4);
  CHECK(example.several == 2);
  for (const Mixing mixing : {Mixing::identity, Mixing::diagonal}) {
    const Dependence& one = example.find(mixing, 1, false)->whole;
    CHECK(one.within.of == 24);
    CHECK(one.between.of == 24);
    CHECK(one.cross().nonzero == 48);
    CHECK_FALSE(one.only_within_heads == (one.cross().nonzero == 0));
    const Dependence& two = example.find(mixing, 2, false)->whole;
    CHECK(two.only_within_heads);
    CHECK(two.cross().nonzero == 16);  // of each of 4 pairs of tokens, two blocks of 2 x 2 have two
                                       // entries beside the diagonal
    const Tensor& j = example.find(mixing, 2, false)->jacobian;
    CHECK(j.at({0, 0, 1, 2}) == 0.0);
    CHECK(j.at({1, 3, 0, 1}) == 0.0);
    CHECK(example.find(mixing, 2, true)->whole.cross().nonzero == 48);
  }
  for (const std::int64_t heads : {1, 2})
    for (const bool ffn : {false, true})
      CHECK(example.find(Mixing::full, heads, ffn)->whole.cross().nonzero == 48);
  // A head for each dimension: the thread's picture.
  const Example three = example_of("你好", 3);
  CHECK(three.find(Mixing::diagonal, 3, false)->whole.cross().nonzero == 0);
  CHECK(three.find(Mixing::diagonal, 3, false)->whole.largest_cross == 0.0);
  // One token: its weight is 1, and nothing comes through the softmax.
  const Example one = example_of("你", 3);
  CHECK(one.find(Mixing::identity, 1, false)->whole.cross().nonzero == 0);
  CHECK(one.find(Mixing::identity, 1, false)->whole.between.of == 0);
  CHECK(one.find(Mixing::full, 1, false)->whole.cross().nonzero == 6);
}

TEST_CASE("the products in the scores are W_Q W_K^T / sqrt(D)") {
  const Example example = example_of("你好", 4);
  for (const std::int64_t heads : {1, 2, 4})
    for (const Projections& p : example.projections) {
      const Tensor sizes = score_products(p, example.tokens.x, heads);
      for (std::int64_t i = 0; i < 4; ++i)
        for (std::int64_t j = 0; j < 4; ++j) {
          double expected = 0;
          for (std::int64_t h = 0; h < heads; ++h) {
            double sum = 0;
            for (std::int64_t n = h * 4 / heads; n < (h + 1) * 4 / heads; ++n)
              sum += p.w_q.at({i, n}) * p.w_k.at({j, n});
            expected =
                std::max(expected, std::abs(sum) / std::sqrt(4.0 / static_cast<double>(heads)));
          }
          CHECK(sizes.at({i, j}) == doctest::Approx(expected));
        }
    }
  CHECK(example.products[0].cross.nonzero == 0);
  CHECK(example.products[1].cross.nonzero == 0);
  CHECK(example.products[2].cross.nonzero == 12);
}

TEST_CASE("a character has one vector, a seed one example") {
  const Tokens tokens = make_tokens({.tokens = "人之人"});
  for (std::int64_t i = 0; i < 3; ++i) CHECK(tokens.x.at({0, i}) == tokens.x.at({2, i}));
  CHECK(make_tokens({.tokens = "之"}).x.at({0, 0}) == tokens.x.at({1, 0}));
  CHECK(make_tokens({.tokens = "之", .seed = 2}).x.at({0, 0}) != tokens.x.at({1, 0}));
  CHECK(to_json(example_of("你好", 3)) == to_json(example_of("你好", 3)));
}

TEST_CASE("the conclusion follows the figures") {
  const auto holds = [](const std::string& text, const std::string& part) {
    CAPTURE(text);
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  };
  const std::string three = conclusion(example_of("你好", 3));
  holds(three,
        "none of 6 with identity matrices, none of 6 with diagonal and all 6 with full ones: "
        "dimension 1 meets only dimension 1, as the thread says");
  holds(three,
        "with one head: identity all 24, diagonal all 24, full all 24; with the attention weights "
        "held constant none is left");
  holds(three,
        "With 3 heads of 1 dimension: identity none of 24, diagonal none of 24, full all 24; a "
        "head that sees one dimension alone");
  holds(three, "Dimensions stay apart with: identity, 3 heads; diagonal, 3 heads.");
  const std::string four = conclusion(example_of("你好", 4));
  holds(four, "within a head's own dimensions");
  CHECK(four.find("stay apart") == std::string::npos);
  holds(conclusion(example_of("你", 3)), "A single token's weight is always 1");
  holds(conclusion(example_of("你好", 1)), "take --dim 2 or more");

  const TempFolder folder;
  const std::string file = (folder / "x.csv").string();
  write_file(file,
             "3000,-2000\n-1000,4000\n");  // the softmax is saturated: nothing passes through it
  const std::string saturated = conclusion(work_example({.file = file}));
  holds(saturated, "The softmax passes nothing on at these numbers");
  write_file(file, "1,2,7\n3,5,7\n");
  holds(conclusion(work_example({.file = file})), "dimension 3 is the same in all tokens");
}

TEST_CASE("a file's numbers become the tokens") {
  const TempFolder folder;
  const std::string file = (folder / "x.csv").string();
  write_file(file, "\xEF\xBB\xBF# two tokens\r\n1, -2.5;3e1\r\n\n  +4\t5   .5  \n");
  const Tokens tokens = make_tokens({.file = file});
  CHECK(tokens.x.shape() == Shape{2, 3});
  CHECK(tokens.x.to_vector<double>() == Numbers{1, -2.5, 30, 4, 5, .5});
  CHECK(tokens.names == std::vector<std::string>{"token 1", "token 2"});
  CHECK(make_tokens({.tokens = "你好", .file = file}).names[0] == "你");
  CHECK_THROWS_AS(make_tokens({.tokens = "你好吗", .file = file}), ConfigError);
  CHECK_THROWS_AS(make_tokens({.dim = 2, .file = file}), ConfigError);
}

TEST_CASE(
    "text, page and JSON hold the same figures, and nothing in a token breaks out of the page") {
  const Example example = work_example({.tokens = "</script>", .dim = 2});
  const std::string html = to_html(example);
  CHECK(html.find("\"</script>") == std::string::npos);
  CHECK(html.find("\"<\"") == std::string::npos);
  CHECK(html.find("http") == std::string::npos);
  CHECK(html.find("<link") == std::string::npos);
  std::size_t ends = 0;
  for (std::size_t at = html.find("</script>"); at != std::string::npos;
       at = html.find("</script>", at + 1))
    ++ends;
  CHECK(ends == 1);

  const Example small = example_of("你好", 3);
  const auto json = nlohmann::json::parse(to_json(small));
  CHECK(json["arms"].size() == 12);
  CHECK(json["arms"][0]["jacobian"][1][2][0][1].get<double>() ==
        small.arms[0].jacobian.at({1, 2, 0, 1}));
  CHECK(json["steps"][2]["matrices"] == "full");
  CHECK(json["steps"][2]["weights"][0][1][0].get<double>() == small.steps[2].weights.at({0, 1, 0}));
  CHECK(json["conclusion"] == conclusion(small));
  const std::string text = to_text(small, Mixing::full);
  CHECK(text.find(fmt::format("{:.3f}", small.steps[2].z.at({0, 0}))) != std::string::npos);
  CHECK(text.find(
            fmt::format("{:.3f}", small.find(Mixing::full, 1, false)->jacobian.at({1, 0, 0, 2}))) !=
        std::string::npos);
}
