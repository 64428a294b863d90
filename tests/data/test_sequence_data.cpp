#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/synthetic/sequence_data.h"

using namespace weft;
using namespace weft::data;

namespace {

std::string refusal(const SequenceOptions& options) {
  try {
    SequenceData data(options);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing thrown";
}

std::vector<std::vector<std::int64_t>> rows_of(const Tensor& t) {
  const auto flat = t.to_vector<std::int64_t>();
  std::vector<std::vector<std::int64_t>> rows;
  for (std::int64_t i = 0; i < t.size(0); ++i)
    rows.emplace_back(flat.begin() + i * t.size(1), flat.begin() + (i + 1) * t.size(1));
  return rows;
}

}  // namespace

TEST_CASE("recall: every key returns once, and its value is asked there") {
  const SequenceData data({.rule = SequenceRule::recall, .symbols = 40, .length = 50, .pairs = 7});
  CHECK(data.vocab_size() == 40);
  CHECK(data.length() == 50);
  CHECK(data.asked() == 7);
  const SequenceBatch batch = data.train_batch(3, 20);
  const auto inputs = rows_of(batch.inputs), targets = rows_of(batch.targets);
  for (std::size_t r = 0; r < inputs.size(); ++r) {
    std::map<std::int64_t, std::int64_t> value;
    for (std::size_t i = 0; i < 14; i += 2) {
      CHECK(inputs[r][i] < 20);
      CHECK(inputs[r][i + 1] >= 20);
      CHECK(targets[r][i] == kIgnoreIndex);
      value[inputs[r][i]] = inputs[r][i + 1];
    }
    REQUIRE(value.size() == 7);
    std::set<std::int64_t> asked;
    for (std::size_t i = 14; i < 50; ++i) {
      if (targets[r][i] == kIgnoreIndex) {
        CHECK(inputs[r][i] >= 20);
        CHECK(inputs[r][i] < 40);
        continue;
      }
      CHECK(value.at(inputs[r][i]) == targets[r][i]);
      CHECK(asked.insert(inputs[r][i]).second);
    }
    CHECK(asked.size() == 7);
  }
}

TEST_CASE("recall: queries stand nearer to the pairs more often") {
  const SequenceData data({.rule = SequenceRule::recall, .symbols = 40, .length = 64, .pairs = 1});
  std::int64_t first = 0, last = 0;
  for (const auto& row : rows_of(data.train_batch(0, 2000).targets)) {
    first += row[2] != kIgnoreIndex;
    last += row[62] != kIgnoreIndex;
  }
  // Weights 1, 1/2, ..., 1/31 of a sum of 4.027: 497 and 16 expected; five standard deviations
  // around.
  CHECK(first > 400);
  CHECK(first < 594);
  CHECK(last > 0);
  CHECK(last < 37);
}

TEST_CASE("induction: what followed the sign is asked at its return") {
  const SequenceData data({.rule = SequenceRule::induction, .symbols = 10, .length = 30});
  CHECK(data.vocab_size() == 11);
  const SequenceBatch batch = data.train_batch(0, 50);
  const auto inputs = rows_of(batch.inputs), targets = rows_of(batch.targets);
  std::set<std::ptrdiff_t> places;
  for (std::size_t r = 0; r < inputs.size(); ++r) {
    const auto sign = std::find(inputs[r].begin(), inputs[r].end(), 10);
    CHECK(std::count(inputs[r].begin(), inputs[r].end(), 10) == 2);
    CHECK(inputs[r].back() == 10);
    CHECK(targets[r].back() == *(sign + 1));
    CHECK(targets[r].back() < 10);
    CHECK(std::count(targets[r].begin(), targets[r].end(), kIgnoreIndex) == 29);
    places.insert(sign - inputs[r].begin());
  }
  CHECK(places.size() > 10);
}

TEST_CASE(
    "copy and reverse: the separator asks for the first symbol, and each answer for the next") {
  for (const SequenceRule rule : {SequenceRule::copy, SequenceRule::reverse}) {
    const SequenceData data({.rule = rule, .symbols = 5, .length = 6});
    CHECK(data.length() == 12);
    CHECK(data.source_length() == 6);
    const SequenceBatch batch = data.train_batch(0, 10);
    const auto inputs = rows_of(batch.inputs), targets = rows_of(batch.targets);
    for (std::size_t r = 0; r < inputs.size(); ++r) {
      std::vector<std::int64_t> source(inputs[r].begin(), inputs[r].begin() + 6);
      const std::vector<std::int64_t> fed(inputs[r].begin() + 7, inputs[r].end()),
          asked(targets[r].begin() + 6, targets[r].end());
      if (rule == SequenceRule::reverse) std::reverse(source.begin(), source.end());
      CHECK(asked == source);
      CHECK(inputs[r][6] == 5);
      CHECK(fed == std::vector<std::int64_t>(source.begin(), source.end() - 1));
      CHECK(std::count(targets[r].begin(), targets[r].begin() + 6, kIgnoreIndex) == 6);
    }
  }
}

TEST_CASE("modular addition: every pair stands in one split, and sums are right") {
  const SequenceData data(
      {.rule = SequenceRule::modular_addition, .modulus = 11, .train_fraction = 0.4});
  CHECK(data.vocab_size() == 12);
  CHECK(data.size(Split::train) == 48);
  CHECK(data.size(Split::validation) == 36);
  CHECK(data.size(Split::test) == 37);
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (const Split split : {Split::train, Split::validation, Split::test})
    for (const auto& [inputs, targets] : data.eval_batches(split, 10)) {
      const auto in = rows_of(inputs), out = rows_of(targets);
      for (std::size_t r = 0; r < in.size(); ++r) {
        CHECK(in[r][2] == 11);
        CHECK(out[r] ==
              std::vector<std::int64_t>{kIgnoreIndex, kIgnoreIndex, (in[r][0] + in[r][1]) % 11});
        CHECK(seen.insert({in[r][0], in[r][1]}).second);
      }
    }
  CHECK(seen.size() == 121);
}

TEST_CASE(
    "modular addition: a full batch is all pairs, a smaller one goes through them once an epoch") {
  const SequenceData data(
      {.rule = SequenceRule::modular_addition, .modulus = 11, .train_fraction = 0.4});
  const SequenceBatch full = data.train_batch(0, 1000);
  CHECK(full.inputs.shape() == Shape{48, 3});
  CHECK(batch_hash(full.inputs, full.targets) ==
        batch_hash(data.train_batch(7, 48).inputs, data.train_batch(7, 48).targets));
  std::set<std::vector<std::int64_t>> epoch;
  for (std::int64_t k = 4; k < 8; ++k)  // the second epoch: four batches of twelve
    for (const auto& row : rows_of(data.train_batch(k, 12).inputs)) CHECK(epoch.insert(row).second);
  CHECK(epoch.size() == 48);
}

TEST_CASE("held-out rows are the same for every seed, training rows are not") {
  const SequenceData one({.rule = SequenceRule::recall, .seed = 1}),
      two({.rule = SequenceRule::recall, .seed = 2});
  const auto hash = [](const SequenceBatch& batch) {
    return batch_hash(batch.inputs, batch.targets);
  };
  CHECK(hash(one.eval_batches(Split::validation, 100)[0]) ==
        hash(two.eval_batches(Split::validation, 100)[0]));
  CHECK(hash(one.eval_batches(Split::validation, 100)[0]) !=
        hash(one.eval_batches(Split::test, 100)[0]));
  CHECK(hash(one.train_batch(0, 8)) != hash(two.train_batch(0, 8)));
  CHECK(hash(one.train_batch(0, 8)) ==
        hash(SequenceData({.rule = SequenceRule::recall, .seed = 1}).train_batch(0, 8)));
  // Rows are numbered through: how they are cut into batches does not matter.
  CHECK(rows_of(one.train_batch(1, 4).inputs)[1] == rows_of(one.train_batch(0, 8).inputs)[5]);
}

TEST_CASE("rows are the same bits on every machine") {
  const auto hash = [](const SequenceOptions& options) {
    const SequenceData data(options);
    const SequenceBatch train = data.train_batch(2, 16),
                        test = data.eval_batches(Split::test, 16)[0];
    return batch_hash(test.inputs, test.targets, batch_hash(train.inputs, train.targets));
  };
  CHECK(hash({.rule = SequenceRule::recall}) == 11699586989720631007ull);
  CHECK(hash({.rule = SequenceRule::induction}) == 9931056910482405221ull);
  CHECK(hash({.rule = SequenceRule::copy}) == 7959541000655430712ull);
  CHECK(hash({.rule = SequenceRule::modular_addition}) == 14556540748790947138ull);
}

TEST_CASE("what cannot be is refused") {
  CHECK(refusal({.rule = SequenceRule::recall, .pairs = 0}) ==
        "[sequence] pairs must be 1 to 32, got 0");
  CHECK(refusal({.rule = SequenceRule::recall, .pairs = 33}) ==
        "[sequence] pairs must be 1 to 32, got 33");
  CHECK(refusal({.rule = SequenceRule::recall, .length = 20, .pairs = 6}) ==
        "[sequence] 6 pairs and their queries, each with its answer's place, need a length of 24, "
        "got 20");
  CHECK(refusal({.rule = SequenceRule::induction, .length = 2}) ==
        "[sequence] length must be 3 to 1000000, got 2");
  CHECK(refusal({.rule = SequenceRule::copy, .symbols = 0}) ==
        "[sequence] symbols must be 1 to 1000000, got 0");
  CHECK(refusal({.rule = SequenceRule::modular_addition, .modulus = 1'000'000'000}) ==
        "[sequence] modulus must be 2 to 2000, got 1000000000");
  CHECK(refusal({.rule = SequenceRule::modular_addition, .train_fraction = 1}) ==
        "[sequence] train_fraction must be above 0 and below 1, got 1");
  CHECK(refusal({.rule = SequenceRule::modular_addition, .modulus = 2, .train_fraction = 0.1}) ==
        "[sequence] train_fraction 0.1 of 4 pairs leaves too few to train, to validate or to test "
        "on");
  CHECK_THROWS_AS(SequenceData({}).eval_batches(Split::train, 10), ConfigError);
  CHECK_THROWS_AS(sequence_rule("recal"), ConfigError);
}
