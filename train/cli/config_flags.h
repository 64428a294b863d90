// The table of choices as flags of a command.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "train/cli/options.h"
#include "train/config/config_fields.h"
#include "train/config/config_sources.h"
#include "train/config/model_defaults.h"
#include "train/tasks/common/kind.h"

namespace weft::cli {

/// One flag for a choice, with its default, limits and group in the help; what is typed lands in
/// `sources.flags`. A choice of yes or no also answers to `--no-NAME`.
inline CLI::Option* add_config_flag(CLI::App& command, const train::Kind& kind,
                                    const train::Field& field, train::Sources& sources) {
  const train::Value& value = field.like;
  std::string help = field.help;
  if (!field.choices.empty() && !field.names_entry)
    help += fmt::format(": {}", fmt::join(field.choices, ", "));
  const std::string name = field.name;
  const auto last = std::make_shared<std::string>();
  const auto take = [&sources, name, last](const std::string& text) {
    sources.flags.emplace_back(name, *last = text);
  };
  const auto show = [last] { return *last; };
  const train::Defaults defaults = train::defaults_of(kind, field);
  if (defaults.by_entry.size() > 1 || defaults.some)
    help += fmt::format(" ({})", train::defaults_text(defaults));
  CLI::Option* option = nullptr;
  if (std::holds_alternative<bool>(value)) {
    option = add_yes_or_no(command, field.flag(), take, show, help);
    const std::string no_flag = "--no-" + field.flag().substr(2);
    command
        .add_flag_function(
            no_flag, [take](std::int64_t) { take("no"); }, "")
        ->group("");
  } else {
    option = add_text(command, field.flag(), take, show, help);
    const bool whole = std::holds_alternative<std::int64_t>(value);
    option->type_name(whole                                        ? "INT"
                      : std::holds_alternative<std::string>(value) ? "NAME"
                                                                   : "NUMBER");
  }
  if (defaults.by_entry.size() == 1 && !defaults.some)
    option->default_str(defaults.by_entry.front().first);
  return option->group(field.group);
}

/// One flag for each choice of a kind.
inline void add_config_flags(CLI::App& command, const train::Kind& kind, train::Sources& sources) {
  for (const train::Field& field : kind.fields()) add_config_flag(command, kind, field, sources);
}

}  // namespace weft::cli
