// The words of a command line, each given to the option or command that it belongs to.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "core/error.h"
#include "train/cli/option_words.h"
#include "train/cli/options.h"
#include "train/config/config_fields.h"

namespace weft::cli {
namespace {

using Words = std::vector<std::string>;

bool is_number(const std::string& word) {
  double value = 0;
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error != std::errc::invalid_argument && stop == word.data() + word.size() &&
         word.find_first_of("0123456789") != std::string::npos;
}

/// A word that is an option where it stands by itself.
bool is_option(const std::string& word) {
  return word.starts_with("--") || (word.size() > 1 && word[0] == '-' && !is_number(word));
}

bool takes_several(const CLI::Option& option) { return option.get_items_expected_max() > 1; }
bool is_switch(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

class Reader {
 public:
  Reader(const CLI::App& app, const Words& words) : command_(&app), words_(words) {}

  /// The words for CLI11.
  Words read() {
    try {
      while (next_ < words_.size() && !stop_) read_one();
    } catch (const ConfigError&) {
      if (!commands_of(*command_).empty() || !asks_for_help())
        throw;  // whoever asks for a command's help after a mistake gets it
    }
    if (stop_ || asks_for_help_) {
      path_.push_back(help_);
      return path_;
    }
    Words all = path_;
    all.insert(all.end(), words_of_positionals_.begin(),
               words_of_positionals_.end());  // before options that would collect them
    all.insert(all.end(), options_.begin(), options_.end());
    return all;
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail<ConfigError>(path_of(*command_), "{}", fmt::format(format, std::forward<Args>(args)...));
  }

  bool asks_for_help() {
    for (; next_ < words_.size() && words_[next_] != "--"; ++next_) {
      if (words_[next_] == "--help" || words_[next_] == "-h") asks_for_help_ = true;
    }
    return asks_for_help_;
  }

  void read_one() {
    const std::string word = words_[next_++];
    if (!positionals_only_ && word == "--") {
      positionals_only_ = true;
      stray_after_.clear();
    } else if (!positionals_only_ && word.starts_with("--"))
      read_option(word);
    else if (!positionals_only_ && is_option(word))
      read_short(word);
    else if (!positionals_only_ && takes_command() && choose_command(word))
      return;
    else
      read_positional(word);
  }

  void ask(const std::string& word) {
    help_ = word;
    stop_ = true;
  }

  void read_short(const std::string& word) {
    if (word == "-h") return ask(word);
    refuse("unknown option {}; put a word that begins with a dash but is not an option after --",
           word);
  }

  const CLI::Option* find(const std::string& name) const {
    for (const CLI::Option* option : command_->get_options()) {
      if (option->check_lname(name)) return option;
    }
    return nullptr;
  }

  [[noreturn]] void refuse_unknown(const std::string& flag) const {
    Words known;
    for (const CLI::Option* option : command_->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    const std::string near = train::nearest(flag, known);
    refuse("unknown option {}{}", flag, near.empty() ? "" : "; did you mean " + near + "?");
  }

  void read_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    const CLI::Option* const option = find(flag.substr(2));
    if (option == nullptr) refuse_unknown(flag);
    if (flag == "--help" || flag == "--version") {
      if (equals != std::string::npos) refuse("{} takes no value", flag);
      return ask(flag);
    }
    Words values;
    if (equals != std::string::npos)
      values.push_back(word.substr(equals + 1));
    else if (!is_switch(*option))
      take_values(flag, *option, values);
    note(flag, *option, values);
    stray_after_ = equals == std::string::npos && !takes_several(*option) ? flag : "";
    if (is_switch(*option))
      set_switch(flag, values);
    else
      for (const std::string& value : values) add_value(flag, option->get_delimiter(), value);
  }

  /// A delimiter takes a value apart; CLI11 would drop the empty parts.
  void add_value(const std::string& flag, char delimiter, const std::string& value) {
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
      end = delimiter == '\0' ? std::string::npos : value.find(delimiter, begin);
      options_.push_back(
          flag + "=" +
          for_cli11(value.substr(begin, end == std::string::npos ? end : end - begin)));
    }
  }

  /// From the words that follow.
  void take_values(const std::string& flag, const CLI::Option& option, Words& values) {
    const bool optional = option.get_items_expected_min() == 0;
    while (next_ < words_.size() && !is_option(words_[next_])) {
      if (takes_several(option) && !values.empty() &&
          words_.size() - next_ <= missing_positionals())
        break;
      values.push_back(words_[next_++]);
      if (!takes_several(option)) break;
    }
    if (values.empty() && !optional && next_ < words_.size() && takes_dashed(words_[next_]))
      values.push_back(words_[next_++]);
    if (values.empty() && optional) values.emplace_back("yes");
    if (!values.empty()) return;
    if (next_ == words_.size()) refuse("{} needs a value", flag);
    refuse(
        "{} needs a value, and {} is an option; a value that begins with dashes is written {}={}",
        flag, words_[next_], flag, words_[next_]);
  }

  /// One dash at most, and no option of ours: it can only be a value.
  static bool takes_dashed(const std::string& word) {
    return !word.starts_with("--") && word != "-h";
  }

  void set_switch(const std::string& flag, const Words& values) {
    if (values.empty()) return options_.push_back(flag);
    const std::optional<bool> truth = truth_of(values.front());
    if (!truth || flag.starts_with("--no-"))
      refuse("{} takes no value, got {}", flag,
             values.front().empty() ? "nothing" : values.front());
    if (*truth) options_.push_back(flag);
  }

  /// Refuses what was given before.
  void note(const std::string& flag, const CLI::Option& option, const Words& values) {
    const std::string value = values.empty() ? "" : values.front();
    const auto [before, is_new] = given_.emplace(&option, value);
    if (is_new || takes_several(option)) return;
    if (is_switch(option)) refuse("{} is given twice: remove one of the two", flag);
    refuse("{} takes one value, and is given twice: {} and {}; remove one of the two", flag,
           quoted(before->second), quoted(value));
  }

  static std::string quoted(const std::string& value) { return value.empty() ? "nothing" : value; }

  bool takes_command() const { return positionals_ == 0 && !commands_of(*command_).empty(); }

  bool choose_command(const std::string& word) {
    for (const CLI::App* sub : commands_of(*command_)) {
      if (sub->get_name() != word) continue;
      if (!given_.empty()) {
        const std::string flag = "--" + given_.begin()->first->get_lnames().front();
        refuse("{} is placed before {}, which would not see it: put it after the command", flag,
               word);
      }
      command_ = sub;
      path_.push_back(word);
      return true;
    }
    return false;
  }

  std::vector<const CLI::Option*> positionals() const {
    return command_->get_options(
        [](const CLI::Option* option) { return option->get_positional(); });
  }

  /// Positionals that are required and not there yet.
  std::size_t missing_positionals() const {
    std::size_t required = 0;
    for (const CLI::Option* option : positionals()) required += option->get_required() ? 1 : 0;
    return required > positionals_ ? required - positionals_ : 0;
  }

  void read_positional(const std::string& word) {
    std::size_t room = 0;
    for (const CLI::Option* option : positionals())
      room += static_cast<std::size_t>(option->get_items_expected_max());
    if (positionals_ >= room) refuse_word(word);
    ++positionals_;
    stray_after_.clear();
    words_of_positionals_.push_back(for_cli11(word));
  }

  [[noreturn]] void refuse_word(const std::string& word) const {
    if (!stray_after_.empty()) {
      const CLI::Option* const option = find(stray_after_.substr(2));
      if (is_switch(*option)) refuse("{} takes no value, got {}", stray_after_, word);
      refuse("{} takes one value, got {} and {}; put a value with spaces in quotes", stray_after_,
             quoted(given_.at(option)), quoted(word));
    }
    Words names;
    for (const CLI::App* sub : commands_of(*command_)) names.push_back(sub->get_name());
    if (names.empty() || positionals_ > 0) refuse("unexpected argument {}", quoted(word));
    const std::string near = train::nearest(word, names);
    refuse("unknown command {}{}", quoted(word),
           near.empty() ? "" : "; did you mean " + near + "?");
  }

  const CLI::App* command_;
  const Words& words_;
  std::size_t next_ = 0;
  bool positionals_only_ = false, stop_ = false, asks_for_help_ = false;
  std::string help_ = "--help";
  std::string stray_after_;  ///< the option of one value whose value the last word was
  std::size_t positionals_ = 0;
  std::map<const CLI::Option*, std::string> given_;
  Words path_, words_of_positionals_, options_;
};

}  // namespace

void parse_literally(CLI::App& app, const std::vector<std::string>& words) {
  Words for_parse = Reader(app, words).read();
  std::reverse(for_parse.begin(), for_parse.end());  // as CLI11 wants them
  app.parse(std::move(for_parse));
}

}  // namespace weft::cli
