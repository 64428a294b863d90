#include "train/tasks/translate/translate_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "core/error.h"
#include "core/math.h"
#include "data/split.h"
#include "data/text/utf8.h"
#include "train/tasks/common/add_predictions.h"
#include "train/tasks/common/eval_tokens.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/common/whole_data.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalPairs = 64;

/// Rows as long as the longest, `filler` behind the others. Shape: (B, T), i64.
Tensor padded(const std::vector<std::vector<std::int64_t>>& rows, std::int64_t filler) {
  std::size_t width = 1;
  for (const auto& row : rows) width = std::max(width, row.size());
  std::vector<std::int64_t> all;
  for (const auto& row : rows) {
    all.insert(all.end(), row.begin(), row.end());
    all.resize(all.size() + width - row.size(), filler);
  }
  return Tensor::from(all,
                      {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)});
}

std::vector<std::int32_t> pair_lengths(const TranslateData& data) {
  std::vector<std::int32_t> lengths = data::lengths_of(data.targets[0]);
  for (std::size_t i = 0; i < lengths.size(); ++i)
    lengths[i] += static_cast<std::int32_t>(data.sources[0][i].size());
  return lengths;
}

std::uint64_t fingerprint_of(const TranslateData& data) {
  std::uint64_t hash = 0;
  for (int split = 0; split < 3; ++split) {
    for (std::size_t i = 0; i < data.sources[split].size(); ++i) {
      const auto whole = [](const data::Sequence& s) {
        return Tensor::from(s, {static_cast<std::int64_t>(s.size())});
      };
      hash = data::batch_hash(whole(data.sources[split][i]), whole(data.targets[split][i]), hash);
    }
  }
  return hash;
}

/// Pairs that the context holds; the others are an error, or left out where that was asked for.
/// `whole`: of a held-out file, which a run measures with the context it was trained with.
std::vector<data::TextPair> fitting_pairs(data::TextPairs& all, const TranslateConfig& c,
                                          bool whole) {
  std::vector<data::TextPair> fitting;
  std::int64_t too_long = 0, longest = 0, line = 0;
  for (data::TextPair& pair : all.pairs) {
    const auto characters = [&](const std::string& text) {
      return std::ssize(data::decode_utf8(text, all.where));
    };
    const std::int64_t length = std::max(characters(pair.source), characters(pair.target));
    if (length > c.context) {
      ++too_long;
      if (length > longest) line = pair.line;
      longest = std::max(longest, length);
    } else {
      fitting.push_back(std::move(pair));
    }
  }
  if (too_long == 0) return fitting;
  const std::string which = fmt::format(
      "{} of {} pairs have a text longer than the context {}; the longest, in line {}, has {} "
      "characters",
      too_long, all.pairs.size(), c.context, line, longest);
  if (!c.skip_long && whole)
    fail<ConfigError>(all.where,
                      "{}: take them out of the file, or measure a run that was trained "
                      "with --context {} or with --skip-long",
                      which, longest);
  if (!c.skip_long)
    fail<ConfigError>(all.where, "{}: use --context {}, or leave them out with --skip-long", which,
                      longest);
  if (fitting.empty())
    fail<ConfigError>(all.where, "{}: none is left{}", which,
                      whole ? "" : " to train on; use a larger --context");
  all.notes.push_back(fmt::format("{}: {}; they are left out (skip_long)", all.where, which));
  return fitting;
}

}  // namespace

TranslateData load_translate_data(const TranslateConfig& c, const Known& known) {
  data::TextPairs read = data::read_pairs(c.data, c.format < 3);
  const std::vector<data::TextPair> fitting = fitting_pairs(read, c, known.whole);
  const data::PairData pairs(fitting, read.where, known.whole);
  TranslateData result;
  result.notes = std::move(read.notes);
  const auto& train = pairs.pairs(data::Split::train);
  if (c.format >= 3 && !known.whole &&
      std::all_of(train.begin(), train.end(),
                  [&](const data::TextPair& pair) { return pair.target == train.front().target; }))
    fail<ConfigError>(read.where,
                      "all {} training pairs have one target: there is nothing to learn",
                      train.size());
  if (!known.data.empty()) {
    result.vocabulary.tokenizer = data::tokenizer_from_json(known.data);
  } else {
    std::string all;
    for (const auto split : {data::Split::train, data::Split::validation, data::Split::test})
      for (const data::TextPair& pair : pairs.pairs(split)) all += pair.source + pair.target;
    result.vocabulary.tokenizer =
        std::make_shared<data::CharTokenizer>(data::CharTokenizer::of_text(all, pairs.source()));
  }
  for (const auto split : {data::Split::train, data::Split::validation, data::Split::test}) {
    for (const data::TextPair& pair : pairs.pairs(split)) {
      const auto ids = [&](const std::string& text) {
        const std::vector<std::int64_t> wide =
            result.vocabulary.tokenizer->encode(text, pairs.source());
        return data::Sequence(wide.begin(), wide.end());
      };
      const int k = static_cast<int>(split);
      result.sources[k].push_back(ids(pair.source));
      result.targets[k].push_back(ids(pair.target));
      result.targets[k].back().push_back(static_cast<std::int32_t>(result.vocabulary.end()));
      result.target_bytes[k].push_back(static_cast<std::int64_t>(pair.target.size()));
    }
  }
  if (known.whole) {
    join_splits(result.sources);
    join_splits(result.targets);
    join_splits(result.target_bytes);
  }
  return result;
}

nn::EncoderDecoderConfig encoder_decoder_config(const TranslateConfig& c, std::int64_t vocabulary) {
  nn::EncoderDecoderConfig model;
  model.vocab_size = vocabulary;
  model.source_size = c.context;
  model.block_size = c.context + 1;
  const auto& o = c.model.as<TranslateChoices>();
  set_blocks(model, o);
  model.tie_weights = o.tie;
  return model;
}

TranslateTask::TranslateTask(const TranslateConfig& config, TranslateData data)
    : config_(config),
      data_(std::move(data)),
      model_(encoder_decoder_config(config, data_.vocabulary.size())),
      order_(pair_lengths(data_), config.batch, static_cast<std::uint64_t>(config.seed)),
      sample_(sample_of(data::lengths_of(data_.targets[1]),
                        std::max<std::int64_t>(0, config.eval_tokens))),
      fingerprint_(data::hash_text(fingerprint_of(data_))) {}

TranslateTask::Batch TranslateTask::batch_of(data::Split split,
                                             const std::vector<std::int64_t>& rows) const {
  constexpr std::int64_t kNothing = -1;
  std::vector<std::vector<std::int64_t>> sources, inputs, targets;
  for (const std::int64_t row : rows) {
    const data::Sequence& source =
        data_.sources[static_cast<int>(split)][static_cast<std::size_t>(row)];
    const data::Sequence& target =
        data_.targets[static_cast<int>(split)][static_cast<std::size_t>(row)];
    sources.emplace_back(source.begin(), source.end());
    targets.emplace_back(target.begin(), target.end());
    inputs.push_back({data_.vocabulary.start()});
    inputs.back().insert(inputs.back().end(), target.begin(), target.end() - 1);
  }
  Batch batch{.source = padded(sources, kNothing),
              .padding = {},
              .inputs = padded(inputs, data_.vocabulary.end()),
              .targets = padded(targets, data::kIgnoreIndex)};
  batch.padding = Tensor::zeros(batch.source.shape(), DType::u8);
  auto* const ids = batch.source.data<std::int64_t>();
  for (std::int64_t i = 0; i < batch.source.numel(); ++i) {
    if (ids[i] != kNothing) continue;
    ids[i] = data_.vocabulary.end();
    batch.padding.data<std::uint8_t>()[i] = 1;
  }
  return batch;
}

Tensor TranslateTask::next_loss(BatchRecord& seen) {
  const Batch batch = batch_of(data::Split::train, order_.batch(next_++));
  seen.add(batch.source.size(0), batch.source, batch.targets, count_targets(batch.targets));
  return cross_entropy(
      model_(batch.source, batch.inputs, batch.padding), batch.targets,
      {.label_smoothing = config_.label_smoothing, .ignore_index = data::kIgnoreIndex});
}

Evaluation TranslateTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const auto count = std::ssize(data_.sources[static_cast<int>(split)]);
  return measure(split, evenly_spaced_indices(count, count), proceed);
}

double TranslateTask::chance_loss() const {
  return math::log(static_cast<double>(data_.vocabulary.size()));
}

Evaluation TranslateTask::measure(data::Split split, const std::vector<std::int64_t>& pairs,
                                  const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const auto count = std::ssize(pairs);
  double sum = 0, right = 0, asked = 0;
  std::int64_t bytes = 0;
  Predictions predictions;
  for (std::int64_t begin = 0; begin < count; begin += kEvalPairs) {
    if (!proceed(static_cast<double>(begin) / static_cast<double>(count))) return {};
    const std::vector<std::int64_t> rows(pairs.begin() + begin,
                                         pairs.begin() + std::min(count, begin + kEvalPairs));
    const Batch batch = batch_of(split, rows);
    const Tensor logits = model_(batch.source, batch.inputs, batch.padding);
    sum += cross_entropy(logits, batch.targets,
                         {.ignore_index = data::kIgnoreIndex, .reduction = Reduction::sum})
               .item();
    const auto guesses = argmax(logits).to_vector<std::int64_t>(),
               truths = batch.targets.to_vector<std::int64_t>();
    for (std::size_t i = 0; i < truths.size(); ++i) {
      if (truths[i] == data::kIgnoreIndex) continue;
      asked += 1;
      right += guesses[i] == truths[i] ? 1 : 0;
    }
    if (split == data::Split::test) add_token_losses(predictions, logits, batch.targets);
    for (const std::int64_t row : rows)
      bytes += data_.target_bytes[static_cast<int>(split)][static_cast<std::size_t>(row)];
  }
  Evaluation evaluation{.measured = count};
  evaluation.loss = sum / asked;
  if (!predictions.empty())
    for (const std::int64_t row : pairs)
      predictions["bytes"].push_back(static_cast<double>(
          data_.target_bytes[static_cast<int>(split)][static_cast<std::size_t>(row)]));
  evaluation.predictions = std::move(predictions);
  evaluation.figures = {{"accuracy", right / asked},
                        {"bits_per_byte", sum / (std::numbers::ln2 * static_cast<double>(bytes))}};
  return evaluation;
}

}  // namespace weft::train
