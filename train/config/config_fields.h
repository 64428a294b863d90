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
  using Member = std::variant<std::int64_t*, double*, bool*, std::string*>;

  std::string name;  ///< key in TOML and JSON; the flag is `--name` with dashes for underscores
  std::string group;
  std::function<Member(RunConfig&)>
      member;  ///< of a configuration of the kind that the table belongs to
  std::string help;
  double low;  ///< numbers: the limits, both allowed
  double high;
  std::vector<std::string> choices;  ///< texts: the only values; empty: any

  template <class C, class T>
  Field(std::string name, std::string group, T C::*place, std::string help,
        double low = -std::numeric_limits<double>::infinity(),
        double high = std::numeric_limits<double>::infinity(),
        std::vector<std::string> choices = {})
      : name(std::move(name)),
        group(std::move(group)),
        member([place](RunConfig& config) -> Member { return &(static_cast<C&>(config).*place); }),
        help(std::move(help)),
        low(low),
        high(high),
        choices(std::move(choices)) {}

  std::string flag() const;
};

using Fields = std::vector<Field>;

/// What the value of a field is, for help, messages and JSON.
using Value = std::variant<std::int64_t, double, bool, std::string>;
Value value_of(const RunConfig& config, const Field& field);
std::string value_text(const RunConfig& config, const Field& field);

/// The choices that several kinds share; `layers_help` says what a layer is.
Fields block_fields(const std::string& layers_help);
Fields optimizer_fields();
Fields run_fields();
void append(Fields& fields, const Fields& more);

constexpr double kMany = 1e9;
constexpr double kTiny = 1e-12;  ///< as the lower limit: "more than zero"

/// Sets a field from what was typed. Throws ConfigError `[where] lr must be ...` for what is not
/// such a value or out of limits.
void set_from_text(RunConfig& config, const Field& field, const std::string& text,
                   std::string_view where);

/// Sets a field from a number, a truth value or a text that a file held, with the same checks.
void set_value(RunConfig& config, const Field& field, const Value& value, std::string_view where);

/// The name that a choice has today: its own, or another where an earlier version spelled it
/// otherwise ("standardise"). Files, suites and flags are read under both.
std::string current_name(const std::string& name);
/// The names that a choice had in earlier versions.
std::vector<std::string> former_names(const std::string& name);

/// The name in `known` that a mistyped one most likely means, or "" when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace weft::train
