// weft compare
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "core/simd.h"
#include "train/cli/cli.h"
#include "train/cli/compare_table.h"
#include "train/cli/progress.h"
#include "train/cli/stop.h"
#include "train/cli/terminal.h"
#include "train/compare/results.h"
#include "train/compare/runner.h"
#include "train/compare/shipped.h"
#include "train/compare/worker.h"
#if __has_include("train/report/compare_page.h")
#include "train/report/compare_page.h"
#endif

namespace weft::cli {
namespace {

namespace fs = std::filesystem;
using compare::Phrase;

constexpr const char* kDefaultSuite = "cross-dimension";

struct CompareFlags {
  std::string suite = kDefaultSuite;
  std::string out;
  std::int64_t seeds = 0;
  int jobs = 0;
  bool quick = false;
  bool retry = false;
  bool list = false;
  bool check = false;
  bool json = false;
};

compare::Suite find_suite(const std::string& name) {
  std::vector<std::string> names;
  for (const compare::ShippedSuite& suite : compare::shipped_suites()) {
    if (suite.name == name) return compare::parse_suite(suite.text, name + ".toml");
    names.emplace_back(suite.name);
  }
  std::error_code error;
  if (fs::exists(name, error)) return compare::load_suite(name);
  const std::string near = train::nearest(name, names);
  fail<ConfigError>("compare", "there is no suite and no file {}{}; suites: {}", name, near.empty() ? "" : ": did you mean " + near + "?", fmt::join(names, ", "));
}

int list_suites(bool json) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const compare::ShippedSuite& shipped : compare::shipped_suites()) {
    const compare::Suite suite = compare::parse_suite(shipped.text, std::string(shipped.name) + ".toml");
    if (json) {
      all.push_back({{"name", suite.name}, {"question", suite.question.en}, {"kind", suite.kind}, {"tasks", suite.tasks.size()}, {"arms", suite.arms.size()},
                     {"contrasts", suite.contrasts.size()}, {"seeds", suite.seeds.size()}, {"quick", suite.quick.has_value()}});
      continue;
    }
    fmt::print("{}\n  {}\n  {} tasks, {} arms, {} seeds, {} contrasts{}\n", suite.name, suite.question.en, suite.tasks.size(), suite.arms.size(), suite.seeds.size(), suite.contrasts.size(),
               suite.quick ? "; has a --quick form" : "");
  }
  if (json) fmt::print("{}\n", all.dump(2));
  return kDone;
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

/// When a comparison began and how long it took in its earlier sittings: sittings.json.
struct Sittings {
  std::string started = utc_now();
  double seconds = 0;

  static Sittings read(const fs::path& folder) {
    Sittings sittings;
    std::error_code error;
    if (!fs::exists(folder / "sittings.json", error)) return sittings;
    const auto json = nlohmann::json::parse(read_file((folder / "sittings.json").string(), 1 << 16), nullptr, false);
    if (!json.is_object()) return sittings;
    sittings.started = json.value("started", sittings.started);
    sittings.seconds = json.value("seconds", 0.0);
    return sittings;
  }
  void write(const fs::path& folder) const {
    write_file((folder / "sittings.json").string(), nlohmann::json{{"started", started}, {"seconds", seconds}}.dump() + "\n");
  }
};

/// Writes results.json, results.csv and report.html; the text of the first.
std::string write_results(const compare::Results& results, const fs::path& folder, const Sittings& sittings, int jobs) {
  const compare::ResultsFacts facts{.version = WEFT_VERSION,
                                    .cpu = cpu_name(),
                                    .simd = simd_in_use(),
                                    .cores = static_cast<std::int64_t>(std::thread::hardware_concurrency()),
                                    .started = sittings.started,
                                    .seconds = sittings.seconds,
                                    .jobs = jobs};
  std::string json = compare::results_json(results, facts);
  write_file((folder / "results.json").string(), json);
  write_file((folder / "results.csv").string(), compare::results_csv(results));
#if __has_include("train/report/compare_page.h")
  write_file((folder / "report.html").string(), report::compare_page(json));
#endif
  return json;
}

void print_findings(const compare::Results& results, const fs::path& folder, double seconds) {
  const compare::Plan& plan = *results.plan;
  fmt::print("{}\n\n", plan.suite.question.en);
  for (const compare::Statement& statement : results.contrasts) fmt::print("- {}\n", compare::verdict_sentence(statement).en);
  bool any = false;
  for (const auto& controls : results.controls) {
    for (const compare::ControlStatement& control : controls) {
      if (control.holds) continue;
      if (!any) fmt::print("\nControls that do not hold; what the suite says is in doubt:\n");
      any = true;
      fmt::print("- {}\n", compare::control_sentence(control).en);
    }
  }
  if (!any && !plan.suite.controls.empty()) fmt::print("\nAll controls hold.\n");
  for (const compare::CellResult& cell : results.cells) {
    for (const compare::CellRun& run : cell.runs) {
      if (run.result.status == compare::Status::failed) fmt::print("failed: {} on {}, seed {}: {}\n", plan.arm(cell.cell).name, plan.task(cell.cell).name, run.job.seed, run.result.error);
    }
  }
  fmt::print("\n{} runs in {}; look at {}\n", results.done, clock_text(seconds), (folder / "report.html").string());
}

int run_compare(const CompareFlags& flags) {
  if (flags.list) return list_suites(flags.json);
  compare::Suite suite = find_suite(flags.suite);
  if (flags.quick) suite = compare::quick_form(suite);
  if (flags.seeds > 0) suite = compare::with_seeds(std::move(suite), flags.seeds);
  compare::Plan plan = compare::make_plan(std::move(suite));
  if (flags.check) {
    fmt::print("{}: {} runs, and {} that try learning rates; nothing was run\n", plan.suite.file, plan.runs(), plan.tries());
    return kDone;
  }
  const fs::path out = flags.out.empty() ? fs::path("runs") / (plan.suite.name + (flags.quick ? "-quick" : "")) : fs::path(flags.out);
  const compare::CompareFolder folder(out, plan.suite, flags.quick);
  const int jobs = flags.jobs > 0 ? flags.jobs : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  Sittings sittings = Sittings::read(out);
  sittings.write(out);

  catch_stop_signals();
  const auto begin = std::chrono::steady_clock::now();
  const double before = sittings.seconds;
  const auto tell_time = [&] { sittings.seconds = before + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  CompareTable table(plan.suite.name);
  const compare::RunnerOptions options{.jobs = jobs,
                                       .program = compare::own_program(),
                                       .retry = flags.retry,
                                       .observer = [&](const compare::CompareProgress& progress) { table.show(progress); },
                                       .stop = stop_requested};
  bool whole = false;
  try {
    whole = compare::run_plan(plan, folder, options);
  } catch (const Error&) {
    table.clear();
    tell_time();
    sittings.write(out);
    throw;
  }
  table.clear();
  tell_time();
  sittings.write(out);
  const compare::Results results = compare::collect(plan, folder, flags.quick);
  const std::string json = write_results(results, out, sittings, jobs);
  if (!whole) {
    fmt::print(stderr, "stopped after {} of {} runs; finished ones are kept. Go on with:\n  weft compare {}{}{} --out {}\n", results.done, plan.runs(), flags.suite,
               flags.quick ? " --quick" : "", flags.seeds > 0 ? fmt::format(" --seeds {}", flags.seeds) : "", out.string());
    return stop_exit_code();
  }
  if (flags.json) fmt::print("{}", json);
  else print_findings(results, out, sittings.seconds);
  const std::string unpaired = compare::pairing_error(results);
  if (!unpaired.empty()) {
    fmt::print(stderr, "weft: {}\n", unpaired);
    return kFailed;
  }
  return kDone;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("compare", "train several models on the same data and say which is really better");
  const auto flags = std::make_shared<CompareFlags>();
  command->add_option("suite", flags->suite, "a suite by its name (see --list), or a TOML file")->type_name("SUITE|FILE")->capture_default_str();
  command->add_flag("--list", flags->list, "the suites that come with weft, and what each asks");
  command->add_flag("--check", flags->check, "read the suite and solve its budget, and run nothing");
  command->add_option("--seeds", flags->seeds, "seeds 1 to N instead of the suite's own")->type_name("N")->check(CLI::Range(1, 1000));
  command->add_option("--jobs", flags->jobs, "runs at the same time, a thread each (default: one a core)")->type_name("N")->check(CLI::Range(1, 1024));
  command->add_option("--out", flags->out, "folder of the comparison; one that was stopped goes on there (default: runs/SUITE)")->type_name("DIR");
  command->add_flag("--quick", flags->quick, "the suite's short form");
  command->add_flag("--retry", flags->retry, "make runs again that failed");
  command->add_flag("--json", flags->json, "print results.json");
  command->footer(
      "Each seed shows all arms the same batches in the same order. Learning rates are chosen on validation data; the test\n"
      "split is looked at once, at the end. Writes report.html, results.json and results.csv into the folder.\n\n"
      "Examples:\n  weft compare --list\n  weft compare cross-dimension --quick\n  weft compare my-suite.toml --seeds 10 --out runs/mine");
  command->callback([flags, &action] { action = [flags] { return run_compare(*flags); }; });
}

}  // namespace weft::cli
