#include "train/config_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "nn/options.h"

namespace weft::train {
namespace {

constexpr double kMany = 1e9;
constexpr double kTiny = 1e-12;  // "more than zero"

template <class C>
std::vector<Field<C>> block_fields(bool text) {
  const std::string group = "Model";
  std::vector<Field<C>> fields = {
      {"layers", group, &C::layers, text ? "transformer blocks" : "transformer blocks, hidden layers of an mlp", 1, 10000},
      {"heads", group, &C::heads, "attention heads", 1, 10000},
      {"kv_heads", group, &C::kv_heads, "heads of keys and values, shared by groups of heads (0: as many as heads)", 0, 10000},
      {"head_size", group, &C::head_size, "size of a head (0: width / heads)", 0, 100000},
      {"width", group, &C::width, "size of the vector that stands for a token", 1, 1000000},
  };
  if (text) {
    fields.push_back({"positions", group, &C::positions, "how places are told apart", 0, 0, nn::choices<nn::Positions>()});
  } else {
    fields.push_back({"positions", group, &C::positions, "how places are told apart", 0, 0, {"none", "learned", "sinusoidal", "rope"}});
  }
  const std::vector<Field<C>> rest = {
      {"norm", group, &C::norm, "normalisation", 0, 0, nn::choices<nn::NormKind>()},
      {"norm_weight", group, &C::norm_weight, "norms have learned weights"},
      {"post_norm", group, &C::post_norm, "normalise after each residual sum, not before each branch"},
      {"qk_norm", group, &C::qk_norm, "normalise queries and keys"},
      {"activation", group, &C::activation, "of the feed-forward layers", 0, 0, nn::choices<nn::Activation>()},
      {"mlp_ratio", group, &C::mlp_ratio, "feed-forward size, as a multiple of width", 0.01, 1000},
      {"bias", group, &C::bias, "linear layers and layer norms have biases"},
      {"dropout", group, &C::dropout, "share of activations that are dropped in training", 0, 0.99},
      {"init", group, &C::init, "first weights: gpt2's normal ones, or the defaults of PyTorch's layers", 0, 0, nn::choices<nn::InitScheme>()},
      {"init_std", group, &C::init_std, "spread of gpt2's first weights", 0, 100},
      {"zero_init", group, &C::zero_init, "projections into the residual stream and the head begin at zero"},
  };
  fields.insert(fields.end(), rest.begin(), rest.end());
  return fields;
}

template <class C>
std::vector<Field<C>> optimizer_fields() {
  const std::string group = "Optimization";
  return {
      {"batch", group, &C::batch, "examples in a batch", 1, 1e7},
      {"accumulate", group, &C::accumulate, "batches whose gradients make one step", 1, 1e6},
      {"optimizer", group, &C::optimizer, "muon takes the blocks' matrices, adamw the rest", 0, 0, {"sgd", "adam", "adamw", "lion", "muon"}},
      {"lr", group, &C::lr, "learning rate", kTiny, 1e6},
      {"muon_lr", group, &C::muon_lr, "learning rate of the matrices that muon takes", kTiny, 1e6},
      {"momentum", group, &C::momentum, "of sgd and muon", 0, 0.9999},
      {"beta1", group, &C::beta1, "decay of adam's and lion's mean of gradients", 0, 0.99999},
      {"beta2", group, &C::beta2, "decay of adam's mean of squares", 0, 0.9999999},
      {"weight_decay", group, &C::weight_decay, "of matrices only", 0, 1000},
      {"clip", group, &C::clip, "largest norm of a step's gradient (0: any)", 0, 1e9},
      {"ema", group, &C::ema, "decay of the moving average of weights that is evaluated and saved (0: none)", 0, 0.999999},
      {"label_smoothing", group, &C::label_smoothing, "share of the target spread over all classes", 0, 0.99},
      {"schedule", group, &C::schedule, "of the learning rate; wsd: warm-up, stable, then linear decay", 0, 0, {"constant", "linear", "cosine", "wsd"}},
      {"warmup", group, &C::warmup, "steps in which the learning rate rises (-1: a twentieth of the run, at most 100)", -1, kMany},
      {"decay", group, &C::decay, "part of the run in which wsd decays", 0, 1},
      {"final_lr", group, &C::final_lr, "learning rate at the end, as a fraction of the peak", 0, 1},
  };
}

template <class C>
std::vector<Field<C>> run_fields() {
  const std::string group = "Run";
  return {
      {"eval_every", group, &C::eval_every, "steps between evaluations (0: a tenth of the run but at least 100, or an epoch of images)", 0, kMany},
      {"save_every", group, &C::save_every, "steps between checkpoints (0: as eval_every)", 0, kMany},
      {"until", group, &C::until, "stop as soon as val_loss=X or val_accuracy=X is reached"},
      {"seed", group, &C::seed, "of the initial weights, the batches and the dropout", 0, 9e15},
      {"threads", group, &C::threads, "threads (0: one a core); results do not depend on it", 0, 1024},
  };
}

template <class C>
void append(std::vector<Field<C>>& fields, std::vector<Field<C>> more) {
  for (auto& field : more) fields.push_back(std::move(field));
}

std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

template <class C>
[[noreturn]] void refuse_number(const Field<C>& field, std::string_view where, const std::string& got) {
  const bool whole = std::holds_alternative<std::int64_t C::*>(field.member);
  const std::string low = field.low == kTiny ? "above 0" : fmt::format("from {}", number_text(field.low));
  fail<ConfigError>(where, "{} must be a {}number {} up to {}, got {}", field.name, whole ? "whole " : "", low, number_text(field.high), got);
}

template <class C>
void set_number(C& config, const Field<C>& field, double value, std::string_view where, const std::string& got) {
  if (!(value >= field.low && value <= field.high)) refuse_number(field, where, got);  // NaN fails both
  if (const auto* member = std::get_if<std::int64_t C::*>(&field.member)) {
    if (value != std::floor(value)) refuse_number(field, where, got);
    config.**member = static_cast<std::int64_t>(value);
  } else {
    config.*std::get<double C::*>(field.member) = value;
  }
}

template <class C>
void set_text(C& config, const Field<C>& field, const std::string& text, std::string_view where) {
  if (!field.choices.empty() && std::find(field.choices.begin(), field.choices.end(), text) == field.choices.end()) {
    const std::string near = nearest(text, field.choices);
    fail<ConfigError>(where, "{} must be one of {}, got {}{}", field.name, fmt::join(field.choices, ", "), text.empty() ? "nothing" : text,
                      near.empty() ? "" : "; did you mean " + near + "?");
  }
  config.*std::get<std::string C::*>(field.member) = text;
}

template <class C>
constexpr bool is_number(const typename Field<C>::Member& member) {
  return std::holds_alternative<std::int64_t C::*>(member) || std::holds_alternative<double C::*>(member);
}

}  // namespace

template <class C>
std::string Field<C>::flag() const {
  std::string text = "--" + name;
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

const std::vector<Field<TextConfig>>& fields(const TextConfig&) {
  static const std::vector<Field<TextConfig>> table = [] {
    using C = TextConfig;
    std::vector<Field<C>> all = {
        {"data", "Data", &C::data, "shakespeare, tang, or a text file in UTF-8"},
        {"tokenizer", "Data", &C::tokenizer, "what a token is: a character or a byte", 0, 0, {"char", "byte"}},
        {"context", "Data", &C::context, "tokens that the model sees at once", 1, 1e6},
    };
    append(all, block_fields<C>(true));
    append(all, {{"tie", "Model", &C::tie, "the head shares the embedding's weights"},
                 {"logit_cap", "Model", &C::logit_cap, "logits are softly limited to +-cap (0: not)", 0, 1e6},
                 {"steps", "Optimization", &C::steps, "optimizer steps", 1, kMany}});
    append(all, optimizer_fields<C>());
    append(all, run_fields<C>());
    return all;
  }();
  return table;
}

const std::vector<Field<VisionConfig>>& fields(const VisionConfig&) {
  static const std::vector<Field<VisionConfig>> table = [] {
    using C = VisionConfig;
    std::vector<Field<C>> all = {
        {"data", "Data", &C::data, "mnist, or a folder with the four IDX files (.gz or not)"},
        {"validation", "Data", &C::validation, "training images kept apart to validate on", 1, kMany},
        {"shift", "Data", &C::shift, "training images are moved by up to so many pixels", 0, 1000},
        {"flip", "Data", &C::flip, "training images are mirrored half of the time"},
        {"model", "Model", &C::model, "vision transformer, multi-layer perceptron or small convolutional net", 0, 0, {"vit", "mlp", "cnn"}},
        {"patch", "Model", &C::patch, "side of the squares that vit cuts an image into", 1, 10000},
        {"pool", "Model", &C::pool, "what the head reads: a class token (cls), or the mean of all", 0, 0, nn::choices<nn::Pooling>()},
    };
    append(all, block_fields<C>(false));
    append(all, {{"epochs", "Optimization", &C::epochs, "times that every training image is seen", 1, 1e6}});
    append(all, optimizer_fields<C>());
    append(all, run_fields<C>());
    return all;
  }();
  return table;
}

template <class C>
std::string value_text(const C& config, const Field<C>& field) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = config.*member;
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) return value ? "yes" : "no";
        else if constexpr (std::is_same_v<T, std::string>) return value;
        else return number_text(static_cast<double>(value));
      },
      field.member);
}

template <class C>
void set_from_text(C& config, const Field<C>& field, const std::string& text, std::string_view where) {
  if (is_number<C>(field.member)) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end) refuse_number(field, where, text.empty() ? "nothing" : text);
    set_number(config, field, value, where, text);
  } else if (const auto* member = std::get_if<bool C::*>(&field.member)) {
    const bool yes = text == "yes" || text == "true" || text == "on" || text == "1";
    const bool no = text == "no" || text == "false" || text == "off" || text == "0";
    if (!yes && !no) fail<ConfigError>(where, "{} must be yes or no, got {}", field.name, text.empty() ? "nothing" : text);
    config.**member = yes;
  } else {
    set_text(config, field, text, where);
  }
}

template <class C>
void set_value(C& config, const Field<C>& field, const Value& value, std::string_view where) {
  const bool number = is_number<C>(field.member);
  if (const auto* whole = std::get_if<std::int64_t>(&value); whole != nullptr && number) {
    set_number(config, field, static_cast<double>(*whole), where, std::to_string(*whole));
  } else if (const auto* real = std::get_if<double>(&value); real != nullptr && number) {
    set_number(config, field, *real, where, number_text(*real));
  } else if (const auto* truth = std::get_if<bool>(&value); truth != nullptr && std::holds_alternative<bool C::*>(field.member)) {
    config.*std::get<bool C::*>(field.member) = *truth;
  } else if (const auto* text = std::get_if<std::string>(&value); text != nullptr && std::holds_alternative<std::string C::*>(field.member)) {
    set_text(config, field, *text, where);
  } else {
    const char* const wanted = number ? "a number" : std::holds_alternative<bool C::*>(field.member) ? "true or false" : "a text in quotes";
    fail<ConfigError>(where, "{} must be {}", field.name, wanted);
  }
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  // Edit distance, row by row; a known name that the typed one begins counts as one edit.
  std::string best;
  std::size_t best_distance = 1 + name.size() / 3 + 1;
  for (const std::string& candidate : known) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j <= candidate.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t replaced = diagonal + (name[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
      }
    }
    std::size_t distance = row.back();
    if (name.size() >= 3 && candidate.starts_with(name)) distance = std::min<std::size_t>(distance, 1);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

template struct Field<TextConfig>;
template struct Field<VisionConfig>;
template std::string value_text(const TextConfig&, const Field<TextConfig>&);
template std::string value_text(const VisionConfig&, const Field<VisionConfig>&);
template void set_from_text(TextConfig&, const Field<TextConfig>&, const std::string&, std::string_view);
template void set_from_text(VisionConfig&, const Field<VisionConfig>&, const std::string&, std::string_view);
template void set_value(TextConfig&, const Field<TextConfig>&, const Value&, std::string_view);
template void set_value(VisionConfig&, const Field<VisionConfig>&, const Value&, std::string_view);

}  // namespace weft::train
