// The table of choices as flags of a command.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "train/config_fields.h"
#include "train/config_sources.h"
#include "train/kind.h"

namespace weft::cli {

/// One flag for each choice, with its default, limits and group in the help; what is typed lands in `sources.flags`. A choice of yes or no also answers
/// to `--no-NAME`.
inline void add_config_flags(CLI::App& command, const train::Kind& kind, train::Sources& sources) {
  const std::unique_ptr<train::RunConfig> defaults = kind.make();
  for (const train::Field& field : kind.fields()) {
    const train::Value value = train::value_of(*defaults, field);
    const bool truth = std::holds_alternative<bool>(value);
    std::string help = field.help;
    if (!field.choices.empty()) help += fmt::format(": {}", fmt::join(field.choices, ", "));
    const std::string name = field.name;
    CLI::Option* option = command.add_option_function<std::vector<std::string>>(
        field.flag(),
        [&sources, name, truth](const std::vector<std::string>& words) {
          const std::string text = words.empty() ? "" : words.back();
          sources.flags.emplace_back(name, truth && text.empty() ? "yes" : text);
        },
        help);
    const bool whole = std::holds_alternative<std::int64_t>(value);
    const bool text = std::holds_alternative<std::string>(value);
    option->type_name(truth ? "yes|no" : whole ? "INT" : text ? "NAME" : "NUMBER");
    option->default_str(train::value_text(*defaults, field));
    option->group(field.group);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    if (truth) {
      option->expected(0, 1);
      const std::string no_flag = "--no-" + field.flag().substr(2);
      command.add_flag_function(no_flag, [&sources, name](std::int64_t) { sources.flags.emplace_back(name, "no"); }, "")->group("");
    } else {
      option->expected(1);
    }
  }
}

}  // namespace weft::cli
