// The one table of choices. Adding a choice is one member in config.h and one line in config_fields.cpp.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "train/config.h"

namespace weft::train {

/// One choice of configuration C.
template <class C>
struct Field {
  using Member = std::variant<std::int64_t C::*, double C::*, bool C::*, std::string C::*>;

  std::string name;  ///< key in TOML and JSON; the flag is `--name` with dashes for underscores
  std::string group;
  Member member;
  std::string help;
  double low;   ///< numbers: the limits, both allowed
  double high;
  std::vector<std::string> choices;  ///< texts: the only values; empty: any

  Field(std::string name, std::string group, Member member, std::string help, double low = -std::numeric_limits<double>::infinity(),
        double high = std::numeric_limits<double>::infinity(), std::vector<std::string> choices = {})
      : name(std::move(name)), group(std::move(group)), member(member), help(std::move(help)), low(low), high(high), choices(std::move(choices)) {}

  std::string flag() const;
};

/// Every choice of a task, in the order of help and of config.json.
const std::vector<Field<TextConfig>>& fields(const TextConfig&);
const std::vector<Field<VisionConfig>>& fields(const VisionConfig&);

/// "text" or "vision".
constexpr std::string_view task_name(const TextConfig&) { return "text"; }
constexpr std::string_view task_name(const VisionConfig&) { return "vision"; }

/// The value as it is shown in help and messages.
template <class C>
std::string value_text(const C& config, const Field<C>& field);

/// Sets a field from what was typed. Throws ConfigError `[where] lr must be ...` for what is not such a value or out of limits.
template <class C>
void set_from_text(C& config, const Field<C>& field, const std::string& text, std::string_view where);

/// Sets a field from a number, a truth value or a text that a file held, with the same checks.
using Value = std::variant<std::int64_t, double, bool, std::string>;
template <class C>
void set_value(C& config, const Field<C>& field, const Value& value, std::string_view where);

/// The name in `known` that a mistyped one most likely means, or "" when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace weft::train
