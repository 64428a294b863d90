// Options of commands. What is typed for them arrives as it was typed, byte for byte, or is an
// error: CLI11 would take texts in brackets apart, read
// `{}` and `%%` as nothing, 010 as 8 and `true` as 1, and let the last of two values win. Every
// command adds its options by these functions.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace weft::cli {

/// Of a number: both allowed.
struct Limits {
  double low = 0;
  double high = 0;
};
constexpr double kMostSeed = 9e15;  ///< a double still tells it from its neighbors

/// `name` is `--flag`, or the name of a positional. Throws ConfigError `[weft predict] ...` from
/// CLI::App::parse() for what cannot be. What is typed goes to `take`; `show` gives the present
/// value, for the help and for tests.
CLI::Option* add_text(CLI::App& command, const std::string& name,
                      std::function<void(const std::string&)> take,
                      std::function<std::string()> show, const std::string& help);
/// The same for several values, at least one.
CLI::Option* add_texts(CLI::App& command, const std::string& name,
                       std::function<void(const std::vector<std::string>&)> take,
                       std::function<std::string()> show, const std::string& help);

/// Text is std::string or std::optional<std::string>.
template <class Text>
CLI::Option* add_text(CLI::App& command, const std::string& name, Text& place,
                      const std::string& help) {
  const auto show = [&place] {
    if constexpr (std::is_same_v<Text, std::string>)
      return place;
    else
      return place.value_or("");
  };
  return add_text(
             command, name, [&place](const std::string& text) { place = text; }, show, help)
      ->capture_default_str();
}
/// Throws ConfigError.
void check_not_empty(const CLI::App& command, const std::string& name, const std::string& text);
/// A file, a folder, a name: anything but nothing.
template <class Text>
CLI::Option* add_name(CLI::App& command, const std::string& name, Text& place,
                      const std::string& help) {
  const auto take = [&command, &place, name](const std::string& text) {
    check_not_empty(command, name, text);
    place = text;
  };
  const auto show = [&place] {
    if constexpr (std::is_same_v<Text, std::string>)
      return place;
    else
      return place.value_or("");
  };
  return add_text(command, name, take, show, help)->capture_default_str();
}
CLI::Option* add_texts(CLI::App& command, const std::string& name, std::vector<std::string>& place,
                       const std::string& help);
/// One of a few names.
CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& place,
                        const std::vector<std::string>& choices, const std::string& help);

/// The number that a text is, decimal: `[where] name must be a whole number from 1 to 9, got x`.
/// Throws ConfigError.
double number_of(const std::string& where, const std::string& name, const std::string& text,
                 bool whole, Limits limits);
std::string number_text(double value);
/// "weft bench gpt".
std::string path_of(const CLI::App& command);

/// Number is an integer or double, or std::optional of one.
template <class Number>
CLI::Option* add_number(CLI::App& command, const std::string& name, Number& place, Limits limits,
                        const std::string& help) {
  constexpr bool optional = requires { place.has_value(); };
  constexpr bool whole = [] {
    if constexpr (optional)
      return std::is_integral_v<typename Number::value_type>;
    else
      return std::is_integral_v<Number>;
  }();
  const auto take = [&command, &place, name, limits](const std::string& text) {
    const double value = number_of(path_of(command), name, text, whole, limits);
    if constexpr (optional)
      place = static_cast<typename Number::value_type>(value);
    else
      place = static_cast<Number>(value);
  };
  const auto show = [&place]() -> std::string {
    if constexpr (optional)
      return place.has_value() ? number_text(static_cast<double>(*place)) : "";
    else
      return number_text(static_cast<double>(place));
  };
  return add_text(command, name, take, show, help)
      ->type_name(whole ? "INT" : "NUMBER")
      ->capture_default_str();
}

/// Several whole numbers, at least one.
CLI::Option* add_numbers(CLI::App& command, const std::string& name,
                         std::vector<std::int64_t>& place, Limits limits, const std::string& help);

/// yes without a value: `--flip`, `--flip yes`, `--flip=no`. `take` gets "yes" or what was typed.
CLI::Option* add_yes_or_no(CLI::App& command, const std::string& name,
                           std::function<void(const std::string&)> take,
                           std::function<std::string()> show, const std::string& help);
/// Whether a text means yes; std::nullopt when it is neither.
std::optional<bool> truth_of(const std::string& text);

/// Reads words (without the program's name) into the options of an app and its commands, by rules
/// of our own:
/// - the value of an option is the next word, or what follows its first `=`, whatever that is, also
/// nothing. Of separate words, those that begin with two
///   dashes are options, never values; after `--` all words are positionals;
/// - an option of one value is given once; one of several collects, from separate words and from
/// repetitions;
/// - words and options that nobody takes are errors, with the nearest name.
/// Runs the callbacks of the commands that were chosen. Throws ConfigError `[weft predict] ...`;
/// CLI::Success when help or the version is asked for; CLI::ParseError for what is required and
/// missing.
void parse_literally(CLI::App& app, const std::vector<std::string>& words);

/// The options and positionals of a command that were given, by the names that users see.
using Given = std::vector<std::string>;
Given given_to(const CLI::App& command);
bool is_given(const Given& given, const std::string& name);
/// Throws ConfigError for the first of `names` that was given although it does nothing there:
/// `[predict] --beam has no effect with a bert run: remove it`.
void refuse_given(const std::string& where, const Given& given,
                  std::initializer_list<const char*> names, const std::string& because);

}  // namespace weft::cli
