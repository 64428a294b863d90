// weft gradcheck: its flags. What it does is in gradcheck_command.cpp.
#include <memory>

#include "train/cli/cli.h"
#include "train/cli/gradcheck_command.h"

namespace weft::cli {

void add_gradcheck(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "gradcheck", "check the gradient of every op, module and model against finite differences");
  struct Flags {
    GradcheckCommand command;
    int threads = 0;
  };
  const auto flags = std::make_shared<Flags>();
  add_text(*command, "pattern", flags->command.pattern,
           "only those whose name contains this (default: all)")
      ->type_name("PATTERN");
  add_choice(*command, "--kind", flags->command.kind, {"op", "module", "model"},
             "what is checked (default: all)");
  add_number(*command, "--seeds", flags->command.seeds, {1, 1e9},
             "number of random seeds to check with, four elements of each input");
  add_number(*command, "--seed", flags->command.seed, {0, kMostSeed},
             "first seed; 0: the numbers of the tests");
  command->add_flag("--json", flags->command.json,
                    "print a list of objects with name, kind, worst_error, passed");
  add_threads(*command, flags->threads);
  command->footer(
      "Example:\n  weft gradcheck attention --json\n  weft gradcheck --kind op --seeds 1000");
  command->callback([flags, &action] {
    action = [flags] {
      use_threads(flags->threads);
      return run_gradcheck(flags->command);
    };
  });
}

}  // namespace weft::cli
