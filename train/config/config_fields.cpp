#include "train/config/config_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "train/config/utf8_text.h"

namespace weft::train {
namespace {

std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

bool is_number(const Field::Member& member) {
  return std::holds_alternative<std::int64_t*>(member) || std::holds_alternative<double*>(member);
}

[[noreturn]] void refuse_number(const Field& field, const Field::Member& member,
                                std::string_view where, const std::string& got) {
  const bool whole = std::holds_alternative<std::int64_t*>(member);
  const std::string low =
      field.low == kTiny ? "above 0" : fmt::format("from {}", number_text(field.low));
  fail<ConfigError>(where, "{} must be a {}number {} up to {}, got {}", field.name,
                    whole ? "whole " : "", low, number_text(field.high), got);
}

void set_number(const Field& field, const Field::Member& member, double value,
                std::string_view where, const std::string& got) {
  if (!(value >= field.low && value <= field.high))
    refuse_number(field, member, where, got);  // NaN fails both
  if (auto* const* whole = std::get_if<std::int64_t*>(&member)) {
    if (value != std::floor(value)) refuse_number(field, member, where, got);
    **whole = static_cast<std::int64_t>(value);
  } else {
    *std::get<double*>(member) = value;
  }
}

template <class Place>  // a text, or what a name chooses
void set_text(const Field& field, Place& place, const std::string& text, std::string_view where) {
  require_utf8(field.name, text, where);
  if (!field.choices.empty() &&
      std::find(field.choices.begin(), field.choices.end(), text) == field.choices.end()) {
    const std::string near = nearest(text, field.choices);
    fail<ConfigError>(where, "{} must be one of {}, got {}{}", field.name,
                      fmt::join(field.choices, ", "), text.empty() ? "nothing" : text,
                      near.empty() ? "" : "; did you mean " + near + "?");
  }
  place = text;
}

/// Without the dashes of a flag, and with dashes between its words.
std::string bare(std::string_view name) {
  std::string text(name.substr(name.starts_with("--") ? 2 : 0));
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

/// Letters that are wrong, missing, too many, or exchanged with their neighbors. Source: Damerau
/// 1964; each piece is edited once (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last, before, row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(before, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), before[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::string Field::flag() const {
  std::string text = "--" + name;
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

Field model_field(const Registry& models) {
  std::string help;
  for (const Entry* entry : models.entries())
    help += fmt::format("{}{}: {}", help.empty() ? "" : "; ", entry->name(), entry->about());
  return {"model", "Model", &RunConfig::model, help, 0, 0, models.names()};
}

Fields optimizer_fields(const std::string& no_smoothing) {
  using C = RunConfig;
  const std::string group = "Optimization";
  const auto smoothing = [no_smoothing](const C&) { return no_smoothing; };
  const auto schedule = [](const C& c) { return "schedule " + c.schedule; };
  std::string help;
  for (const Entry* entry : optimizers().entries())
    help += fmt::format("{}{}: {}", help.empty() ? "" : "; ", entry->name(), entry->about());
  return {
      {"batch", group, &C::batch, "examples in a batch", 1, 1e7},
      {"accumulate", group, &C::accumulate, "batches whose gradients are accumulated into one step",
       1, 1e6},
      {"lr", group, &C::lr, "learning rate", kTiny, 1e6},
      {"optimizer", group, &C::optimizer, help, 0, 0, optimizers().names()},
      {"weight_decay", group, &C::weight_decay, "of matrices only", 0, 1000},
      {"clip", group, &C::clip,
       "gradient clipping: largest norm of a step's gradient (0: no clipping)", 0, 1e9},
      {"ema", group, &C::ema,
       "decay of the moving average of weights that is evaluated and saved (0: none)", 0, 0.999999},
      Field{"label_smoothing", group, &C::label_smoothing,
            "label smoothing: fraction of the target spread over all classes", 0, 0.99}
          .idle_where<C>(smoothing),
      {"schedule",
       group,
       &C::schedule,
       "of the learning rate; wsd: warm-up, stable, then linear decay",
       0,
       0,
       {"constant", "linear", "cosine", "wsd"}},
      {"warmup", group, &C::warmup,
       "warm-up steps, in which the learning rate rises (-1: a twentieth of the run, at most 100)",
       -1, kMany},
      Field{"decay", group, &C::decay, "fraction of the run in which wsd decays", 0, 1}
          .idle_where<C>([=](const C& c) { return c.schedule != "wsd" ? schedule(c) : ""; }),
      Field{"final_lr", group, &C::final_lr, "learning rate at the end, as a fraction of the peak",
            0, 1}
          .idle_where<C>([=](const C& c) { return c.schedule == "constant" ? schedule(c) : ""; }),
  };
}

Fields run_fields() {
  using C = RunConfig;
  const std::string group = "Run";
  return {
      {"eval_every", group, &C::eval_every,
       "steps between evaluations (0: a tenth of the run but at least 100, or an epoch of images)",
       0, kMany},
      {"save_every", group, &C::save_every, "steps between checkpoints (0: as eval_every)", 0,
       kMany},
      {"until", group, &C::until,
       "stop as soon as val_loss=X, val_accuracy=X or another figure of the evaluations is "
       "reached"},
      {"on_nan",
       group,
       &C::on_nan,
       "a step whose loss or gradient is not a number: stop the run, or skip the step and count it",
       0,
       0,
       {"stop", "skip"}},
      {"seed", group, &C::seed, "of the initial weights, the batches and the dropout", 0, 9e15},
      {"other_init", group, &C::other_init,
       "draw other initial weights than the seed's usual ones, and leave batches and dropout as "
       "they "
       "are: a placebo to compare with"},
      {"threads", group, &C::threads, "threads (0: one per core); results do not depend on it", 0,
       1024},
      {"precision",
       group,
       &C::precision,
       "of matrix products: f32, or bf16, whose operands are rounded to bfloat16 and whose sums "
       "are f32",
       0,
       0,
       {"f32", "bf16"}},
      {"products",
       group,
       &C::products,
       "f32 matrix products: weft's own, whose bits are the same on every CPU, or OpenBLAS's, "
       "whose "
       "bits depend on the CPU",
       0,
       0,
       {"own", "openblas"}},
  };
}

void append(Fields& fields, const Fields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
}

Value value_of(const RunConfig& config, const Field& field) {
  const Field::Member member = field.member(const_cast<RunConfig&>(config));  // only read through
  return std::visit(
      [](const auto* place) -> Value {
        if constexpr (std::is_same_v<std::decay_t<decltype(*place)>, Chosen>)
          return place->name();
        else
          return *place;
      },
      member);
}

std::string value_text(const RunConfig& config, const Field& field) {
  return std::visit(
      [&](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>)
          return value ? "yes" : "no";
        else if constexpr (std::is_same_v<T, std::string>)
          return value;
        else
          return number_text(static_cast<double>(value));
      },
      value_of(config, field));
}

void set_from_text(RunConfig& config, const Field& field, const std::string& text,
                   std::string_view where) {
  const Field::Member member = field.member(config);
  if (is_number(member)) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end)
      refuse_number(field, member, where, text.empty() ? "nothing" : text);
    set_number(field, member, value, where, text);
  } else if (bool* const* place = std::get_if<bool*>(&member)) {
    const bool yes = text == "yes" || text == "true" || text == "on" || text == "1";
    const bool no = text == "no" || text == "false" || text == "off" || text == "0";
    if (!yes && !no)
      fail<ConfigError>(where, "{} must be yes or no, got {}", field.name,
                        text.empty() ? "nothing" : text);
    **place = yes;
  } else if (Chosen* const* chosen = std::get_if<Chosen*>(&member)) {
    set_text(field, **chosen, text, where);
  } else {
    set_text(field, *std::get<std::string*>(member), text, where);
  }
}

void set_value(RunConfig& config, const Field& field, const Value& value, std::string_view where) {
  set_value(field, field.member(config), value, where);
}

void set_value(const Field& field, const Field::Member& member, const Value& value,
               std::string_view where) {
  const bool number = is_number(member);
  bool* const* const truth_place = std::get_if<bool*>(&member);
  std::string* const* const text_place = std::get_if<std::string*>(&member);
  Chosen* const* const chosen = std::get_if<Chosen*>(&member);
  if (const auto* whole = std::get_if<std::int64_t>(&value); whole != nullptr && number) {
    set_number(field, member, static_cast<double>(*whole), where, std::to_string(*whole));
  } else if (const auto* real = std::get_if<double>(&value); real != nullptr && number) {
    set_number(field, member, *real, where, number_text(*real));
  } else if (const auto* truth = std::get_if<bool>(&value);
             truth != nullptr && truth_place != nullptr) {
    **truth_place = *truth;
  } else if (const auto* text = std::get_if<std::string>(&value);
             text != nullptr && text_place != nullptr) {
    set_text(field, **text_place, *text, where);
  } else if (const auto* name = std::get_if<std::string>(&value);
             name != nullptr && chosen != nullptr) {
    set_text(field, **chosen, *name, where);
  } else {
    const char* const wanted = number                   ? "a number"
                               : truth_place != nullptr ? "true or false"
                                                        : "a text in quotes";
    fail<ConfigError>(where, "{} must be {}", field.name, wanted);
  }
}

namespace {

/// Choices that earlier versions spelled otherwise: then and now.
constexpr std::pair<std::string_view, std::string_view> kRenamedChoices[] = {
    {"standardise", "standardize"}};

}  // namespace

std::string current_name(const std::string& name) {
  for (const auto& [then, now] : kRenamedChoices)
    if (name == then) return std::string(now);
  return name;
}

std::vector<std::string> former_names(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [then, now] : kRenamedChoices)
    if (name == now) names.emplace_back(then);
  return names;
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  // Counted in halves. Mistypings are at most about a quarter of a name's letters; a name of which
  // the typed one is the beginning, or the typed one without a word at either end, is farther than
  // one mistyping and nearer than two.
  const std::string typed = bare(name);
  std::string best;
  const std::size_t most = 2 * std::clamp<std::size_t>((typed.size() + 2) / 4, 1, 3);
  std::size_t best_distance = std::numeric_limits<std::size_t>::max();
  for (const std::string& candidate : known) {
    const std::string other = bare(candidate);
    std::size_t distance = 2 * edit_distance(typed, other);
    const bool begun = typed.size() >= 3 && other.starts_with(typed);
    const bool longer =
        other.size() >= 2 && (typed.starts_with(other + "-") || typed.ends_with("-" + other));
    if (begun || longer)
      distance = std::min<std::size_t>(distance, 3);
    else if (distance > most)
      continue;
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace weft::train
