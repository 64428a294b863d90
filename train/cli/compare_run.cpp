// What `weft compare` does, for whoever wants it done.
#include "train/cli/compare_run.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/open_files.h"
#include "core/memory_limits.h"
#include "core/phase.h"
#include "core/simd.h"
#include "train/cli/cli.h"
#include "train/cli/compare_table.h"
#include "train/cli/stop.h"
#include "train/compare/collect.h"
#include "train/compare/runner.h"
#include "train/compare/shipped.h"
#include "train/config/utf8_text.h"
#include "train/report/compare_page.h"
#include "train/tasks/common/kind.h"

namespace weft::cli {
namespace {

namespace fs = std::filesystem;

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

/// When a comparison began and how long it took in its earlier sessions: sessions.json (earlier
/// versions: sittings.json).
struct Sessions {
  std::string started = utc_now();
  double seconds = 0;

  static Sessions read(const fs::path& folder) {
    Sessions sessions;
    std::error_code error;
    fs::path file = folder / "sessions.json";
    if (!fs::exists(file, error)) file = folder / "sittings.json";
    if (!fs::exists(file, error)) return sessions;
    const auto json = nlohmann::json::parse(read_file(file.string(), 1 << 16), nullptr, false);
    if (!json.is_object()) return sessions;
    sessions.started = json.value("started", sessions.started);
    sessions.seconds = json.value("seconds", 0.0);
    return sessions;
  }
  void write(const fs::path& folder) const {
    write_file((folder / "sessions.json").string(),
               nlohmann::json{{"started", started}, {"seconds", seconds}}.dump() + "\n");
  }
};

/// Writes results.json, results.csv and report.html; the text of the first.
std::string write_results(const compare::Results& results, const fs::path& folder) {
  std::string json = compare::results_json(results);
  write_file((folder / "results.json").string(), json);
  write_file((folder / "results.csv").string(), compare::results_csv(results));
  write_file((folder / "report.html").string(), report::compare_page(json));
  return json;
}

}  // namespace

compare::Suite find_suite(const std::string& name) {
  std::vector<std::string> names;
  for (const EmbeddedFile& suite : compare::shipped_suites()) {
    if (suite.name == name) return compare::parse_suite(suite.text, name + ".toml");
    names.emplace_back(suite.name);
  }
  std::error_code error;
  if (fs::exists(name, error)) return compare::load_suite(name);
  const std::string near = train::nearest(name, names);
  fail<ConfigError>("compare", "there is no suite and no file {}{}; suites: {}", name,
                    near.empty() ? "" : ": did you mean " + near + "?", fmt::join(names, ", "));
}

compare::Plan plan_of(const CompareRequest& request) {
  compare::Suite suite = find_suite(request.suite);
  if (request.quick) suite = compare::quick_form(suite);
  if (request.seeds > 0) suite = compare::with_seeds(std::move(suite), request.seeds);
  const Phase phase("planning the runs of {}", suite.name);
  return compare::make_plan(std::move(suite));
}

/// Throws ConfigError where runs of a comparison that goes on learned from other data than those
/// that are there now: they would stand beside runs of these. One run of each task tells.
void check_data_of_runs(const compare::Plan& plan, const compare::CompareFolder& folder) {
  const Phase phase("comparing the data with those of earlier runs");
  std::set<std::size_t> looked;  // tasks
  for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
    for (const std::int64_t seed : plan.suite.seeds) {
      if (looked.contains(plan.cells[cell].task)) break;
      const fs::path last = folder.seed_job(plan, cell, seed).folder / "last.safetensors";
      std::error_code error;
      if (!fs::exists(last, error)) continue;
      train::CheckpointFacts facts;
      try {
        facts = train::read_checkpoint_facts(last);
      } catch (const Error&) {
        continue;  // damaged: whoever goes on with that run says so
      }
      auto config = train::config_from_json(*plan.kind, facts.config, last.string());
      train::prepare_again(*plan.kind, std::move(config), facts, last.string(),
                           "restore them, or compare in another folder (--out)");
      looked.insert(plan.cells[cell].task);
    }
  }
}

std::unique_ptr<CompareOutcome> compare_suite(const CompareRequest& request) {
  auto outcome = std::make_unique<CompareOutcome>(CompareOutcome{.plan = plan_of(request)});
  compare::Plan& plan = outcome->plan;
  const fs::path out = request.out.empty()
                           ? fs::path("runs") / (plan.suite.name + (request.quick ? "-quick" : ""))
                           : fs::path(request.out);
  train::require_utf8("the comparison's folder", out.string(), "compare");
  std::optional<SaveFirst> saving{std::in_place};
  const compare::CompareFolder folder(out, plan.suite, request.quick);
  saving.reset();  // reading data again may take long, and leaves nothing to be saved
  check_data_of_runs(plan, folder);
  saving.emplace();
  const int jobs = request.jobs > 0 ? request.jobs : usable_processors();
  Sessions sessions = Sessions::read(out);
  sessions.write(out);

  const auto begin = std::chrono::steady_clock::now();
  const double before = sessions.seconds;
  const auto note_time = [&] {
    sessions.seconds =
        before + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    sessions.write(out);
  };
  CompareTable table(plan.suite.name);
  const compare::RunnerOptions options{
      .jobs = jobs,
      .program = files::own_program(),
      .retry = request.retry,
      .observer = [&](const compare::CompareProgress& progress) { table.show(progress); },
      .stop = stop_requested};
  try {
    outcome->whole = compare::run_plan(plan, folder, options);
  } catch (const Error&) {
    table.clear();
    try {
      note_time();
    } catch (const Error&) {  // a full disk is told by the first error
    }
    throw;
  }
  table.clear();
  note_time();
  if (outcome->whole) {
    folder.note_look(std::ssize(plan.suite.seeds));
    saving.reset();  // the rest can be made again
  }
  const Phase phase("computing the results");
  outcome->folder = out;
  outcome->seconds = sessions.seconds;
  compare::Results& results = outcome->results;
  results = compare::collect(plan, folder, request.quick);
  results.version = WEFT_VERSION;
  results.cpu = cpu_name();
  results.simd = simd_in_use();
  results.cores = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  results.started = sessions.started;
  results.seconds = sessions.seconds;
  results.jobs = jobs;
  outcome->json = write_results(results, out);
  return outcome;
}

std::string findings_text(const compare::Results& results) {
  std::string text = fmt::format("{}\n\n", results.question.en);
  for (const compare::ResultContrast& contrast : results.contrasts)
    text += fmt::format("- {}\n", compare::verdict_sentence(contrast.statement).en);
  std::string failing, unjudged;
  for (const compare::ControlStatement& control : results.controls) {
    if (control.holds) continue;
    (compare::is_judged(control) ? failing : unjudged) +=
        fmt::format("- {}\n", compare::control_sentence(control).en);
  }
  if (!failing.empty())
    text += "\nControls that do not hold; what the suite says is in doubt:\n" + failing;
  if (!unjudged.empty())
    text += "\nControls that cannot be judged; what the suite says is in doubt:\n" + unjudged;
  if (failing.empty() && unjudged.empty() && !results.controls.empty())
    text += "\nAll controls hold.\n";
  for (const compare::ResultCell& cell : results.cells) {
    for (const compare::ResultRun& run : cell.runs) {
      if (run.status == compare::name(compare::Status::failed))
        text += fmt::format("failed: {} on {}, seed {}: {}\n", results.arms[cell.arm].name,
                            results.tasks[cell.task].name, run.seed, run.error);
    }
  }
  return text;
}

}  // namespace weft::cli
