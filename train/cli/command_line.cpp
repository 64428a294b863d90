// The command line as a whole: the commands, and what is said about words that make no sense.
#include "train/cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "train/config_fields.h"

namespace weft::cli {
namespace {

constexpr AddCommand kCommands[] = {add_demo, add_train, add_sample, add_predict, add_detect, add_eval, add_compare, add_report, add_explain, add_gradcheck, add_bench, add_info};

/// The command that was chosen, as deep as it was named.
const CLI::App& chosen(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : chosen(*commands.front());
}

std::string path_of(const CLI::App& command) {
  return command.get_parent() == nullptr ? command.get_name() : path_of(*command.get_parent()) + " " + command.get_name();
}

/// What CLI11 found wrong, and the name that was probably meant.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, const char* const* argv) {
  const CLI::App& command = chosen(app);
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  std::vector<std::string> commands;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) commands.push_back(sub->get_name());

  std::string text = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr || dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    for (int i = 1; i < argc; ++i) {
      std::string word = argv[i];
      word = word.substr(0, word.find('='));
      const bool is_flag = word.starts_with("--");
      const auto& known = is_flag ? flags : commands;
      if (word == "-" || word == "--" || std::find(known.begin(), known.end(), word) != known.end()) continue;
      if (!is_flag && (commands.empty() || word == command.get_name())) continue;
      if (is_flag && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && commands.empty()) continue;
      const std::string near = train::nearest(word, known);
      text = fmt::format("unknown {} {}{}", is_flag ? "option" : "command", word, near.empty() ? "" : "; did you mean " + near + "?");
      break;
    }
  }
  return fmt::format("[{}] {}\nSee `{} --help`.", path_of(command), text, path_of(command));
}

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv) {
  CLI::App app("Trains small transformers for text and vision on a CPU.", "weft");
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer("Try first:  weft demo\nHelp on a command:  weft COMMAND --help");
  CommandLine line;
  for (const AddCommand add : kCommands) add(app, line.action);
  if (argc <= 1) return {.action = nullptr, .code = kWrongUsage, .answer = app.help(), .error = ""};
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    std::ostringstream out, error;
    const int code = app.exit(success, out, error);
    return {.action = nullptr, .code = code, .answer = out.str(), .error = error.str()};
  } catch (const CLI::ParseError& error) {
    return {.action = nullptr, .code = kWrongUsage, .answer = "", .error = usage_error(app, error, argc, argv)};
  }
  if (!line.action) return {.action = nullptr, .code = kWrongUsage, .answer = "", .error = "nothing to do"};
  return line;
}

void add_threads(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "threads (0: one a core); results do not depend on it")->capture_default_str();
}

void use_threads(int threads) {
  if (threads < 0 || threads > 1024) fail<ConfigError>("threads", "must be a number from 0 to 1024, got {}", threads);
  if (threads > 0) set_num_threads(threads);
}

}  // namespace weft::cli
