// The program: reads the command line, runs one command, turns errors into one line and an exit code.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <vector>

#include "core/blas.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/simd.h"
#include "train/cli/cli.h"
#include "train/cli/stop.h"
#include "train/config_fields.h"

namespace weft::cli {
namespace {

constexpr AddCommand kCommands[] = {add_demo, add_train, add_sample, add_predict, add_detect, add_eval, add_compare, add_report, add_explain, add_gradcheck, add_bench, add_info};

int complain(const std::string& text, int code) {
  fmt::print(stderr, "weft: {}\n", text);
  return code;
}

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

int run(int argc, const char* const* argv) {
  CLI::App app("Trains small transformers for text and vision on a CPU.", "weft");
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer("Try first:  weft demo\nHelp on a command:  weft COMMAND --help");
  Action action;
  for (const AddCommand add : kCommands) add(app, action);
  if (argc <= 1) {
    fmt::print("{}", app.help());
    return kWrongUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help, --version
  } catch (const CLI::ParseError& error) {
    return complain(usage_error(app, error, argc, argv), kWrongUsage);
  }
  if (!action) return complain("nothing to do", kWrongUsage);
  limit_simd_by_environment();
  blas::check_thread_safety();
  return action();
}

}  // namespace

void add_threads(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "threads (0: one a core); results do not depend on it")->capture_default_str();
}

void use_threads(int threads) {
  if (threads < 0 || threads > 1024) fail<ConfigError>("threads", "must be a number from 0 to 1024, got {}", threads);
  if (threads > 0) set_num_threads(threads);
}

}  // namespace weft::cli

int main(int argc, char** argv) {
  using weft::cli::complain;
  try {
    return weft::cli::run(argc, argv);
  } catch (const weft::ConfigError& error) {
    return complain(error.what(), weft::cli::kWrongUsage);
  } catch (const weft::Error& error) {
    return complain(error.what(), weft::cli::kFailed);
  } catch (const std::bad_alloc&) {
    return complain("[memory] the machine has no more memory for this", weft::cli::kFailed);
  } catch (const std::exception& error) {
    return complain(fmt::format("[weft] {}", error.what()), weft::cli::kFailed);
  }
}
