// What the commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "train/cli/options.h"

namespace weft::cli {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

/// What the chosen command will do once the whole command line has been read.
using Action = std::function<int()>;

/// Adds a command to the program; the command sets `action` when it is chosen.
using AddCommand = void (*)(CLI::App& app, Action& action);

// One file a command: train/cli/<name>_command.cpp. Listed in main.cpp.
void add_demo(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_sample(CLI::App& app, Action& action);
void add_predict(CLI::App& app, Action& action);
void add_detect(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_gradcheck(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_info(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_verify(CLI::App& app, Action& action);

/// All of them. `action` must live as long as the app.
void add_commands(CLI::App& app, Action& action);

/// `--threads`, the same everywhere.
void add_threads(CLI::App& command, int& threads);
void use_threads(int threads);

/// The processor as the system names it, or "unknown".
std::string cpu_name();

}  // namespace weft::cli
