#include "nn/models/recommender.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "autograd/ops/attention.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/indexing.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "core/shape_only.h"
#include "nn/check.h"
#include "nn/trace.h"

namespace weft::nn {
namespace {

const RecommenderConfig& checked_recommender(const RecommenderConfig& config) {
  config.validate();
  return config;
}

bool is_fm(const RecommenderConfig& c) {
  return c.model == ClickModel::fm || c.model == ClickModel::deepfm;
}

/// Whether item, category and the averages of the history are fields with tables of their own.
bool has_fields(const RecommenderConfig& c) { return is_fm(c) || c.model == ClickModel::autoint; }

std::int64_t field_count(const RecommenderConfig& c) { return c.n_user > 0 ? 5 : 4; }

/// Width of what the MLP reads: item and category, what the history says (as wide), and the user.
std::int64_t mlp_input(const RecommenderConfig& c) { return c.n_embd * field_count(c); }

std::int64_t head_input(const RecommenderConfig& c) {
  if (c.model == ClickModel::autoint) return field_count(c) * c.n_head * c.n_embd;
  return c.hidden.empty() ? mlp_input(c) : c.hidden.back();
}

std::size_t find_click_choice(const std::vector<std::string>& names, std::string_view text,
                              std::string_view option) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end())
    fail<ConfigError>(option, "must be one of {}: got \"{}\"", fmt::join(names, ", "), text);
  return static_cast<std::size_t>(found - names.begin());
}

init::Initializer table_init(const RecommenderConfig& c) { return init::normal(c.init_std); }

}  // namespace

template <>
const std::vector<std::string>& choices<ClickModel>() {
  static const std::vector<std::string> kNames{"fm", "deepfm", "sum", "din", "bst", "autoint"};
  return kNames;
}
template <>
const std::vector<std::string>& choices<ClickActivation>() {
  static const std::vector<std::string> kNames{"relu", "prelu", "dice"};
  return kNames;
}

template <>
std::string_view to_name<ClickModel>(ClickModel value) {
  return choices<ClickModel>().at(static_cast<std::size_t>(value));
}
template <>
std::string_view to_name<ClickActivation>(ClickActivation value) {
  return choices<ClickActivation>().at(static_cast<std::size_t>(value));
}
template <>
ClickModel from_name<ClickModel>(std::string_view text, std::string_view option) {
  return static_cast<ClickModel>(find_click_choice(choices<ClickModel>(), text, option));
}
template <>
ClickActivation from_name<ClickActivation>(std::string_view text, std::string_view option) {
  return static_cast<ClickActivation>(find_click_choice(choices<ClickActivation>(), text, option));
}

void RecommenderConfig::validate() const {
  const ConfigCheck check("recommender");
  check.size("n_item", n_item, kMaxVocabulary);
  check.size("n_category", n_category, kMaxVocabulary);
  if (n_user != 0) check.size("n_user", n_user, kMaxVocabulary);
  check.size("history", history, 1 << 16);
  check.size("n_embd", n_embd, 1 << 16);
  if (hidden.size() > 64)
    check.fail(fmt::format("at most 64 hidden layers, got {}", hidden.size()));
  for (const std::int64_t width : hidden) check.size("every width of hidden", width, 1 << 16);
  check.size("unit_hidden", unit_hidden, 1 << 16);
  check.probability("dropout", dropout);
  check.at_least_zero("init_std", init_std);
  if (model == ClickModel::bst) {
    check.size("n_layer", n_layer, kMaxLayers);
    check.heads(2 * n_embd, n_head, 0, 0, Positions::learned);
  }
  if (model == ClickModel::autoint) {
    check.size("n_layer", n_layer, kMaxLayers);
    check.size("n_head", n_head, 1 << 16);
  }
  check_fits<Recommender>(check, *this);
}

Recommender::Hidden::Hidden(std::int64_t in, std::int64_t out, ClickActivation activation)
    : Module("Hidden"),
      fc(*this, "fc", in, out),
      dice(activation == ClickActivation::dice, *this, "dice", out),
      prelu(activation == ClickActivation::prelu, *this, "prelu", out) {}

Tensor Recommender::Hidden::forward(const Tensor& x) const {
  const Tensor y = fc(x);
  return dice ? dice(y) : prelu ? prelu(y) : relu(y);
}

Recommender::Unit::Unit(const RecommenderConfig& c)
    : Module("LocalActivationUnit"),
      hidden(*this, "hidden", 8 * c.n_embd, c.unit_hidden, c.activation),
      out(*this, "out", c.unit_hidden, 1) {}

Tensor Recommender::Unit::forward(const Tensor& clicked, const Tensor& candidate) const {
  return out(hidden(cat({clicked, candidate, clicked - candidate, clicked * candidate}, -1)));
}

Recommender::Interacting::Interacting(std::int64_t in, std::int64_t heads, std::int64_t head_size)
    : Module("InteractingLayer"),
      n_head(heads),
      query(*this, "query", in, heads * head_size, LinearOptions{.bias = false}),
      key(*this, "key", in, heads * head_size, LinearOptions{.bias = false}),
      value(*this, "value", in, heads * head_size, LinearOptions{.bias = false}),
      residual(*this, "residual", in, heads * head_size, LinearOptions{.bias = false}) {}

/// Song et al. 2019, eq. 5 to 8: the scores are inner products as they are, not divided by the root
/// of the head's size.
Tensor Recommender::Interacting::forward(const Tensor& x) const {
  const std::int64_t rows = x.size(0), fields = x.size(1);
  const auto heads = [&](const Tensor& y) {
    return transpose(reshape(y, {rows, fields, n_head, y.size(2) / n_head}), 1, 2);
  };
  const Tensor q = heads(query(x)), k = heads(key(x)), v = heads(value(x));
  const Tensor found = scaled_dot_product_attention(q, k, v, {.scale = 1.0});
  const Tensor beside = residual(x);
  return relu(reshape(transpose(found, 1, 2), beside.shape()) + beside);
}

/// The history is kept without its empty places: place p belongs to row owner[p] of the batch.
struct Recommender::Batch {
  std::int64_t rows = 0;
  Tensor user, item, category;                   ///< (B,)
  Tensor history_item, history_category, owner;  ///< (N,)
  std::vector<std::int64_t> place;               ///< of each in its row, 0 .. L - 1
  Tensor lengths;                                ///< (B, 1), f64

  Batch(const Tensor& ids, const RecommenderConfig& c) {
    const std::int64_t width = 3 + 2 * c.history;
    if (ids.rank() != 2 || ids.size(1) != width)
      fail<ShapeError>("recommender",
                       "expects ids (B, {}): user, item, category, {} items and {} categories of "
                       "the history; got {}",
                       width, c.history, c.history, ids.shape().str());
    rows = ids.size(0);
    if (shape_only()) {
      take_bound("recommender: all histories are full");
      for (Tensor* one : {&user, &item, &category}) *one = Tensor::empty({rows}, DType::i64);
      for (Tensor* one : {&history_item, &history_category, &owner})
        *one = Tensor::empty({rows * c.history}, DType::i64);
      lengths = Tensor::empty({rows, 1}, DType::f64);
      return;
    }
    const std::vector<std::int64_t> all = ids.to_vector<std::int64_t>();
    std::vector<std::int64_t> columns[3], items, categories, owners;
    std::vector<double> counts(static_cast<std::size_t>(rows), 0);
    for (std::int64_t b = 0; b < rows; ++b) {
      const auto at = [&](std::int64_t column) {
        return all[static_cast<std::size_t>(b * width + column)];
      };
      for (int column = 0; column < 3; ++column) columns[column].push_back(at(column));
      for (std::int64_t l = 0; l < c.history; ++l) {
        if (at(3 + l) == 0) continue;
        items.push_back(at(3 + l));
        categories.push_back(at(3 + c.history + l));
        owners.push_back(b);
        place.push_back(l);
        ++counts[static_cast<std::size_t>(b)];
      }
    }
    user = Tensor::from(columns[0], {rows});
    item = Tensor::from(columns[1], {rows});
    category = Tensor::from(columns[2], {rows});
    const auto n = static_cast<std::int64_t>(items.size());
    history_item = Tensor::from(items, {n});
    history_category = Tensor::from(categories, {n});
    owner = Tensor::from(owners, {n});
    lengths = Tensor::from(counts, {rows, 1});
  }

  /// Rows (N, C) added up by owner, (B, C); 0 for an empty history.
  Tensor pool(const Tensor& x) const {
    const Tensor index = raw::expand(raw::reshape(owner, {x.size(0), 1}), x.shape());
    return scatter_add(Tensor::zeros({rows, x.size(1)}, x.dtype()), 0, index, x);
  }
  /// The same, averaged.
  Tensor average(const Tensor& x) const {
    const Tensor divisor =
        raw::cast(maximum(lengths, Tensor::ones(lengths.shape(), DType::f64)), x.dtype());
    return pool(x) / divisor;
  }
};

Recommender::Recommender(const RecommenderConfig& config)
    : Model("Recommender"),
      config_(checked_recommender(config)),
      item(*this, "item", config_.n_item, config_.n_embd, table_init(config_)),
      category(*this, "category", config_.n_category, config_.n_embd, table_init(config_)),
      user(config_.n_user > 0, *this, "user", config_.n_user, config_.n_embd, table_init(config_)),
      history_item(has_fields(config_), *this, "history_item", config_.n_item, config_.n_embd,
                   table_init(config_)),
      history_category(has_fields(config_), *this, "history_category", config_.n_category,
                       config_.n_embd, table_init(config_)),
      first_item(is_fm(config_), *this, "first_item", config_.n_item, 1, init::zeros()),
      first_category(is_fm(config_), *this, "first_category", config_.n_category, 1, init::zeros()),
      first_user(is_fm(config_) && config_.n_user > 0, *this, "first_user", config_.n_user, 1,
                 init::zeros()),
      first_history_item(is_fm(config_), *this, "first_history_item", config_.n_item, 1,
                         init::zeros()),
      first_history_category(is_fm(config_), *this, "first_history_category", config_.n_category, 1,
                             init::zeros()),
      unit(config_.model == ClickModel::din, *this, "unit", config_),
      position(config_.model == ClickModel::bst, *this, "position", config_.history + 1,
               2 * config_.n_embd, table_init(config_)),
      drop(*this, "dropout", config_.dropout),
      head(config_.model != ClickModel::fm, *this, "head", head_input(config_), 1),
      bias(*this, "bias", {1}, init::zeros(), is_fm(config_)) {
  if (config_.model == ClickModel::bst) {
    const BlockOptions options{
        .attention = {.n_embd = 2 * config_.n_embd, .n_head = config_.n_head},
        .feed_forward = {.n_embd = 2 * config_.n_embd, .activation = Activation::relu},
        .post_norm = true};
    for (std::int64_t i = 0; i < config_.n_layer; ++i) blocks.emplace(options);
  }
  if (config_.model == ClickModel::autoint) {
    for (std::int64_t i = 0; i < config_.n_layer; ++i)
      interacting.emplace(i == 0 ? config_.n_embd : config_.n_head * config_.n_embd, config_.n_head,
                          config_.n_embd);
  } else if (config_.model != ClickModel::fm) {
    std::int64_t in = mlp_input(config_);
    for (const std::int64_t out : config_.hidden) {
      mlp.emplace(in, out, config_.activation);
      in = out;
    }
  }
}

/// (B, F, k): an embedding a field; the history's fields are averages.
Tensor Recommender::fields(const Batch& b) const {
  std::vector<Tensor> all{item(b.item), category(b.category),
                          b.average(history_item(b.history_item)),
                          b.average(history_category(b.history_category))};
  if (user) all.push_back(user(b.user));
  return stack(all, 1);
}

/// sum over pairs of fields of <v_i, v_j>, as half the square of the sum less the sum of squares
/// (Rendle 2010, lemma 3.1), and the terms of first order.
Tensor Recommender::factorization(const Batch& b) const {
  const Tensor v = fields(b);
  const Tensor square_of_sum = square(sum(v, {1})), sum_of_squares = sum(square(v), {1});
  const Tensor pairs = mul(sum(square_of_sum - sum_of_squares, {1}), 0.5);
  Tensor first = first_item(b.item);
  first = first + first_category(b.category);
  first = first + b.average(first_history_item(b.history_item));
  first = first + b.average(first_history_category(b.history_category));
  if (user) first = first + first_user(b.user);
  return pairs + reshape(first, {b.rows}) + bias.get();
}

/// A transformer over the history and the item behind it, read at the item. Shape: candidate (B, C)
/// -> (B, C).
Tensor Recommender::attend(const Batch& b, const Tensor& candidate) const {
  const std::int64_t length = config_.history + 1, width = candidate.size(1);
  const auto n = b.owner.numel();
  std::vector<std::int64_t> rows(shape_only() ? 0 : static_cast<std::size_t>(n));
  const Tensor padding = Tensor::ones({b.rows, length}, DType::u8);
  const auto* owner = b.owner.data<std::int64_t>();
  for (std::int64_t p = 0; p < n && !shape_only(); ++p) {
    rows[static_cast<std::size_t>(p)] = owner[p] * length + b.place[static_cast<std::size_t>(p)];
    padding.data<std::uint8_t>()[rows[static_cast<std::size_t>(p)]] = 0;
  }
  for (std::int64_t r = 0; r < b.rows && !shape_only(); ++r) {
    rows.push_back(r * length + length - 1);
    padding.data<std::uint8_t>()[rows.back()] = 0;
  }
  const Tensor clicked = cat({item(b.history_item), category(b.history_category)}, -1);
  const Tensor all = cat({clicked, candidate}, 0);
  const Tensor places_of_all =
      shape_only() ? Tensor::empty({all.size(0)}, DType::i64) : Tensor::from(rows, {all.size(0)});
  const Tensor index = raw::expand(raw::reshape(places_of_all, {all.size(0), 1}), all.shape());
  const Tensor places =
      scatter_add(Tensor::zeros({b.rows * length, width}, all.dtype()), 0, index, all);
  Tensor x = reshape(places, {b.rows, length, width}) + position->weight.get();
  for (std::size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x, {.key_padding = padding});
  return select(x, 1, -1);
}

/// What the history says about the candidate, (B, 2k).
Tensor Recommender::interest(const Batch& b, const Tensor& candidate) const {
  if (config_.model == ClickModel::bst) return attend(b, candidate);
  const Tensor clicked = cat({item(b.history_item), category(b.history_category)}, -1);
  if (!unit || clicked.size(0) == 0) return b.pool(clicked);
  return b.pool(
      clicked *
      unit(clicked,
           index_select(candidate, 0,
                        b.owner)));  // no softmax: how strong an interest is must not be lost
}

/// Fields (B, F, k) through the interacting layers, (B, F H k).
Tensor Recommender::cross(Tensor x) const {
  for (std::size_t i = 0; i < interacting.size(); ++i) x = interacting.call(i, x);
  return reshape(x, {x.size(0), x.size(1) * x.size(2)});
}

Tensor Recommender::deep(Tensor x) const {
  for (std::size_t i = 0; i < mlp.size(); ++i) x = drop(mlp.call(i, x));
  return reshape(head(x), {x.size(0)});
}

Tensor Recommender::forward(const Tensor& ids) const {
  const Batch batch(ids, config_);
  if (is_fm(config_)) {
    const Tensor wide = factorization(batch);
    if (config_.model == ClickModel::fm) return wide;
    return wide + deep(reshape(fields(batch), {batch.rows, mlp_input(config_)}));
  }
  if (config_.model == ClickModel::autoint)
    return reshape(head(cross(fields(batch))), {batch.rows});
  const Tensor candidate = cat({item(batch.item), category(batch.category)}, -1);
  std::vector<Tensor> parts{candidate, interest(batch, candidate)};
  if (user) parts.push_back(user(batch.user));
  return deep(cat(parts, -1));
}

Tensor Recommender::history_weights(const Tensor& ids) const {
  if (!unit)
    fail<ConfigError>("recommender", "{} has no local activation unit: only din weighs the history",
                      to_name(config_.model));
  const Batch b(ids, config_);
  const Tensor weights = Tensor::zeros({b.rows, config_.history});
  if (b.owner.numel() == 0) return weights;
  const Tensor clicked = cat({item(b.history_item), category(b.history_category)}, -1);
  const Tensor candidate = cat({item(b.item), category(b.category)}, -1);
  const std::vector<double> flat =
      unit(clicked, index_select(candidate, 0, b.owner)).to_vector<double>();
  for (std::size_t p = 0; p < flat.size(); ++p)
    weights.data<float>()[b.owner.data<std::int64_t>()[p] * config_.history + b.place[p]] =
        static_cast<float>(flat[p]);
  return weights;
}

Tensor Recommender::embedding_penalty(const Tensor& ids,
                                      const std::vector<Tensor>& occurrences) const {
  const Batch b(ids, config_);
  if (occurrences.size() < (user ? 3U : 2U))
    fail<ConfigError>("recommender",
                      "expects occurrences of items, categories and users, got {} tables",
                      occurrences.size());
  const auto penalty = [](const Embedding& table, std::vector<Tensor> read, const Tensor& counts) {
    if (counts.rank() != 1 || counts.size(0) != table.weight->size(0))
      fail<ShapeError>("recommender", "occurrences must be ({},), got {}", table.weight->size(0),
                       counts.shape().str());
    std::set<std::int64_t> rows;
    std::int64_t most = 0;
    for (const Tensor& some : read) {
      most += some.numel();
      if (!shape_only())
        for (const std::int64_t id : some.to_vector<std::int64_t>()) rows.insert(id);
    }
    if (shape_only()) take_bound("recommender: all ids of a batch differ, as far as there are ids");
    const Tensor index = shape_only()
                             ? Tensor::empty({std::min(most, counts.numel())}, DType::i64)
                             : Tensor::from(std::vector<std::int64_t>(rows.begin(), rows.end()),
                                            {static_cast<std::int64_t>(rows.size())});
    // An id that training never shows cannot be in a training batch; the 1 is for ids that only
    // this batch holds.
    const Tensor share = pow(maximum(embedding(reshape(counts, {counts.numel(), 1}), index),
                                     Tensor::ones({1}, counts.dtype())),
                             -1.0);
    const Tensor squares = square(table.forward(index));
    return mul(sum(squares * cast(share, table.weight->dtype())), 0.5);
  };
  Tensor total = penalty(*item, {b.item, b.history_item}, occurrences[0]);
  total = total + penalty(*category, {b.category, b.history_category}, occurrences[1]);
  if (user) total = total + penalty(*user, {b.user}, occurrences[2]);
  return total;
}

Tensor Recommender::example_input(std::int64_t batch) const {
  return Tensor::full({batch, 3 + 2 * config_.history},
                      config_.n_item > 1 && config_.n_category > 1 && config_.n_user != 1 ? 1 : 0,
                      DType::i64);
}

std::string Recommender::details() const {
  return fmt::format("{}, {} items, {} categories, {} places of history, width {}",
                     to_name(config_.model), config_.n_item, config_.n_category, config_.history,
                     config_.n_embd);
}

}  // namespace weft::nn
