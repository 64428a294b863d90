#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "data/synthetic/token_data.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::message_of;

namespace {

float label_by_hand(TokenTask task, const float* x, std::int64_t features) {
  const float a = x[0], within = x[features - 1], same = x[features],
              different = x[2 * features - 1], third = x[2 * features + features / 2];
  float value = 0;
  if (task == TokenTask::additive) value = a + different + third;
  if (task == TokenTask::within) value = a * within;
  if (task == TokenTask::same) value = a * same;
  if (task == TokenTask::different) value = a * different;
  if (task == TokenTask::triple) value = a * different * third;
  return value > 0 ? 1 : 0;
}

TokenData small(TokenTask task, SyntheticTokens o = {}) {
  o.task = task;
  o.train = 400;
  o.validation = 50;
  o.test = 30;
  return synthetic_tokens(o);
}

}  // namespace

TEST_CASE(
    "labels are the signs that the task says, and nothing tells them but the whole relation") {
  for (const TokenTask task : {TokenTask::additive, TokenTask::within, TokenTask::same,
                               TokenTask::different, TokenTask::triple}) {
    const TokenData data = small(task);
    const float *x = data.tokens(Split::train).data<float>(),
                *y = data.targets(Split::train).data<float>();
    double ones = 0;
    for (std::int64_t i = 0; i < data.size(Split::train); ++i) {
      CHECK(y[i] == label_by_hand(task, x + i * 32, 8));
      ones += y[i];
    }
    CHECK(ones / 400 == doctest::Approx(0.5).epsilon(0.2));
  }
  const TokenData coins = small(TokenTask::random);
  CHECK(coins.target_statistics().mean == doctest::Approx(0.5).epsilon(0.2));
}

TEST_CASE(
    "features are signs times magnitudes from 0.5 to 1.5, and the same numbers for every task and "
    "size") {
  const TokenData data = small(TokenTask::within), other = small(TokenTask::triple);
  const auto x = data.tokens(Split::train).to_vector<double>();
  double sum = 0;
  for (const double value : x) {
    CHECK(std::abs(value) >= 0.5);
    CHECK(std::abs(value) <= 1.5);
    sum += value;
  }
  CHECK(std::abs(sum / static_cast<double>(x.size())) < 0.05);
  CHECK(x == other.tokens(Split::train).to_vector<double>());
  const TokenData more =
      synthetic_tokens({.task = TokenTask::within, .train = 500, .validation = 1, .test = 1});
  const auto longer = more.tokens(Split::train).to_vector<double>();
  CHECK(std::equal(x.begin(), x.end(), longer.begin()));
  CHECK(synthetic_tokens({.train = 8, .validation = 8, .seed = 2})
            .tokens(Split::train)
            .at({0, 0, 0}) != x[0]);
  CHECK(data.tokens(Split::validation).at({0, 0, 0}) != x[0]);  // splits share nothing
  // The bits that every machine gives.
  CHECK(batch_hash(data.tokens(Split::train), data.targets(Split::train)) ==
        13897801866273019582ULL);
}

TEST_CASE(
    "units scale the dimensions, and standardizing takes them out with the training split's "
    "figures alone") {
  const TokenData raw = small(TokenTask::within, {.units = 1e4}), plain = small(TokenTask::within),
                  standard = small(TokenTask::within, {.units = 1e4, .standardize = true});
  for (std::int64_t k = 0; k < 8; ++k) {
    const double factor = std::pow(1e4, static_cast<double>(k) / 7);
    CHECK(raw.tokens(Split::train).at({5, 2, k}) ==
          doctest::Approx(factor * plain.tokens(Split::train).at({5, 2, k})));
    double sum = 0, squares = 0, test_sum = 0;
    for (std::int64_t i = 0; i < 400; ++i) {
      const double value = standard.tokens(Split::train).at({i, 2, k});
      sum += value;
      squares += value * value;
    }
    for (std::int64_t i = 0; i < 30; ++i) test_sum += standard.tokens(Split::test).at({i, 2, k});
    CHECK(std::abs(sum / 400) < 1e-5);
    CHECK(squares / 400 == doctest::Approx(1));
    CHECK(std::abs(test_sum / 30) > 1e-4);  // of its own it would be 0
  }
  CHECK(raw.targets(Split::train).to_vector<float>() ==
        plain.targets(Split::train).to_vector<float>());
}

TEST_CASE("batches hold each row once an epoch, in an order of the seed alone, from any step on") {
  const TokenData data = small(TokenTask::same);
  const TokenBatchOptions options{.batch = 100, .steps = 9, .seed = 7};
  std::multiset<float> seen, all;
  for (std::int64_t step = 0; step < 4; ++step)
    for (const float value :
         raw::slice(data.train_batch(step, options).tokens, 1, 0, 1).to_vector<float>())
      seen.insert(value);
  for (const float value : raw::slice(data.tokens(Split::train), 1, 0, 1).to_vector<float>())
    all.insert(value);
  CHECK(seen == all);
  CHECK(batch_hash(data.train_batch(0, options).tokens, {}) !=
        batch_hash(data.train_batch(4, options).tokens, {}));

  std::vector<std::uint64_t> hashes, late;
  for (const auto& [tokens, targets] : data.train_batches(options))
    hashes.push_back(batch_hash(tokens, targets));
  TokenBatchOptions from_six = options;
  from_six.first_step = 6;
  for (const auto& [tokens, targets] : data.train_batches(from_six))
    late.push_back(batch_hash(tokens, targets));
  REQUIRE(hashes.size() == 9);
  CHECK(late == std::vector<std::uint64_t>(hashes.begin() + 6, hashes.end()));

  std::int64_t rows = 0;
  for (const auto& [tokens, targets] : data.eval_batches(Split::validation, 16))
    rows += targets.numel();
  CHECK(rows == 50);
}

TEST_CASE("what cannot be is refused") {
  CHECK(message_of<ConfigError>([] { token_task("differnt"); }) ==
        "[data] task must be one of additive, within, same, different, triple, random: got "
        "\"differnt\"");
  CHECK(
      message_of<ConfigError>([] { synthetic_tokens({.task = TokenTask::triple, .tokens = 2}); }) ==
      "[data] task triple relates features of 3 tokens and 3 dimensions: got tokens 2, features 8");
  CHECK(message_of<ConfigError>([] { synthetic_tokens({.train = 0}); }) ==
        "[data] train must be 1 to 268435456, got 0");
  CHECK(message_of<ConfigError>([] {
          synthetic_tokens({.tokens = 60000, .features = 60000});
        }).find("are more than 4294967296 numbers; use fewer") != std::string::npos);
  CHECK(message_of<ConfigError>([] { synthetic_tokens({.units = 0.5}); }) ==
        "[data] units must be 1 to 1e12, got 0.5");
  CHECK(message_of<ConfigError>([] { synthetic_tokens({.units = NAN}); }) ==
        "[data] units must be 1 to 1e12, got nan");
  CHECK(message_of<ConfigError>([] { small(TokenTask::same).train_batch(0, {.batch = 401}); }) ==
        "[data] batch must be 1 to 400, the rows of the training split, got 401");
  const TokenData::Part rows{Tensor::ones({2, 1, 1}), Tensor::full({2}, 3)},
      none{Tensor::ones({0, 1, 1}), Tensor::ones({0})};
  CHECK(message_of<ConfigError>([&] { TokenData(rows, none, none, true, false, "x"); }) ==
        "[x] binary targets must be 0 or 1, got 3");
  CHECK(message_of<ConfigError>([&] { TokenData(none, none, none, true, false, "x"); }) ==
        "[x] the training split has 0 rows of 1 features: there is nothing to learn from");
  CHECK_THROWS_AS(
      TokenData(rows, {Tensor::ones({1, 2, 1}), Tensor::ones({1})}, none, true, false, "x"),
      ShapeError);
}
