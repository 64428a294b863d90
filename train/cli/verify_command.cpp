// weft verify
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"
#include "train/cli/cli.h"
#include "train/cli/progress.h"
#include "train/cli/stop_run.h"
#include "train/cli/terminal.h"
#include "train/config/config_sources.h"
#include "train/loop/run_bits.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"

namespace weft::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct VerifyFlags {
  std::string run;
  std::string bits;
  int threads = 0;
  bool json = false;
};

/// A folder that goes when it is no longer needed.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    path_ = (fs::temp_directory_path(error) / "weft-verify-XXXXXX").string();
    if (error || ::mkdtemp(path_.data()) == nullptr)
      fail<IoError>("verify", "no temporary folder can be made in {}: set TMPDIR to one that can",
                    error ? "TMPDIR" : fs::path(path_).parent_path().string());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  fs::path run() const { return fs::path(path_) / "run"; }

 private:
  std::string path_;
};

/// summary.json of a run that has ended.
std::string summary_of(const fs::path& run) {
  std::error_code error;
  if (!fs::is_directory(run, error))
    fail<ConfigError>(run.string(),
                      "is not a run folder: what is verified is a whole run, with its record");
  const fs::path file = run / "summary.json";
  if (!fs::exists(file, error))
    fail<ConfigError>(run.string(), "has not ended yet: train it further with --resume");
  return read_file(file.string(), 1 << 20);
}

int answer(const VerifyFlags& flags, const Json& json, const std::string& text) {
  fmt::print("{}\n", flags.json ? json.dump(2, ' ', false, Json::error_handler_t::replace) : text);
  return json["equal"] ? kDone : kFailed;
}

int verify(const VerifyFlags& flags) {
  use_threads(flags.threads);
  const fs::path folder = flags.run;
  const std::string summary = summary_of(folder);
  const train::RunFacts facts = train::read_run(folder);
  const Json recorded = Json::parse(summary, nullptr, false);
  if (!recorded.contains("bits"))
    fail<ConfigError>(folder.string(),
                      "was trained by a version of weft whose results depended on the CPU: train "
                      "it anew with this version, by `weft train {} --config {}`",
                      facts.kind->name(), (folder / "config.json").string());
  const std::string bits = train::run_bits(folder, summary);
  if (recorded["bits"] != bits)
    fail<IoError>(folder.string(),
                  "has been changed since the run ended: its files have the bits {}, and {} were "
                  "recorded; take another copy, or train it anew",
                  bits, recorded["bits"].dump());
  if (!flags.bits.empty() && flags.bits != bits)
    return answer(flags,
                  {{"run", flags.run}, {"bits", bits}, {"published", flags.bits}, {"equal", false}},
                  fmt::format("not verified: the run has the bits {}, not {}; nothing was trained",
                              bits, flags.bits));

  auto config = train::config_from_json(*facts.kind, facts.config_json, folder.string());
  if (flags.threads > 0) config->threads = flags.threads;
  {
    const Phase phase("checking that the data are those that the run learned from");
    train::prepare_again(*facts.kind, facts.kind->copy(*config), facts.facts, folder.string(),
                         "restore them");
  }
  const ScratchFolder scratch;
  ProgressBar bar("verify " + facts.kind->name());
  std::optional<SaveFirst> saving;
  const train::RunOptions options = stoppable({.out = scratch.run(),
                                               .resume = false,
                                               .estimate = false,
                                               .test = summary.find("\"test_") != std::string::npos,
                                               .observer = &bar},
                                              saving);
  const train::Summary again = train::train_run(*facts.kind, *config, options);
  bar.clear();
  if (again.interrupted) {
    put_line(fmt::format("stopped after step {} of {}: nothing is verified", again.steps,
                         again.steps_wanted));
    return stop_exit_code();
  }
  Json json{
      {"run", flags.run}, {"bits", bits}, {"again", again.bits}, {"equal", again.bits == bits}};
  if (again.bits == bits)
    return answer(flags, json,
                  fmt::format("verified: trained again, the run has the same bits, {}", bits));
  const std::string difference = train::first_difference(folder, scratch.run());
  json["difference"] = difference;
  return answer(flags, json,
                fmt::format("not verified: the run has the bits {}, trained again {}\n"
                            "the first difference: {}",
                            bits, again.bits, difference));
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "verify",
      "train a finished run again and compare: parameters, optimizer, metrics, bit for bit");
  const auto flags = std::make_shared<VerifyFlags>();
  add_name(*command, "run", flags->run, "folder of a run that has ended")
      ->required()
      ->type_name("RUN");
  add_name(*command, "--bits", flags->bits,
           "the hash that was published with its figures: must be the run's, too")
      ->type_name("HASH");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the answer as JSON");
  command->footer(
      "The same command, data and version of weft give the same bits on any CPU, with any number "
      "of\n"
      "threads, stopped and resumed or not. Exit code 1: they did not.\n"
      "Example:\n  weft train text --preset text-fast --out runs/fast && weft verify runs/fast");
  command->callback([flags, &action] { action = [flags] { return verify(*flags); }; });
}

}  // namespace weft::cli
