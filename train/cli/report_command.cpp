// weft report: the page of a comparison, made again from its figures.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"
#include "train/cli/cli.h"
#include "train/compare/against.h"
#include "train/report/compare_page.h"
#include "train/report/tables.h"

namespace weft::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostResultBytes = std::int64_t{256} << 20;

/// Tables as LaTeX and CSV, and results.json without what is bound to this machine.
void write_tables(const std::string& results_json, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail<IoError>(folder.string(), "cannot be created: {}", error.message());
  const compare::Results results = compare::read_results(results_json);
  auto files = report::tables(results);
  files.emplace_back("results.json", compare::results_without_machine(results));
  for (const auto& [name, text] : files) {
    write_file((folder / name).string(), text);
    fmt::print("{}\n", (folder / name).string());
  }
}

int write_report(const fs::path& folder, const std::string& out, const std::string& tables) {
  const fs::path figures = folder / "results.json";
  std::error_code error;
  if (!fs::exists(figures, error)) {
    if (!fs::is_directory(folder, error))
      fail<IoError>("report", "{} is not a folder; name the one that weft compare wrote",
                    folder.string());
    if (fs::exists(folder / "summary.json", error) || fs::exists(folder / "config.json", error))
      fail<ConfigError>("report",
                        "{} is the folder of a single run, and a report is of a comparison: name "
                        "the folder that weft compare wrote; for a run: weft "
                        "info, weft eval",
                        folder.string());
    fail<IoError>("report",
                  "{} holds no results.json; weft compare writes it, and with --out {} continues "
                  "where it stopped",
                  folder.string(), folder.string());
  }
  const Phase phase("writing the report");
  const fs::path page = out.empty() ? folder / "report.html" : fs::path(out);
  const std::string results = read_file(figures.string(), kMostResultBytes);
  write_file(page.string(), report::compare_page(results));
  fmt::print("{}\n", page.string());
  if (!tables.empty()) write_tables(results, tables);
  return kDone;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("report", "write the page of a comparison again");
  const auto folder = std::make_shared<std::string>();
  const auto out = std::make_shared<std::string>();
  add_name(*command, "dir", *folder, "folder that weft compare wrote, with results.json in it")
      ->required()
      ->type_name("DIR");
  const auto tables = std::make_shared<std::string>();
  add_name(*command, "--tables", *tables,
           "also write the tables as LaTeX and CSV into this folder, and results.json without what "
           "is bound to the machine, to be committed beside a suite")
      ->type_name("DIR");
  add_name(*command, "--out", *out, "the page (default: DIR/report.html)")->type_name("FILE");
  command->footer(
      "One HTML file that needs nothing else: open it in a browser, send it, print it. Of a "
      "comparison that is not finished it\n"
      "shows what is there.\n\nExample:\n  weft report runs/cross-dimension");
  command->callback([folder, out, tables, &action] {
    action = [folder, out, tables] { return write_report(*folder, *out, *tables); };
  });
}

}  // namespace weft::cli
