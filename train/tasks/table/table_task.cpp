#include "train/tasks/table/table_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/softmax.h"
#include "core/error.h"
#include "core/math.h"
#include "core/random.h"
#include "train/metrics/prediction_figures.h"

namespace weft::train {
namespace {

constexpr std::int64_t kEvalRows = 500;  // a batch of an evaluation

std::vector<std::int64_t> count_up(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

/// Targets of these rows.
Tensor targets_of(const data::TableRows& from, const std::vector<std::int64_t>& rows) {
  Tensor some = Tensor::empty({std::ssize(rows)}, from.targets.dtype());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (from.targets.dtype() == DType::f64)
      some.data<double>()[i] = from.targets.data<double>()[rows[i]];
    else
      some.data<std::int64_t>()[i] = from.targets.data<std::int64_t>()[rows[i]];
  }
  return some;
}

}  // namespace

std::string TableKnown::to_json() const {
  return fmt::format(R"({{"schema":{},"positive":{}}})", schema.to_json(), positive);
}

TableKnown TableKnown::from_json(const std::string& text, const std::string& where) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("schema") || !json.contains("positive") ||
      !json["positive"].is_number_integer())
    fail<ConfigError>(where, "expects the columns of a table");
  TableKnown known{.schema = data::TableSchema::from_json(json["schema"].dump(), where),
                   .positive = json["positive"].get<std::int64_t>()};
  if (known.positive < 0 || (!known.schema.target.is_number() &&
                             known.positive >= std::ssize(known.schema.target.classes)))
    fail<ConfigError>(where, "positive of a table must be one of its classes");
  return known;
}

TableTask::TableTask(const TableConfig& config, data::TableData data, std::int64_t positive)
    : config_(config),
      data_(std::move(data)),
      positive_(positive),
      model_(build_model(config, TableFacts::of(data_.schema))) {}

std::string TableTask::data_json() const {
  return TableKnown{.schema = data_.schema, .positive = positive_}.to_json();
}

std::string TableTask::fingerprint() const {
  std::uint64_t hash = 0;
  for (const data::TableRows& rows : data_.splits) {
    if (!rows.numbers.defined()) continue;
    hash = data::batch_hash(rows.numbers, rows.targets, hash);
    hash = data::batch_hash(rows.ids, Tensor(), hash);
  }
  return data::hash_text(hash);
}

Tensor TableTask::outputs(const data::TableRows& from,
                          const std::vector<std::int64_t>& rows) const {
  return (*model_)(model_input(config_, from, rows, data_.schema));
}

Tensor TableTask::loss(const Tensor& outputs, const Tensor& targets, bool training) const {
  const double smoothing = training ? config_.label_smoothing : 0;
  const std::int64_t rows = targets.numel();
  if (data_.schema.target.is_number()) {
    const data::MeanStd& of = data_.schema.target.scale;
    const Tensor scaled = raw::cast((targets - of.mean) * (1 / of.std), outputs.dtype());
    return mse_loss(reshape(outputs, {rows}), scaled);
  }
  if (data_.schema.target.outputs() > 1)
    return cross_entropy(outputs, targets, {.label_smoothing = smoothing});
  const Tensor wanted = raw::cast(targets, outputs.dtype());
  return bce_with_logits(reshape(outputs, {rows}),
                         smoothing > 0 ? wanted * (1 - smoothing) + 0.5 * smoothing : wanted);
}

Tensor TableTask::next_loss(BatchRecord& seen) {
  const data::TableRows& train = data_.rows(data::Split::train);
  const std::int64_t k = next_++, per_epoch = train.size() / config_.batch;
  if (epoch_ != k / per_epoch) {
    epoch_ = k / per_epoch;
    order_ =
        Generator(static_cast<std::uint64_t>(config_.seed), fmt::format("data.epoch.{}", epoch_))
            .permutation(train.size())
            .to_vector<std::int64_t>();
  }
  const auto first = order_.begin() + k % per_epoch * config_.batch;
  const std::vector<std::int64_t> rows(first, first + config_.batch);
  const Tensor targets = targets_of(train, rows);
  seen.add(targets.numel(), Tensor::from(rows, {targets.numel()}), targets, targets.numel());
  return loss(outputs(train, rows), targets, true);
}

double TableTask::chance_loss() const {
  const data::TableTarget& target = data_.schema.target;
  // A number that is brought to deviation 1 has a squared error of 1 from its mean.
  return target.is_number() ? 1 : math::log(static_cast<double>(target.classes.size()));
}

Evaluation TableTask::evaluate(data::Split split, const std::function<bool(double)>& proceed) {
  const NoGrad no_grad;
  const data::TableRows& from = data_.rows(split);
  const data::TableTarget& target = data_.schema.target;
  const std::int64_t count = from.size();
  double loss_sum = 0;
  Predictions predictions;
  for (std::int64_t begin = 0; begin < count; begin += kEvalRows) {
    if (!proceed(static_cast<double>(begin) / static_cast<double>(count))) return {};
    const auto rows = count_up(begin, std::min(count, begin + kEvalRows));
    const Tensor out = outputs(from, rows), targets = targets_of(from, rows);
    loss_sum += loss(out, targets, false).item() * static_cast<double>(rows.size());
    const auto answers = read_outputs(out, target);
    const auto truths = targets.to_vector<double>();
    for (std::size_t i = 0; i < truths.size(); ++i) {
      predictions["row"].push_back(static_cast<double>(begin) + static_cast<double>(i));
      predictions["truth"].push_back(truths[i]);
      predictions["guess"].push_back(answers[i].guess);
      if (target.is_number()) continue;
      predictions["right"].push_back(answers[i].guess == truths[i] ? 1 : 0);
      predictions["confidence"].push_back(
          answers[i].probabilities[static_cast<std::size_t>(answers[i].guess)]);
      if (target.classes.size() > 2) continue;
      predictions["score"].push_back(answers[i].probabilities[static_cast<std::size_t>(positive_)]);
      predictions["is_positive"].push_back(truths[i] == static_cast<double>(positive_) ? 1 : 0);
    }
  }
  if (!target.is_number() && target.classes.size() == 2)
    predictions["positive"].assign(static_cast<std::size_t>(count), static_cast<double>(positive_));
  Evaluation evaluation{.measured = count};
  evaluation.loss = loss_sum / static_cast<double>(count);
  std::vector<std::size_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (const std::string& name : table_figures(target)) {
    const double value = figure_of(predictions, name, all);
    if (std::isfinite(value)) evaluation.figures.emplace_back(name, value);
  }
  if (split == data::Split::test) evaluation.predictions = std::move(predictions);
  return evaluation;
}

std::vector<std::string> table_figures(const data::TableTarget& target) {
  if (target.is_number()) return {"mse", "rmse", "mae", "r2"};
  if (target.classes.size() == 2) return {"accuracy", "auc", "f1", "ece"};
  return {"accuracy", "macro_f1", "ece"};
}

std::vector<RowAnswer> read_outputs(const Tensor& outputs, const data::TableTarget& target) {
  const std::int64_t rows = outputs.size(0);
  std::vector<RowAnswer> answers(static_cast<std::size_t>(rows));
  if (target.outputs() == 1) {
    const auto values = outputs.to_vector<double>();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (target.is_number()) {
        answers[i].guess = values[i] * target.scale.std + target.scale.mean;
        continue;
      }
      const double second = 1 / (1 + math::exp(-values[i]));
      answers[i].guess = values[i] > 0 ? 1 : 0;
      answers[i].probabilities = {1 - second, second};
    }
    return answers;
  }
  const auto values = softmax(outputs).to_vector<double>();
  const auto classes = static_cast<std::size_t>(outputs.size(1));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(i * classes);
    answers[i].probabilities.assign(first, first + static_cast<std::ptrdiff_t>(classes));
    answers[i].guess = static_cast<double>(
        std::max_element(first, first + static_cast<std::ptrdiff_t>(classes)) - first);
  }
  return answers;
}

}  // namespace weft::train
