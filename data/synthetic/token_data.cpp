#include "data/synthetic/token_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <mutex>

#include "core/error.h"
#include "core/math.h"
#include "core/random.h"

namespace weft::data {

/// The order of the last epoch that was asked for.
class TokenData::Order {
 public:
  Tensor get(std::uint64_t seed, std::int64_t epoch, std::int64_t rows) {
    const std::lock_guard lock(mutex_);
    if (!order_.defined() || seed_ != seed || epoch_ != epoch) {
      order_ = Generator(seed, fmt::format("data.epoch.{}", epoch)).permutation(rows);
      seed_ = seed;
      epoch_ = epoch;
    }
    return order_;
  }

 private:
  std::mutex mutex_;
  std::uint64_t seed_ = 0;
  std::int64_t epoch_ = 0;
  Tensor order_;
};

namespace {

constexpr std::int64_t kMostRows = std::int64_t{1} << 28;
constexpr std::int64_t kMostNumbers = std::int64_t{1} << 32;

template <class T>
MeanStd mean_std(const T* first, std::int64_t count, std::int64_t stride) {
  bool equal =
      true;  // where all are one number, a mean that is rounded must not become a deviation
  for (std::int64_t i = 1; i < count; ++i) equal = equal && first[i * stride] == first[0];
  if (equal && count > 0) return {static_cast<double>(first[0]), 1};
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += first[i * stride];
  const double mean = sum / static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i)
    squares += (first[i * stride] - mean) * (first[i * stride] - mean);
  const double std = std::sqrt(squares / static_cast<double>(count));
  return {mean, std > 0 ? std : 1};
}

void check_part(const TokenData::Part& part, const TokenData::Part& train,
                const std::string& source) {
  const Tensor &x = part.tokens, &y = part.targets;
  const auto is_float = [](DType dtype) { return dtype == DType::f32 || dtype == DType::f64; };
  if (!is_float(x.dtype()) || !is_float(y.dtype()) || x.dtype() != train.tokens.dtype() ||
      y.dtype() != train.targets.dtype() || x.rank() != 3 || y.rank() != 1 ||
      x.size(0) != y.size(0) || x.size(1) != train.tokens.size(1) ||
      x.size(2) != train.tokens.size(2))
    fail<ShapeError>(source,
                     "expects tokens (N, T, F) and targets (N,) in f32 or f64, got {} {} and {} {}",
                     name(x.dtype()), x.shape().str(), name(y.dtype()), y.shape().str());
}

/// Rows `order[first ...]`, or first ... themselves without an order.
TokenBatch gather_rows(const Tensor& tokens, const Tensor& targets, const std::int64_t* order,
                       std::int64_t first, std::int64_t rows) {
  const std::int64_t size = tokens.size(1) * tokens.size(2);
  TokenBatch batch{Tensor::empty({rows, tokens.size(1), tokens.size(2)}),
                   Tensor::empty({rows}, targets.dtype())};
  if (rows == 0) return batch;
  const float* x = tokens.data<float>();
  float* to_x = batch.tokens.data<float>();
  const auto target_bytes = item_size(targets.dtype());
  const std::byte* y = targets.raw_data();
  std::byte* to_y = batch.targets.raw_data();
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t row = order != nullptr ? order[first + i] : first + i;
    std::memcpy(to_x + i * size, x + row * size, static_cast<std::size_t>(size) * sizeof(float));
    std::memcpy(to_y + i * target_bytes, y + row * target_bytes,
                static_cast<std::size_t>(target_bytes));
  }
  return batch;
}

}  // namespace

TokenData::TokenData(Part train, Part validation, Part test, bool binary, bool standardize,
                     std::string source)
    : parts_{std::move(train), std::move(validation), std::move(test)},
      binary_(binary),
      source_(std::move(source)),
      order_(std::make_shared<Order>()) {
  for (Part& part : parts_) {
    check_part(part, parts_[0], source_);
    part = {raw::contiguous(part.tokens), raw::contiguous(part.targets)};
  }
  const std::int64_t rows = size(Split::train), columns = tokens_per_row() * features();
  if (rows == 0 || columns == 0)
    fail<ConfigError>(
        source_, "the training split has {} rows of {} features: there is nothing to learn from",
        rows, columns);
  if (binary_) {
    for (const Part& part : parts_) {
      const float* y = part.targets.data<float>();
      for (std::int64_t i = 0; i < part.targets.numel(); ++i)
        if (y[i] != 0 && y[i] != 1)
          fail<ConfigError>(source_, "binary targets must be 0 or 1, got {}", y[i]);
    }
  }
  const Tensor& y = targets(Split::train);
  target_statistics_ = y.dtype() == DType::f64 ? mean_std(y.data<double>(), rows, 1)
                                               : mean_std(y.data<float>(), rows, 1);
  const bool wide = tokens(Split::train).dtype() == DType::f64;
  if (wide)
    round_to_f32<double>(standardize);
  else if (standardize)
    round_to_f32<float>(standardize);
}

/// Standardizes the features, by their statistics in T, and rounds them to f32 last.
template <class T>
void TokenData::round_to_f32(bool standardize) {
  const std::int64_t rows = size(Split::train), columns = tokens_per_row() * features();
  std::vector<MeanStd> of(static_cast<std::size_t>(columns));
  if (standardize)
    for (std::int64_t c = 0; c < columns; ++c)
      of[static_cast<std::size_t>(c)] = mean_std(tokens(Split::train).data<T>() + c, rows, columns);
  for (Part& part : parts_) {
    const Tensor from = part.tokens;
    if (from.dtype() != DType::f32) part.tokens = Tensor::empty(from.shape());
    const T* x = from.data<T>();
    float* to = part.tokens.template data<float>();
    for (std::int64_t i = 0; i < from.numel(); ++i) {
      const MeanStd& column = of[static_cast<std::size_t>(i % columns)];
      to[i] = standardize ? static_cast<float>((x[i] - column.mean) / column.std)
                          : static_cast<float>(x[i]);
    }
  }
}

TokenBatch TokenData::train_batch(std::int64_t step, const TokenBatchOptions& options) const {
  const std::int64_t rows = size(Split::train);
  if (options.batch < 1 || options.batch > rows)
    fail<ConfigError>("data", "batch must be 1 to {}, the rows of the training split, got {}", rows,
                      options.batch);
  if (step < 0) fail<IndexError>("data", "batch {} does not exist: they are counted from 0", step);
  const std::int64_t per_epoch = rows / options.batch;
  const Tensor order = order_->get(options.seed, step / per_epoch, rows);
  return gather_rows(tokens(Split::train), targets(Split::train), order.data<std::int64_t>(),
                     step % per_epoch * options.batch, options.batch);
}

BatchRange<TokenBatch> TokenData::train_batches(const TokenBatchOptions& options) const {
  return {[data = *this, options](std::int64_t step) { return data.train_batch(step, options); },
          options.first_step,
          options.steps,
          {.threads = 0}};
}

BatchRange<TokenBatch> TokenData::eval_batches(Split split, std::int64_t batch) const {
  if (batch < 1) fail<ConfigError>("data", "batch must be at least 1, got {}", batch);
  const std::int64_t rows = size(split);
  const auto make = [data = *this, split, batch, rows](std::int64_t k) {
    return gather_rows(data.tokens(split), data.targets(split), nullptr, k * batch,
                       std::min(batch, rows - k * batch));
  };
  return {make, 0, (rows + batch - 1) / batch, {.threads = 0}};
}

// ---- tasks with a known answer ----

namespace {

/// Tokens and dimensions that a task's formula needs.
struct TaskFacts {
  TokenTask task;
  std::string_view name;
  std::int64_t tokens;
  std::int64_t features;
};

constexpr std::array kTaskFacts = {TaskFacts{TokenTask::additive, "additive", 3, 3},
                                   TaskFacts{TokenTask::within, "within", 1, 2},
                                   TaskFacts{TokenTask::same, "same", 2, 1},
                                   TaskFacts{TokenTask::different, "different", 2, 2},
                                   TaskFacts{TokenTask::triple, "triple", 3, 3},
                                   TaskFacts{TokenTask::random, "random", 1, 1}};

const TaskFacts& facts_of_task(TokenTask task) {
  return kTaskFacts[static_cast<std::size_t>(task)];
}

float product_of_task(TokenTask task, const float* x, std::int64_t features) {
  const float first = x[0], last_of_first = x[features - 1];
  const float* second = x + features;
  const auto middle_of_third = [&] { return x[2 * features + features / 2]; };
  switch (task) {
    case TokenTask::additive:
      return first + second[features - 1] + middle_of_third();
    case TokenTask::within:
      return first * last_of_first;
    case TokenTask::same:
      return first * second[0];
    case TokenTask::different:
      return first * second[features - 1];
    case TokenTask::triple:
      return first * second[features - 1] * middle_of_third();
    case TokenTask::random:
      break;
  }
  return 0;
}

TokenData::Part make_part(const SyntheticTokens& o, Split split, std::int64_t rows) {
  const std::int64_t size = o.tokens * o.features;
  TokenData::Part part{Tensor::empty({rows, o.tokens, o.features}), Tensor::empty({rows})};
  if (rows == 0) return part;
  // u in [-1, 1) gives the sign, and 0.5 + |u| the magnitude.
  Generator(o.seed, fmt::format("data.tokens.{}", name(split))).fill_uniform(part.tokens, -1, 1);
  Generator coin(o.seed, fmt::format("data.labels.{}", name(split)));
  std::vector<float> unit;
  for (std::int64_t k = 0; k < o.features; ++k)
    unit.push_back(static_cast<float>(
        o.features > 1
            ? math::pow(o.units, static_cast<double>(k) / static_cast<double>(o.features - 1))
            : 1));
  float *x = part.tokens.data<float>(), *y = part.targets.data<float>();
  for (std::int64_t i = 0; i < rows; ++i, x += size) {
    for (std::int64_t j = 0; j < size; ++j) x[j] += x[j] < 0 ? -0.5F : 0.5F;
    y[i] = o.task == TokenTask::random ? static_cast<float>(coin.next_below(2))
                                       : (product_of_task(o.task, x, o.features) > 0 ? 1.0F : 0.0F);
    for (std::int64_t j = 0; j < size; ++j) x[j] *= unit[static_cast<std::size_t>(j % o.features)];
  }
  return part;
}

}  // namespace

const std::vector<std::string>& token_tasks() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const TaskFacts& facts : kTaskFacts) all.emplace_back(facts.name);
    return all;
  }();
  return names;
}

std::string_view name(TokenTask task) { return facts_of_task(task).name; }

TokenTask token_task(std::string_view name) {
  for (const TaskFacts& facts : kTaskFacts)
    if (facts.name == name) return facts.task;
  fail<ConfigError>("data", "task must be one of {}: got \"{}\"", fmt::join(token_tasks(), ", "),
                    name);
}

void SyntheticTokens::check() const {
  const SyntheticTokens& o = *this;
  const auto within = [](std::string_view field, std::int64_t value, std::int64_t low,
                         std::int64_t high) {
    if (value < low || value > high)
      fail<ConfigError>("data", "{} must be {} to {}, got {}", field, low, high, value);
  };
  const TaskFacts& facts = facts_of_task(o.task);
  within("tokens", o.tokens, 1, 65536);
  within("features", o.features, 1, 65536);
  if (o.tokens < facts.tokens || o.features < facts.features)
    fail<ConfigError>(
        "data",
        "task {} relates features of {} tokens and {} dimensions: got tokens {}, features {}",
        facts.name, facts.tokens, facts.features, o.tokens, o.features);
  within("train", o.train, 1, kMostRows);
  within("validation", o.validation, 0, kMostRows);
  within("test", o.test, 0, kMostRows);
  if ((o.train + o.validation + o.test) > kMostNumbers / (o.tokens * o.features))
    fail<ConfigError>("data", "{} rows of {} x {} features are more than {} numbers; use fewer",
                      o.train + o.validation + o.test, o.tokens, o.features, kMostNumbers);
  if (!(o.units >= 1 && o.units <= 1e12))
    fail<ConfigError>("data", "units must be 1 to 1e12, got {}", o.units);
}

TokenData synthetic_tokens(const SyntheticTokens& o) {
  o.check();
  return {make_part(o, Split::train, o.train),
          make_part(o, Split::validation, o.validation),
          make_part(o, Split::test, o.test),
          true,
          o.standardize,
          std::string(name(o.task))};
}

}  // namespace weft::data
