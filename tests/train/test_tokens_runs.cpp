// Runs of the kind tokens, tiny ones.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "core/error.h"
#include "core/io/safetensors.h"
#include "tests/train/tiny_runs.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/tokens/tokens_config.h"

using namespace weft;
using namespace weft::train;
using test::refusal;
using test::TempFolder;

namespace {

TokensConfig tiny_tokens_config(const std::string& model = "transformer") {
  TokensConfig c;
  c.model = model;
  c.model.entry().begin(c);
  c.train = 256;
  c.validation = c.test = 100;
  test::set_known(c, {{"width", "8"}, {"heads", "2"}});
  c.batch = 32;
  c.steps = 6;
  c.eval_every = 3;
  return c;
}

}  // namespace

TEST_CASE("every model is trained on tokens, validated and tested, and sees the same batches") {
  const TempFolder folder;
  std::string hash;
  for (const std::string model : {"linear", "fm", "mlp", "cnn", "transformer", "ft"}) {
    CAPTURE(model);
    const TokensConfig c = tiny_tokens_config(model);
    const Summary summary = train_run(c, {.out = folder / model});
    const auto facts = kind_of(c).inspect_data(c);
    CHECK(static_cast<double>(summary.parameters) == kind_of(c).parameters(c, *facts));
    CHECK(kind_of(c).forward_flops(c, *facts) > 0);
    CHECK(summary.test.figure("accuracy") <= 1);
    if (hash.empty()) hash = summary.batch_hash;
    CHECK(summary.batch_hash == hash);
  }
}

TEST_CASE("each choice of attention and of what stands around it makes a model") {
  const TempFolder folder;
  int number = 0;
  const auto runs = [&](const auto& edit) {
    TokensConfig c = tiny_tokens_config();
    edit(c);
    CHECK(refusal(c) == "nothing thrown");
    return train_run(c, {.out = folder / std::to_string(number++)}).parameters;
  };
  const auto alone = [](TokensConfig& c) {
    test::set(c, {{"embed", "no"}, {"feed_forward", "false"}, {"norm", "none"}, {"heads", "1"}});
  };
  CHECK(runs([&](TokensConfig& c) {
          alone(c), test::set(c, {{"projections", "diagonal"}});
        }) == 3 * 8 + 32 + 33);
  CHECK(runs([&](TokensConfig& c) {
          alone(c);
          test::set(c, {{"projections", "diagonal"}, {"positions", "none"}, {"heads", "8"}});
        }) == 3 * 8 + 33);
  CHECK(runs([&](TokensConfig& c) { alone(c); }) == 4 * 72 + 32 + 33);
  CHECK(runs([&](TokensConfig& c) {
          alone(c), test::set(c, {{"attention", "linear"}});
        }) == 4 * 72 + 32 + 33);
  CHECK(runs([&](TokensConfig& c) {
          alone(c), test::set(c, {{"attention", "channels"}, {"norm", "rms"}});
        }) == 4 * 72 + 1 + 8 + 32 + 33);
  CHECK(runs([&](TokensConfig& c) {
          test::set(c, {{"one_token", "yes"}, {"label_smoothing", "0.1"}});
        }) > 0);
}

TEST_CASE(
    "a product of different dimensions is learned by a factorization machine, not by logistic "
    "regression") {
  const TempFolder folder;
  const auto accuracy = [&](const std::string& model) {
    TokensConfig c = tiny_tokens_config(model);
    c.train = 2000;
    c.test = 500;
    c.steps = c.eval_every = 300;
    c.lr = 0.03;
    return train_run(c, {.out = folder / model}).test.figure("accuracy");
  };
  CHECK(accuracy("fm") > 0.97);
  CHECK(std::abs(accuracy("linear") - 0.5) < 0.1);
}

TEST_CASE("a factorization machine recovers the planted pair among all pairs") {
  const TempFolder folder;
  TokensConfig c = tiny_tokens_config("fm");
  c.data = "different";  // the sign of x[0][0] x[1][F - 1]
  c.train = 4000;
  c.steps = c.eval_every = 500;
  c.lr = 0.02;
  train_run(c, {.out = folder / "fm"});
  std::vector<double> factors;
  std::int64_t rank = 0;
  for (const auto& [name, tensor] : read_safetensors(folder / "fm" / "last.safetensors").tensors) {
    if (!name.ends_with("factors") || name.find('/') != std::string::npos || rank > 0) continue;
    factors = tensor.to_vector<double>();
    rank = tensor.size(1);
  }
  REQUIRE(rank > 0);
  const std::int64_t features = std::ssize(factors) / rank;
  REQUIRE(features == c.tokens * c.features);
  double planted = 0, largest_other = 0;
  for (std::int64_t i = 0; i < features; ++i)
    for (std::int64_t j = i + 1; j < features; ++j) {
      double weight = 0;
      for (std::int64_t k = 0; k < rank; ++k)
        weight += factors[static_cast<std::size_t>(i * rank + k)] *
                  factors[static_cast<std::size_t>(j * rank + k)];
      if (i == 0 && j == 2 * c.features - 1)
        planted = weight;
      else
        largest_other = std::max(largest_other, std::abs(weight));
    }
  CHECK(planted > 5 * largest_other);
}

TEST_CASE("wines are told as numbers and as classes") {
  const TempFolder folder;
  TokensConfig c = tiny_tokens_config("linear");
  c.data = std::string(WEFT_SOURCE_DIR) + "/data/sets/winequality-white.csv";
  c.train = c.validation = c.test = 0;
  c.standardize = true;
  c.lr = 0.03;
  c.steps = c.eval_every = 200;
  const Summary numbers = train_run(c, {.out = folder / "numbers"});
  CHECK(numbers.test.figure("r2") ==
        doctest::Approx(0.25).epsilon(0.2));  // least squares: 0.28 over all wines
  CHECK(numbers.test.figure("mse") == doctest::Approx(0.57).epsilon(0.15));
  c.at_least = 7;
  CHECK(train_run(c, {.out = folder / "classes"}).test.figure("accuracy") > 0.77);
}

TEST_CASE("what a tokens run cannot be") {
  TokensConfig c = tiny_tokens_config();
  test::set(c, {{"projections", "diagonal"}, {"attention", "linear"}});
  CHECK(refusal(c) == "[config] diagonal projections are for softmax attention, not linear");
  c = tiny_tokens_config();
  test::set(c, {{"embed", "false"}, {"heads", "3"}});
  CHECK(refusal(c) == "[token_transformer] n_embd 8 is not divisible by n_head 3; use 6 or 9");
  c = tiny_tokens_config("ft");
  TokensConfig bare = c;
  test::set(bare, {{"norm", "none"}});
  CHECK_THROWS_WITH_AS(kind_of(bare).check(bare),
                       "[config] ft has norms: norm must be layer or rms, got none", ConfigError);
  c = tiny_tokens_config("cnn");
  test::set(c, {{"kernel", "2"}});
  CHECK(refusal(c) == "[token_cnn] kernel must be odd, 1 to 255, got 2");
  c = tiny_tokens_config();
  c.data = "triple";
  c.tokens = 2;
  CHECK(
      refusal(c) ==
      "[data] task triple relates features of 3 tokens and 3 dimensions: got tokens 2, features 8");
  const TempFolder folder;
  c = tiny_tokens_config();
  c.batch = 257;
  CHECK_THROWS_WITH_AS(train_run(c, {.out = folder / "x"}),
                       "[config] batch is larger than the data: batch 257, 256 training rows",
                       ConfigError);
  CHECK(kind_of(c).meaningless(c, "rank") == "model transformer");
  CHECK(kind_of(c).meaningless(c, "at_least") == "data different");
}
