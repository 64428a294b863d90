// The command line as a whole: the commands, and what is said about words that make no sense.
#include "train/cli/command_line.h"

#include <fmt/format.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "train/cli/option_words.h"

namespace weft::cli {
namespace {

constexpr AddCommand kCommands[] = {add_demo,  add_train,   add_sample, add_predict, add_detect,
                                    add_eval,  add_compare, add_report, add_explain, add_gradcheck,
                                    add_bench, add_info,    add_verify};

/// The command that was chosen, as deep as it was named.
const CLI::App& chosen(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : chosen(*commands.front());
}

/// `text` begins with the command that it is about: `[weft train] ...`.
CommandLine usage_error(const std::string& text) {
  return {.action = nullptr,
          .code = kWrongUsage,
          .answer = "",
          .error = fmt::format("{}\nSee `{} --help`.", text, text.substr(1, text.find(']') - 1))};
}

/// A checkpoint's file is what it is, so --checkpoint beside it would do nothing. Looked at when
/// the command begins.
void refuse_checkpoint_of_file(const CLI::App& command, Action& action) {
  const CLI::Option* const run = command.get_option_no_throw("run");
  if (run == nullptr || !action || !is_given(given_to(command), "--checkpoint") ||
      run->count() == 0)
    return;
  action = [then = std::move(action), where = path_of(command),
            path = from_cli11(run->results().front())] {
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error))
      fail<ConfigError>(
          where, "--checkpoint has no effect with {}, which is a checkpoint: remove it", path);
    return then();
  };
}

}  // namespace

void add_commands(CLI::App& app, Action& action) {
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer("Try first:  weft demo\nHelp on a command:  weft COMMAND --help");
  for (const AddCommand add : kCommands) add(app, action);
}

CommandLine read_command_line(int argc, const char* const* argv) {
  CLI::App app("Trains small transformers for text and vision on a CPU.", "weft");
  CommandLine line;
  add_commands(app, line.action);
  if (argc <= 1) return {.action = nullptr, .code = kWrongUsage, .answer = app.help(), .error = ""};
  try {
    parse_literally(app, {argv + 1, argv + argc});
  } catch (const CLI::Success& success) {  // --help, --version
    std::ostringstream out, error;
    const int code = app.exit(success, out, error);
    return {.action = nullptr, .code = code, .answer = out.str(), .error = error.str()};
  } catch (const CLI::ParseError& error) {
    return usage_error(fmt::format("[{}] {}", path_of(chosen(app)), error.what()));
  } catch (const ConfigError& error) {
    return usage_error(error.what());
  }
  refuse_checkpoint_of_file(chosen(app), line.action);
  if (!line.action)
    return {.action = nullptr, .code = kWrongUsage, .answer = "", .error = "nothing to do"};
  return line;
}

void add_threads(CLI::App& command, int& threads) {
  add_number(command, "--threads", threads, {0, 1024},
             "threads (0: one per core); results do not depend on it");
}

void use_threads(int threads) {
  if (threads < 0 || threads > 1024)
    fail<ConfigError>("threads", "must be a number from 0 to 1024, got {}", threads);
  if (threads > 0) set_num_threads(threads);
}

}  // namespace weft::cli
