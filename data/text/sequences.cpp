#include "data/text/sequences.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace weft::data {
namespace {

constexpr std::int64_t kBucket = 8;  // batches sorted by length together

void check_sequence_context(std::int64_t context) {
  if (context < 3)
    fail<ConfigError>("data", "context must be at least 3, for [CLS], a token and [SEP]: got {}",
                      context);
}

}  // namespace

Sequence classify_sequence(const WordTokenizer& tokenizer, std::string_view text,
                           std::int64_t context, std::string_view where, std::int64_t* whole) {
  check_sequence_context(context);
  const auto ids = tokenizer.encode(text, where);
  if (whole != nullptr) *whole = std::ssize(ids) + 2;
  const auto kept = std::min<std::size_t>(ids.size(), static_cast<std::size_t>(context - 2));
  Sequence sequence{static_cast<std::int32_t>(kClassId)};
  for (std::size_t i = 0; i < kept; ++i) sequence.push_back(static_cast<std::int32_t>(ids[i]));
  sequence.push_back(static_cast<std::int32_t>(kSeparatorId));
  return sequence;
}

std::vector<Sequence> windows(const std::vector<std::int64_t>& ids, std::int64_t context) {
  check_sequence_context(context);
  std::vector<Sequence> all;
  for (std::size_t begin = 0; begin < ids.size(); begin += static_cast<std::size_t>(context - 2)) {
    const auto end = std::min(ids.size(), begin + static_cast<std::size_t>(context - 2));
    Sequence sequence{static_cast<std::int32_t>(kClassId)};
    for (std::size_t i = begin; i < end; ++i) sequence.push_back(static_cast<std::int32_t>(ids[i]));
    sequence.push_back(static_cast<std::int32_t>(kSeparatorId));
    all.push_back(std::move(sequence));
  }
  return all;
}

Tensor pad(const std::vector<Sequence>& sequences, const std::vector<std::int64_t>& rows) {
  std::size_t longest = 1;
  for (const std::int64_t row : rows)
    longest = std::max(longest, sequences[static_cast<std::size_t>(row)].size());
  const Tensor ids =
      Tensor::full({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(longest)},
                   static_cast<double>(kPadId), DType::i64);
  auto* out = ids.data<std::int64_t>();
  for (const std::int64_t row : rows) {
    const Sequence& sequence = sequences[static_cast<std::size_t>(row)];
    std::copy(sequence.begin(), sequence.end(), out);
    out += longest;
  }
  return ids;
}

std::vector<std::int32_t> lengths_of(const std::vector<Sequence>& sequences) {
  std::vector<std::int32_t> lengths;
  for (const Sequence& sequence : sequences)
    lengths.push_back(static_cast<std::int32_t>(sequence.size()));
  return lengths;
}

EpochOrder::EpochOrder(std::vector<std::int32_t> lengths, std::int64_t batch, std::uint64_t seed)
    : lengths_(std::move(lengths)), batch_(batch), seed_(seed) {
  if (batch < 1) fail<ConfigError>("data", "batch must be at least 1, got {}", batch);
  if (lengths_.empty()) fail<ConfigError>("data", "there is nothing to train on");
  batches_ = (static_cast<std::int64_t>(lengths_.size()) + batch_ - 1) / batch_;
}

void EpochOrder::make(std::int64_t epoch) {
  Generator generator(seed_, "data");
  const auto rows = static_cast<std::int64_t>(lengths_.size());
  // Each epoch has its own stretch of the stream, as long as two permutations can need.
  generator.set_position(static_cast<std::uint64_t>(epoch) *
                         (static_cast<std::uint64_t>(rows) * 4 + 64));
  std::vector<std::int64_t> order = generator.permutation(rows).to_vector<std::int64_t>();
  const auto chunk = static_cast<std::size_t>(batch_ * kBucket);
  for (std::size_t begin = 0; begin < order.size(); begin += chunk) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last =
        order.begin() + static_cast<std::ptrdiff_t>(std::min(order.size(), begin + chunk));
    std::stable_sort(first, last, [&](std::int64_t a, std::int64_t b) {
      return lengths_[static_cast<std::size_t>(a)] < lengths_[static_cast<std::size_t>(b)];
    });
  }
  const std::vector<std::int64_t> places =
      generator.permutation(batches_).to_vector<std::int64_t>();
  rows_.assign(static_cast<std::size_t>(batches_), {});
  for (std::int64_t b = 0; b < batches_; ++b) {
    const auto begin = static_cast<std::size_t>(places[static_cast<std::size_t>(b)] * batch_);
    const auto end = std::min(order.size(), begin + static_cast<std::size_t>(batch_));
    rows_[static_cast<std::size_t>(b)].assign(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                              order.begin() + static_cast<std::ptrdiff_t>(end));
  }
  epoch_ = epoch;
}

const std::vector<std::int64_t>& EpochOrder::batch(std::int64_t k) {
  if (k < 0) fail<IndexError>("data", "batch {} does not exist", k);
  if (k / batches_ != epoch_) make(k / batches_);
  return rows_[static_cast<std::size_t>(k % batches_)];
}

void MaskingOptions::validate() const {
  if (!(share > 0 && share <= 1))
    fail<ConfigError>("masking",
                      "the fraction of tokens to predict must be above 0 and at most 1, got {}",
                      share);
  if (!(mask >= 0 && random >= 0 && mask + random <= 1))
    fail<ConfigError>("masking",
                      "mask and random must be at least 0 and together at most 1, got {} and {}",
                      mask, random);
}

MaskedBatch mask_tokens(const Tensor& ids, const WordTokenizer& tokenizer,
                        const MaskingOptions& options, Generator& generator) {
  options.validate();
  if (ids.rank() != 2) fail<ShapeError>("masking", "expects ids (B, T), got {}", ids.shape().str());
  const MaskedBatch batch{raw::clone(raw::cast(ids, DType::i64)),
                          Tensor::full(ids.shape(), static_cast<double>(kIgnoreIndex), DType::i64)};
  const std::int64_t length = ids.size(1);
  const auto ordinary = static_cast<std::uint64_t>(tokenizer.vocab_size() - kSpecialIds);
  for (std::int64_t row = 0; row < ids.size(0); ++row) {
    auto* inputs = batch.inputs.data<std::int64_t>() + row * length;
    auto* targets = batch.targets.data<std::int64_t>() + row * length;
    std::vector<std::vector<std::int64_t>> units;  // what is chosen together: tokens, or words
    std::int64_t tokens = 0;
    for (std::int64_t t = 0; t < length; ++t) {
      if (inputs[t] == kPadId || inputs[t] == kClassId || inputs[t] == kSeparatorId) continue;
      ++tokens;
      const bool joins = options.whole_words && !units.empty() && tokenizer.continues(inputs[t]) &&
                         units.back().back() == t - 1;
      if (joins)
        units.back().push_back(t);
      else
        units.push_back({t});
    }
    if (units.empty()) continue;
    const std::int64_t wanted =
        std::max<std::int64_t>(1, std::llround(options.share * static_cast<double>(tokens)));
    const std::vector<std::int64_t> order =
        generator.permutation(static_cast<std::int64_t>(units.size())).to_vector<std::int64_t>();
    std::int64_t chosen = 0;
    for (const std::int64_t u : order) {
      const auto& unit = units[static_cast<std::size_t>(u)];
      // A word longer than what is still wanted is passed over, as long as something has been
      // chosen.
      if (chosen > 0 && chosen + static_cast<std::int64_t>(unit.size()) > wanted) continue;
      for (const std::int64_t t : unit) {
        targets[t] = inputs[t];
        const double draw = generator.next_uniform();
        const auto other = static_cast<std::int64_t>(generator.next_below(ordinary)) + kSpecialIds;
        if (draw < options.mask)
          inputs[t] = kMaskId;
        else if (draw < options.mask + options.random)
          inputs[t] = other;
      }
      chosen += static_cast<std::int64_t>(unit.size());
      if (chosen >= wanted) break;
    }
  }
  return batch;
}

}  // namespace weft::data
