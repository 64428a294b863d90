#include "train/cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "train/cli/option_words.h"
#include "train/config/config_fields.h"

namespace weft::cli {
namespace {

constexpr int kMostWords = 1 << 20;  ///< of one option

}  // namespace

std::string path_of(const CLI::App& command) {
  return command.get_parent() == nullptr
             ? command.get_name()
             : path_of(*command.get_parent()) + " " + command.get_name();
}

std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

double number_of(const std::string& where, const std::string& name, const std::string& text,
                 bool whole, Limits limits) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool number = error == std::errc() && stop == end && (!whole || value == std::floor(value));
  if (!number || !(value >= limits.low && value <= limits.high)) {  // NaN is neither
    const char* const kind = number ? "" : whole ? "a whole number " : "a number ";
    fail<ConfigError>(where, "{} must be {}from {} to {}, got {}", name, kind,
                      number_text(limits.low), number_text(limits.high),
                      text.empty() ? "nothing" : text);
  }
  return value;
}

CLI::Option* add_text(CLI::App& command, const std::string& name,
                      std::function<void(const std::string&)> take,
                      std::function<std::string()> show, const std::string& help) {
  const auto callback = [take = std::move(take)](const CLI::results_t& results) {
    take(from_cli11(results.back()));
    return true;
  };
  return command.add_option(name, callback, help, false, std::move(show))->type_name("TEXT");
}

CLI::Option* add_texts(CLI::App& command, const std::string& name,
                       std::function<void(const std::vector<std::string>&)> take,
                       std::function<std::string()> show, const std::string& help) {
  const auto callback = [take = std::move(take)](const CLI::results_t& results) {
    std::vector<std::string> texts;
    for (const std::string& result : results) texts.push_back(from_cli11(result));
    take(texts);
    return true;
  };
  return command.add_option(name, callback, help, false, std::move(show))
      ->type_name("TEXT")
      ->expected(1, kMostWords)
      ->allow_extra_args()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

CLI::Option* add_texts(CLI::App& command, const std::string& name, std::vector<std::string>& place,
                       const std::string& help) {
  return add_texts(
      command, name, [&place](const std::vector<std::string>& texts) { place = texts; },
      [&place] { return fmt::format("{}", fmt::join(place, " ")); }, help);
}

void check_not_empty(const CLI::App& command, const std::string& name, const std::string& text) {
  if (text.empty()) fail<ConfigError>(path_of(command), "{} must not be empty", name);
}

CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& place,
                        const std::vector<std::string>& choices, const std::string& help) {
  const auto take = [&command, &place, name, choices](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      const std::string near = train::nearest(text, choices);
      fail<ConfigError>(path_of(command), "{} must be one of {}, got {}{}", name,
                        fmt::join(choices, ", "), text.empty() ? "nothing" : text,
                        near.empty() ? "" : "; did you mean " + near + "?");
    }
    place = text;
  };
  return add_text(
             command, name, take, [&place] { return place; }, help)
      ->type_name(fmt::format("{}", fmt::join(choices, "|")))
      ->capture_default_str();
}

CLI::Option* add_numbers(CLI::App& command, const std::string& name,
                         std::vector<std::int64_t>& place, Limits limits, const std::string& help) {
  const auto take = [&command, &place, name, limits](const std::vector<std::string>& texts) {
    std::vector<std::int64_t> numbers;
    for (const std::string& text : texts)
      numbers.push_back(
          static_cast<std::int64_t>(number_of(path_of(command), name, text, true, limits)));
    place = numbers;
  };
  return add_texts(
             command, name, take, [&place] { return fmt::format("{}", fmt::join(place, ",")); },
             help)
      ->type_name("INT")
      ->capture_default_str();
}

CLI::Option* add_yes_or_no(CLI::App& command, const std::string& name,
                           std::function<void(const std::string&)> take,
                           std::function<std::string()> show, const std::string& help) {
  return add_text(command, name, std::move(take), std::move(show), help)
      ->type_name("yes|no")
      ->expected(0, 1);
}

std::optional<bool> truth_of(const std::string& text) {
  if (text == "yes" || text == "true" || text == "on" || text == "1") return true;
  if (text == "no" || text == "false" || text == "off" || text == "0") return false;
  return std::nullopt;
}

Given given_to(const CLI::App& command) {
  Given names;
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() > 0)
      names.push_back(option->get_positional() ? option->get_name(true)
                                               : "--" + option->get_lnames().front());
  }
  return names;
}

bool is_given(const Given& given, const std::string& name) {
  return std::find(given.begin(), given.end(), name) != given.end();
}

void refuse_given(const std::string& where, const Given& given,
                  std::initializer_list<const char*> names, const std::string& because) {
  for (const char* name : names) {
    if (is_given(given, name))
      fail<ConfigError>(where, "{} has no effect with {}: remove it", name, because);
  }
}

}  // namespace weft::cli
