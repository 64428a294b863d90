#include "data/synthetic/sequence_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"

namespace weft::data {
namespace {

constexpr std::int64_t kMostSymbols = 1'000'000;
constexpr std::int64_t kMostTokens = 1'000'000;
constexpr std::int64_t kMostModulus = 2000;          // four million pairs
constexpr std::uint64_t kBlocksOfARow = 1ull << 24;  // of the stream: far more than a row draws

void check_range(std::string_view name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high)
    fail<ConfigError>("sequence", "{} must be {} to {}, got {}", name, low, high, value);
}

/// The streams of a split's rows. Held-out rows do not depend on the seed, unless test rows are
/// fresh.
Generator row_stream(Split split, const SequenceOptions& o, std::int64_t row) {
  const bool seeded = split == Split::train || (split == Split::test && o.fresh_test);
  Generator stream(seeded ? o.seed : 0, fmt::format("sequence.{}", name(split)));
  stream.set_position(static_cast<std::uint64_t>(row) * kBlocksOfARow);
  return stream;
}

std::int64_t below(Generator& stream, std::int64_t bound) {
  return static_cast<std::int64_t>(stream.next_below(static_cast<std::uint64_t>(bound)));
}

/// `count` different numbers below `bound`, in random order: the beginning of a Fisher-Yates
/// shuffle.
std::vector<std::int64_t> distinct(Generator& stream, std::int64_t bound, std::int64_t count) {
  std::vector<std::int64_t> pool(static_cast<std::size_t>(bound));
  std::iota(pool.begin(), pool.end(), 0);
  for (std::int64_t i = 0; i < count; ++i)
    std::swap(pool[static_cast<std::size_t>(i)],
              pool[static_cast<std::size_t>(i + below(stream, bound - i))]);
  pool.resize(static_cast<std::size_t>(count));
  return pool;
}

/// `count` different places below `room`, place i with weight 1 / (i + 1) among those left.
std::vector<std::int64_t> near_places(Generator& stream, std::int64_t room, std::int64_t count) {
  std::vector<double> weight(static_cast<std::size_t>(room));
  double total = 0;
  for (std::size_t i = 0; i < weight.size(); ++i)
    total += weight[i] = 1.0 / static_cast<double>(i + 1);
  std::vector<std::int64_t> places;
  while (static_cast<std::int64_t>(places.size()) < count) {
    double target = stream.next_uniform() * total;
    std::size_t chosen = weight.size();
    for (std::size_t i = 0; i < weight.size(); ++i) {
      if (weight[i] == 0) continue;
      chosen = i;  // rounding may leave the target just above the last sum
      target -= weight[i];
      if (target < 0) break;
    }
    places.push_back(static_cast<std::int64_t>(chosen));
    total -= weight[chosen];
    weight[chosen] = 0;
  }
  return places;
}

void write_recall(Generator& stream, const SequenceOptions& o, std::int64_t* inputs,
                  std::int64_t* targets) {
  const std::int64_t half = o.symbols / 2, others = o.symbols - half;
  const std::vector<std::int64_t> keys = distinct(stream, half, o.pairs),
                                  values = distinct(stream, others, o.pairs);
  const std::vector<std::int64_t> places =
      near_places(stream, (o.length - 2 * o.pairs) / 2, o.pairs);
  for (std::int64_t i = 0; i < o.length; ++i) inputs[i] = half + below(stream, others);
  for (std::int64_t i = 0; i < o.pairs; ++i) {
    const std::size_t pair = static_cast<std::size_t>(i);
    const std::int64_t query = 2 * o.pairs + 2 * places[pair];
    inputs[2 * i] = inputs[query] = keys[pair];
    inputs[2 * i + 1] = targets[query] = half + values[pair];
  }
}

void write_induction(Generator& stream, const SequenceOptions& o, std::int64_t* inputs,
                     std::int64_t* targets) {
  for (std::int64_t i = 0; i < o.length; ++i) inputs[i] = below(stream, o.symbols);
  const std::int64_t sign = below(stream, o.length - 2), last = o.length - 1;
  inputs[sign] = inputs[last] = o.symbols;
  targets[last] = inputs[sign + 1];
}

void write_copy(Generator& stream, const SequenceOptions& o, std::int64_t* inputs,
                std::int64_t* targets) {
  const std::int64_t n = o.length;
  for (std::int64_t i = 0; i < n; ++i) inputs[i] = below(stream, o.symbols);
  inputs[n] = o.symbols;
  for (std::int64_t i = 0; i < n; ++i) {
    targets[n + i] = inputs[o.rule == SequenceRule::reverse ? n - 1 - i : i];
    if (i + 1 < n) inputs[n + 1 + i] = targets[n + i];
  }
}

}  // namespace

const std::vector<std::string>& sequence_rules() {
  static const std::vector<std::string> names{"recall", "induction", "copy", "reverse",
                                              "modular_addition"};
  return names;
}

SequenceRule sequence_rule(std::string_view text) {
  const auto& names = sequence_rules();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end())
    fail<ConfigError>("sequence", "the rule must be one of {}, got {}", fmt::join(names, ", "),
                      text);
  return static_cast<SequenceRule>(found - names.begin());
}

void SequenceOptions::validate() const {
  if (rule == SequenceRule::modular_addition) {
    check_range("modulus", modulus, 2, kMostModulus);
    if (!(train_fraction > 0 && train_fraction < 1))
      fail<ConfigError>("sequence", "train_fraction must be above 0 and below 1, got {}",
                        train_fraction);
    const double all = static_cast<double>(modulus * modulus),
                 train = std::floor(train_fraction * all);
    if (train < 1 || all - train < 2)
      fail<ConfigError>(
          "sequence",
          "train_fraction {} of {} pairs leaves too few to train, to validate or to test on",
          train_fraction, all);
    return;
  }
  check_range("held_out", held_out, 1, 1'000'000);
  const bool recalls = rule == SequenceRule::recall;
  check_range("symbols", symbols, recalls ? 2 : 1, kMostSymbols);
  check_range("length", length, recalls ? 4 : rule == SequenceRule::induction ? 3 : 1, kMostTokens);
  if (!recalls) return;
  check_range("pairs", pairs, 1, symbols / 2);
  if (4 * pairs > length)
    fail<ConfigError>(
        "sequence",
        "{} pairs and their queries, each with its answer's place, need a length of {}, got {}",
        pairs, 4 * pairs, length);
}

SequenceData::SequenceData(const SequenceOptions& options) : options_(options) {
  options_.validate();
  if (options_.rule != SequenceRule::modular_addition) return;
  const std::int64_t all = options_.modulus * options_.modulus;
  const std::int64_t train =
      static_cast<std::int64_t>(std::floor(options_.train_fraction * static_cast<double>(all)));
  const std::int64_t validation = (all - train) / 2;
  const auto order =
      Generator(options_.seed, "sequence.split").permutation(all).to_vector<std::int64_t>();
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    return std::vector<std::int64_t>(order.begin() + begin, order.begin() + end);
  };
  pairs_ = {part(0, train), part(train, train + validation), part(train + validation, all)};
}

std::int64_t SequenceData::vocab_size() const {
  if (options_.rule == SequenceRule::modular_addition) return options_.modulus + 1;
  return options_.symbols + (options_.rule == SequenceRule::recall ? 0 : 1);
}

std::int64_t SequenceData::length() const {
  if (options_.rule == SequenceRule::modular_addition) return 3;
  return source_length() > 0 ? 2 * options_.length : options_.length;
}

std::int64_t SequenceData::source_length() const {
  if (options_.rule == SequenceRule::modular_addition) return 2;
  return options_.rule == SequenceRule::copy || options_.rule == SequenceRule::reverse
             ? options_.length
             : 0;
}

std::int64_t SequenceData::asked() const {
  switch (options_.rule) {
    case SequenceRule::recall:
      return options_.pairs;
    case SequenceRule::copy:
    case SequenceRule::reverse:
      return options_.length;
    default:
      return 1;
  }
}

std::int64_t SequenceData::size(Split split) const {
  if (options_.rule == SequenceRule::modular_addition)
    return static_cast<std::int64_t>(pairs_[static_cast<std::size_t>(split)].size());
  return split == Split::train ? 0 : options_.held_out;
}

void SequenceData::write_row(Split split, std::int64_t row, std::int64_t* inputs,
                             std::int64_t* targets) const {
  std::fill_n(targets, length(), kIgnoreIndex);
  if (options_.rule == SequenceRule::modular_addition) {
    const std::int64_t m = options_.modulus,
                       pair =
                           pairs_[static_cast<std::size_t>(split)][static_cast<std::size_t>(row)];
    inputs[0] = pair / m, inputs[1] = pair % m, inputs[2] = m;
    targets[2] = (inputs[0] + inputs[1]) % m;
    return;
  }
  Generator stream = row_stream(split, options_, row);
  if (options_.rule == SequenceRule::recall)
    write_recall(stream, options_, inputs, targets);
  else if (options_.rule == SequenceRule::induction)
    write_induction(stream, options_, inputs, targets);
  else
    write_copy(stream, options_, inputs, targets);
}

SequenceBatch SequenceData::rows(Split split, const std::vector<std::int64_t>& which) const {
  const std::int64_t count = static_cast<std::int64_t>(which.size()), T = length();
  const SequenceBatch batch{Tensor::empty({count, T}, DType::i64),
                            Tensor::empty({count, T}, DType::i64)};
  for (std::int64_t i = 0; i < count; ++i)
    write_row(split, which[static_cast<std::size_t>(i)], batch.inputs.data<std::int64_t>() + i * T,
              batch.targets.data<std::int64_t>() + i * T);
  return batch;
}

SequenceBatch SequenceData::train_batch(std::int64_t k, std::int64_t batch) const {
  check_range("batch", batch, 1, kMostTokens);
  const std::int64_t train = size(Split::train);
  std::vector<std::int64_t> which(
      static_cast<std::size_t>(train > 0 ? std::min(batch, train) : batch));
  if (train == 0 || batch >= train) {
    std::iota(which.begin(), which.end(), train == 0 ? k * batch : 0);
  } else {
    const std::int64_t per_epoch = train / batch, epoch = k / per_epoch,
                       first = k % per_epoch * batch;
    const Tensor order =
        Generator(options_.seed, fmt::format("sequence.epoch.{}", epoch)).permutation(train);
    std::copy_n(order.data<std::int64_t>() + first, batch, which.begin());
  }
  return rows(Split::train, which);
}

BatchRange<SequenceBatch> SequenceData::eval_batches(Split split, std::int64_t batch) const {
  check_range("batch", batch, 1, kMostTokens);
  const std::int64_t count = size(split);
  if (count == 0)
    fail<ConfigError>(
        "sequence", "training rows of {} are generated without end; evaluate on validation or test",
        sequence_rules()[static_cast<std::size_t>(options_.rule)]);
  const auto make = [self = *this, split, batch, count](std::int64_t k) {
    std::vector<std::int64_t> which(static_cast<std::size_t>(std::min(batch, count - k * batch)));
    std::iota(which.begin(), which.end(), k * batch);
    return self.rows(split, which);
  };
  return BatchRange<SequenceBatch>(make, 0, (count + batch - 1) / batch,
                                   {.threads = 0, .ahead = 1});
}

}  // namespace weft::data
