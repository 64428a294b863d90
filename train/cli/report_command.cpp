// weft report: the page of a comparison, made again from its figures.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"
#include "train/cli/cli.h"
#include "train/report/compare_page.h"

namespace weft::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostResultBytes = std::int64_t{256} << 20;

int write_report(const fs::path& folder, const std::string& out) {
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
  write_file(page.string(), report::compare_page(read_file(figures.string(), kMostResultBytes)));
  fmt::print("{}\n", page.string());
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
  add_name(*command, "--out", *out, "the page (default: DIR/report.html)")->type_name("FILE");
  command->footer(
      "One HTML file that needs nothing else: open it in a browser, send it, print it. Of a "
      "comparison that is not finished it\n"
      "shows what is there.\n\nExample:\n  weft report runs/cross-dimension");
  command->callback(
      [folder, out, &action] { action = [folder, out] { return write_report(*folder, *out); }; });
}

}  // namespace weft::cli
