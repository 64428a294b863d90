#include "data/text/text_dataset.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"
#include "core/random.h"
#include "data/find_data_set.h"
#include "data/text/piece_tokenizer.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

constexpr std::int64_t kMaxTextBytes = std::int64_t{1} << 31;
constexpr std::int64_t kMaxModelBytes = std::int64_t{1} << 28;
constexpr std::int64_t kMaxBatchTokens = std::int64_t{1} << 31;

/// Pieces are learned from what is trained on: whole characters of that share of the bytes.
std::string_view training_part(std::string_view text, double share) {
  auto end = static_cast<std::size_t>(share * static_cast<double>(text.size()));
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  return text.substr(0, end);
}

std::shared_ptr<const Tokenizer> make_tokenizer(std::string_view text, const TextOptions& options,
                                                std::string_view where) {
  if (options.with_tokenizer) return options.with_tokenizer;
  if (options.tokenizer == "char")
    return std::make_shared<CharTokenizer>(CharTokenizer::of_text(text, where));
  if (options.tokenizer == "byte") return std::make_shared<ByteTokenizer>();
  if (!options.tokenizer_file.empty())
    return PieceTokenizer::of_model(read_file(options.tokenizer_file, kMaxModelBytes),
                                    options.tokenizer_file);
  if (options.tokenizer == "bpe" || options.tokenizer == "unigram")
    return PieceTokenizer::of_text(training_part(text, options.train_fraction),
                                   {.model = options.tokenizer, .vocab_size = options.vocab_size},
                                   where);
  fail<ConfigError>("data", "unknown tokenizer '{}': char, byte, bpe or unigram",
                    options.tokenizer);
}

/// Calls `put(id)` for every token, without a list of 64-bit ids in between.
template <class Put>
void encode_each(std::string_view text, const Tokenizer& tokenizer, std::string_view where,
                 Put&& put) {
  if (const auto* chars = dynamic_cast<const CharTokenizer*>(&tokenizer)) {
    for_each_code_point(text, where, [&](char32_t c, std::size_t byte) {
      put(chars->id_of(c, text, byte, where));
    });
  } else if (dynamic_cast<const ByteTokenizer*>(&tokenizer) != nullptr) {
    for (const char c : text) put(static_cast<std::int64_t>(static_cast<unsigned char>(c)));
  } else {
    for (const auto id : tokenizer.encode(text, where)) put(id);
  }
}

template <class T>
Tensor encode_as(std::string_view text, const Tokenizer& tokenizer, std::string_view where,
                 std::int64_t count) {
  const Tensor ids = Tensor::empty({count}, dtype_of<T>());
  T* out = ids.data<T>();
  encode_each(text, tokenizer, where, [&](std::int64_t id) { *out++ = static_cast<T>(id); });
  return ids;
}

double mean_bytes(const Tensor& ids, const std::vector<std::int32_t>& token_bytes) {
  if (ids.numel() < 2) return 1;
  return dispatch_any(ids.dtype(), [&]<class T>(T) {
    std::int64_t sum = 0;
    const T* begin = ids.data<T>();
    for (std::int64_t i = 1; i < ids.numel(); ++i)
      sum += token_bytes[static_cast<std::size_t>(begin[i])];
    return static_cast<double>(sum) / static_cast<double>(ids.numel() - 1);
  });
}

/// Row `row` of both tensors from ids[start ...]; what lies beyond `count` predictions is padding.
void fill_row(const TextBatch& batch, std::int64_t row, const Tensor& ids, std::int64_t start,
              std::int64_t count) {
  const auto block = batch.inputs.size(1);
  auto* inputs = batch.inputs.data<std::int64_t>() + row * block;
  auto* targets = batch.targets.data<std::int64_t>() + row * block;
  dispatch_any(ids.dtype(), [&]<class T>(T) {
    const T* from = ids.data<T>() + start;
    for (std::int64_t t = 0; t < count; ++t) {
      inputs[t] = static_cast<std::int64_t>(from[t]);
      targets[t] = static_cast<std::int64_t>(from[t + 1]);
    }
  });
  std::fill(inputs + count, inputs + block, std::int64_t{0});
  std::fill(targets + count, targets + block, kIgnoreIndex);
}

TextBatch empty_batch(std::int64_t rows, std::int64_t block) {
  return {Tensor::empty({rows, block}, DType::i64), Tensor::empty({rows, block}, DType::i64)};
}

void check_sizes(std::int64_t batch, std::int64_t block_size) {
  if (batch < 1) fail<ConfigError>("data", "batch must be at least 1, got {}", batch);
  if (block_size < 1) fail<ConfigError>("data", "context must be at least 1, got {}", block_size);
  if (batch > kMaxBatchTokens / block_size)
    fail<ConfigError>("data", "a batch of {} x {} tokens is too large", batch, block_size);
}

TextBatch random_crops(const Tensor& ids, std::int64_t k, const TextBatchOptions& options) {
  const auto batch = empty_batch(options.batch, options.block_size);
  const auto places = static_cast<std::uint64_t>(ids.numel() - options.block_size);
  const Generator stream(options.seed, "data");
  for (std::int64_t b = 0; b < options.batch; ++b) {
    // One Philox block a crop; floor(r * places / 2^64) is uniform to within places / 2^64.
    const auto words =
        stream.block(static_cast<std::uint64_t>(k) * static_cast<std::uint64_t>(options.batch) +
                     static_cast<std::uint64_t>(b));
    const auto r = (static_cast<std::uint64_t>(words[1]) << 32) | words[0];
    const auto start = static_cast<std::int64_t>((static_cast<__uint128_t>(r) * places) >> 64);
    fill_row(batch, b, ids, start, options.block_size);
  }
  return batch;
}

}  // namespace

TextData::TextData(std::string_view text, const TextOptions& options, std::string where)
    : where_(std::move(where)) {
  if (!(options.train_fraction >= 0 && options.train_fraction <= 1)) {
    fail<ConfigError>("data", "train_fraction must lie in 0 .. 1, got {}", options.train_fraction);
  }
  if (!(options.test_share >= 0 && options.test_share < 1))
    fail<ConfigError>("data", "test_share must be at least 0 and below 1, got {}",
                      options.test_share);
  text = skip_bom(text);
  if (text.empty()) fail<IoError>(where_, "empty: there is nothing to train on");
  const Phase phase("tokenizing {}", where_);
  tokenizer_ = make_tokenizer(text, options, where_);
  Tensor ids;
  std::int64_t count = 0;
  if (tokenizer_->name() == "piece") {  // which takes too long to do it twice
    const auto all = tokenizer_->encode(text, where_);
    count = std::ssize(all);
    ids = raw::cast(Tensor::from(all, {count}), DType::i32);
  } else {
    encode_each(text, *tokenizer_, where_, [&](std::int64_t) { ++count; });
    ids = vocab_size() <= 256 ? encode_as<std::uint8_t>(text, *tokenizer_, where_, count)
                              : encode_as<std::int32_t>(text, *tokenizer_, where_, count);
  }
  const auto cut = std::min(
      count, static_cast<std::int64_t>(options.train_fraction * static_cast<double>(count)));
  train_ = raw::slice(ids, 0, 0, cut);
  const auto end =
      count - static_cast<std::int64_t>(options.test_share * static_cast<double>(count - cut));
  validation_ = raw::slice(ids, 0, cut, end);
  test_ = raw::slice(ids, 0, end, count);
  const auto token_bytes = tokenizer_->token_bytes();
  bytes_per_token_[0] = mean_bytes(train_, token_bytes);
  bytes_per_token_[1] = mean_bytes(validation_, token_bytes);
  bytes_per_token_[2] = mean_bytes(test_, token_bytes);
}

const Tensor& TextData::ids(Split split) const {
  return split == Split::train ? train_ : split == Split::validation ? validation_ : test_;
}

double TextData::bytes_per_token(Split split) const {
  return bytes_per_token_[static_cast<int>(split)];
}

void TextData::check_block_size(Split split, std::int64_t block_size) const {
  if (block_size < 1) fail<ConfigError>("data", "context must be at least 1, got {}", block_size);
  if (size(split) > block_size) return;
  const auto* unit = tokenizer_->name() == "byte"   ? "bytes"
                     : tokenizer_->name() == "char" ? "characters"
                                                    : "tokens";
  fail<ConfigError>("data",
                    "context {} needs at least {} {} in the {} split, {} has {} there: take a "
                    "shorter context or a longer text",
                    block_size, static_cast<std::uint64_t>(block_size) + 1, unit, data::name(split),
                    where_, size(split));
}

TextBatch TextData::train_batch(std::int64_t k, const TextBatchOptions& options) const {
  check_sizes(options.batch, options.block_size);
  check_block_size(Split::train, options.block_size);
  if (k < 0) fail<IndexError>("data", "batch {} does not exist", k);
  return random_crops(train_, k, options);
}

BatchRange<TextBatch> TextData::train_batches(const TextBatchOptions& options) const {
  check_sizes(options.batch, options.block_size);
  check_block_size(Split::train, options.block_size);
  if (options.steps < 0)
    fail<ConfigError>("data", "steps must be at least 0, got {}", options.steps);
  if (options.first_step < 0)
    fail<ConfigError>("data", "first_step must be at least 0, got {}", options.first_step);
  return {[ids = train_, options](std::int64_t k) { return random_crops(ids, k, options); },
          options.first_step, options.steps, options.prefetch};
}

std::int64_t TextData::eval_tokens(Split split) const {
  return std::max<std::int64_t>(0, size(split) - 1);
}

std::int64_t TextData::bytes_of(const Tensor& ids) const {
  const auto token_bytes = tokenizer_->token_bytes();
  std::int64_t sum = 0;
  for (const auto id : ids.to_vector<std::int64_t>())
    if (id >= 0) sum += token_bytes[static_cast<std::size_t>(id)];
  return sum;
}

BatchRange<TextBatch> TextData::eval_batches(Split split, std::int64_t batch,
                                             std::int64_t block_size, std::int64_t most) const {
  check_sizes(batch, block_size);
  const auto predictions = eval_tokens(split);
  if (predictions < 1) {
    fail<ConfigError>("data", "evaluation needs at least 2 tokens in the {} split, {} has {}",
                      data::name(split), where_, size(split));
  }
  const auto there = (predictions + block_size - 1) / block_size;
  const auto windows = most > 0 ? std::min(there, (most + block_size - 1) / block_size) : there;
  const auto batches = (windows + batch - 1) / batch;
  // As even as can be: batches of alike sizes reuse each other's memory.
  const auto make = [ids = ids(split), predictions, there, windows, batches,
                     block_size](std::int64_t k) {
    const auto first = k * windows / batches;
    const auto rows = (k + 1) * windows / batches - first;
    const auto result = empty_batch(rows, block_size);
    for (std::int64_t b = 0; b < rows; ++b) {
      const auto number = first + b;  // of the chosen ones; quotient and remainder apart: their
                                      // product may be beyond 64 bits
      const auto start =
          (there / windows * number + there % windows * number / windows) * block_size;
      fill_row(result, b, ids, start, std::min(block_size, predictions - start));
    }
    return result;
  };
  return {make, 0, batches, {.threads = 0, .ahead = 1}};
}

TextData load_text(std::string_view name_or_path, const TextOptions& options) {
  const auto path = find_data_set(name_or_path);
  return {read_file(path, std::min(kMaxTextBytes, memory_limit())), options, path};
}

}  // namespace weft::data
