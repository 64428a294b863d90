// A choice as a field: one line in a kind's table says its name, help and limits; flags, TOML, JSON
// and help are made from that.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "train/config/run_config.h"

namespace weft::train {

/// One choice of a configuration: `{"context", "Data", &TextConfig::context, "tokens that the model
/// sees at once", 1, 1e6}`.
struct Field {
  using Member = std::variant<std::int64_t*, double*, bool*, std::string*, Chosen*>;

  std::string name;  ///< key in TOML and JSON; the flag is `--name` with dashes for underscores
  std::string group;
  /// Of a configuration that has the choice; another throws ConfigError.
  std::function<Member(RunConfig&)> member;
  std::function<Member(Options&)> of;  ///< the same of the options alone; empty for the run's own
  std::string help;
  double low;  ///< numbers: the limits, both allowed
  double high;
  std::vector<std::string> choices;  ///< texts: the only values; empty: any
  Value like;                        ///< any value of its type
  /// Why the choice does nothing in a configuration that has it ("optimizer sgd"); empty where it
  /// does something. See idle_where().
  std::function<std::string(const RunConfig&)> idle{};

  /// `C`: a configuration, or the options of a model or an optimizer.
  template <class C, class T>
  Field(std::string name, std::string group, T C::*place, std::string help,
        double low = -std::numeric_limits<double>::infinity(),
        double high = std::numeric_limits<double>::infinity(),
        std::vector<std::string> choices = {})
      : name(std::move(name)),
        group(std::move(group)),
        member([place](RunConfig& config) -> Member { return &(part_of<C>(config).*place); }),
        help(std::move(help)),
        low(low),
        high(high),
        choices(std::move(choices)) {
    if constexpr (std::is_same_v<T, Chosen>) {
      like = std::string();
      names_entry = true;
    } else {
      like = T();
    }
    if constexpr (std::is_base_of_v<Options, C>)
      of = [place](Options& options) -> Member { return &(dynamic_cast<C&>(options).*place); };
  }

  /// The same choice, which does nothing where `why` (of a const C&) gives a reason.
  template <class C, class F>
  Field idle_where(F why) const {
    Field field = *this;
    field.idle = [why](const RunConfig& config) -> std::string {
      return why(part_of<C>(const_cast<RunConfig&>(config)));  // only read through
    };
    return field;
  }

  std::string flag() const;
  /// Whether the choice names an entry of a registry: model, optimizer.
  bool names_entry = false;

  /// What C is of a configuration: itself, or the options that are chosen.
  template <class C>
  static C& part_of(RunConfig& config) {
    if constexpr (std::is_base_of_v<RunConfig, C>)
      return static_cast<C&>(config);
    else if constexpr (std::is_base_of_v<OptimizerOptions, C>)
      return config.optimizer.as<C>();
    else
      return config.model.as<C>();
  }
};

/// What the value of a field is, for help, messages and JSON.
Value value_of(const RunConfig& config, const Field& field);
std::string value_text(const RunConfig& config, const Field& field);

/// The choice of one of these models; the options of the one that is chosen follow it.
Field model_field(const Registry& models);
/// The choices that kinds share. `no_smoothing`: why label smoothing does nothing, where it does
/// nothing.
Fields optimizer_fields(const std::string& no_smoothing = "");
Fields run_fields();
void append(Fields& fields, const Fields& more);

constexpr double kMany = 1e9;
constexpr double kTiny = 1e-12;  ///< as the lower limit: "more than zero"

/// Sets a field from what was typed. Throws ConfigError `[where] lr must be ...` for what is not
/// such a value or out of limits.
void set_from_text(RunConfig& config, const Field& field, const std::string& text,
                   std::string_view where);

/// Sets the place of a field from a number, a truth value or a text that a file held, with the same
/// checks.
void set_value(const Field& field, const Field::Member& place, const Value& value,
               std::string_view where);
void set_value(RunConfig& config, const Field& field, const Value& value, std::string_view where);

/// The name that a choice has today: its own, or another where an earlier version spelled it
/// otherwise ("standardise"). Files and suites are read under both.
std::string current_name(const std::string& name);
/// The names that a choice had in earlier versions.
std::vector<std::string> former_names(const std::string& name);

/// The name in `known` that a mistyped one most likely means, or "" when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace weft::train
