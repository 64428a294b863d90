#include "train/compare/jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/process.h"
#include "train/loop/run_folder.h"

namespace weft::compare {
namespace {

constexpr std::int64_t kRoughSteps = 20;  // enough to tell about how long one takes
constexpr std::int64_t kPaceRounds = 3;
constexpr std::int64_t kMostPaceRounds = 100;
constexpr double kPaceShare = 0.25;  // of the budget, in each round

nlohmann::json read_config(const fs::path& file) {
  return nlohmann::json::parse(read_file(file.string(), train::kMaxConfigBytes), nullptr, false);
}

/// The run's learning rate, and those that optimizers have beside it: what scale_lr() changes.
std::vector<std::string> names_of_rates() {
  std::vector<std::string> names{"lr"};
  for (const train::Entry* entry : train::optimizers().entries()) {
    const auto before = entry->make(), after = entry->make();
    dynamic_cast<train::OptimizerOptions&>(*after).scale_lr(2);
    for (const train::Field& field : entry->fields()) {
      const train::Field::Member was = field.of(*before), is = field.of(*after);
      const auto* const rate = std::get_if<double*>(&was);
      if (rate != nullptr && **rate != *std::get<double*>(is)) names.push_back(field.name);
    }
  }
  return names;
}

}  // namespace

std::vector<Job> Jobs::tries(std::size_t task, const std::vector<double>& factors) const {
  std::vector<Job> jobs;
  for (std::size_t cell = 0; cell < plan_.cells.size(); ++cell) {
    if (plan_.cells[cell].task != task) continue;
    for (const double factor : factors)
      for (const std::int64_t seed : plan_.tuning_seeds)
        jobs.push_back(folder_.try_job(plan_, cell, factor, seed));
  }
  return jobs;
}

std::vector<Job> Jobs::all() const {
  std::vector<Job> jobs;
  for (std::size_t task = 0; plan_.tunes() && task < plan_.suite.tasks.size(); ++task)
    for (Job& job : tries(task, plan_.suite.lr_factors)) jobs.push_back(std::move(job));
  for (const std::int64_t seed : plan_.suite.seeds)
    for (std::size_t cell = 0; cell < plan_.cells.size(); ++cell)
      jobs.push_back(folder_.seed_job(plan_, cell, seed));
  return jobs;
}

std::deque<Job> Jobs::paces(bool rough, int at_once) const {
  std::deque<Job> jobs;
  const std::int64_t cells = std::count_if(plan_.cells.begin(), plan_.cells.end(),
                                           [](const Cell& cell) { return cell.equal; });
  const std::int64_t loaded =
      (kPaceRounds * at_once + cells - 1) / std::max<std::int64_t>(1, cells);
  const std::int64_t rounds = rough ? 0 : std::clamp(loaded, kPaceRounds, kMostPaceRounds);
  for (std::int64_t round = rough ? 0 : 1; round <= rounds; ++round) {
    for (std::size_t cell = 0; cell < plan_.cells.size(); ++cell) {
      if (!plan_.cells[cell].equal) continue;
      const Job job = folder_.pace_job(plan_, cell, round);
      clear_failure(job);
      if (status_of(job) != Status::missing) continue;
      std::int64_t steps = kRoughSteps;
      if (!rough) {
        const double pace = steady_pace(folder_.pace_job(plan_, cell, 0).folder);
        const double wanted = kPaceShare * plan_.suite.budget.amount.value() / pace;
        if (wanted > static_cast<double>(kRoughSteps) && wanted < 1e9)
          steps = static_cast<std::int64_t>(wanted);
      }
      const auto config = plan_.kind->copy(*plan_.cells[cell].config);
      plan_.kind->set_steps(*config, steps, *plan_.cells[cell].data);
      config->warmup = 0;  // it may be longer than these few steps
      config->eval_every = config->save_every = steps;
      write_config(job, *config);
      jobs.push_back(job);
    }
  }
  return jobs;
}

void Jobs::take_paces(Plan& plan, const CompareFolder& folder) {
  for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
    if (!plan.cells[cell].equal) continue;
    const Metric metric = tuning_metric(plan.task(plan.cells[cell]).metric);
    std::vector<double> paces;
    for (std::int64_t round = 1; round <= kMostPaceRounds; ++round) {
      const Job job = folder.pace_job(plan, cell, round);
      const RunResult result = read_result(job, metric);
      if (result.status == Status::missing && round > kPaceRounds) break;
      const double pace = result.status == Status::done ? steady_pace(job.folder) : 0;
      if (!(pace > 0))
        fail<ConfigError>(job.folder.string(),
                          "its speed could not be measured: {}; repeat it with --retry",
                          result.error.empty() ? "it has too few steps" : result.error);
      paces.push_back(pace);
    }
    std::sort(paces.begin(), paces.end());
    const std::size_t half = paces.size() / 2;
    set_pace(plan, plan.cells[cell],
             paces.size() % 2 == 1 ? paces[half] : (paces[half - 1] + paces[half]) / 2);
  }
}

void Jobs::refuse_mixture() const {
  std::int64_t earliest = train::kConfigFormat;
  bool to_begin = false;
  for (const Job& job : all()) {
    const fs::path config = job.folder / "config.json";
    std::error_code error;
    if (fs::exists(config, error)) {
      const auto json = read_config(config);
      const bool said =
          json.is_object() && json.contains("format") && json["format"].is_number_integer();
      earliest = std::min(earliest, said ? json["format"].get<std::int64_t>() : 1);
    } else {
      const Status status = status_of(job);
      to_begin = to_begin || status == Status::missing || (retry_ && status == Status::failed);
    }
  }
  if (to_begin && earliest < train::kConfigFormat)
    fail<ConfigError>(folder_.path().string(),
                      "holds runs of an earlier version (format {} of config.json, this one "
                      "writes {}), whose rules for data, budgets and learning rates were "
                      "different: new runs could not be compared with them; choose another --out",
                      earliest, train::kConfigFormat);
}

Metric Jobs::metric_of(const Job& job) const {
  const Metric metric = plan_.task(plan_.cells[job.cell]).metric;
  return job.factor ? tuning_metric(metric) : metric;
}

Status Jobs::status_of(const Job& job) const {
  const Metric metric = metric_of(job);
  return (is_pace(job) ? read_result(job, metric) : checked_result(plan_, job, metric)).status;
}

void Jobs::clear_failure(const Job& job) const {
  if (!retry_ || status_of(job) != Status::failed) return;
  std::error_code ignored;
  fs::remove(job.failed(), ignored);
  if (!files::is_held(job.folder)) fs::remove_all(job.folder, ignored);
}

void Jobs::write_config(const Job& job, const train::RunConfig& config) const {
  make_folder(job.config.parent_path());
  write_file(job.config.string(), train::to_json(*plan_.kind, config));
}

std::vector<std::string> Jobs::command(const Job& job, const fs::path& program, bool resume) const {
  std::vector<std::string> words{program.string(), "train", plan_.kind->name()};
  if (resume)
    words.insert(words.end(), {"--resume", "--out", job.folder.string(), "--threads", "1"});
  else
    words.insert(words.end(), {"--config", job.config.string(), "--seed", std::to_string(job.seed),
                               "--threads", "1", "--no-estimate", "--out", job.folder.string()});
  if (job.factor) words.push_back("--no-test");
  return words;
}

bool is_pace(const Job& job) { return job.folder.filename().string().starts_with("pace"); }

bool has_other_rate(const Job& job) {
  const fs::path own = job.folder / "config.json";
  std::error_code error;
  if (!fs::exists(own, error)) return false;
  const auto rates = [](const fs::path& config) {
    const auto json = read_config(config);
    std::vector<nlohmann::json> found;
    for (const std::string& name : names_of_rates())
      found.push_back(json.is_object() ? json.value(name, nlohmann::json()) : nlohmann::json());
    return found;
  };
  return rates(own) != rates(job.config);
}

void record_failure(const Job& job, const std::string& why) {
  std::error_code ignored;
  fs::create_directories(job.folder.parent_path(), ignored);
  write_file(job.failed().string(), why + "\n");
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (is_disk_full(error.value()))
    fail<DiskFullError>(folder.string(), "cannot be created: {}", error.message());
  if (error) fail<IoError>(folder.string(), "cannot be created: {}", error.message());
}

std::string end_of_log(const fs::path& log) {
  std::string text;
  try {
    text = read_file(log.string(), 1 << 20);
  } catch (const Error&) {
    return "";
  }
  const auto place = text.rfind("weft: ");
  if (place != std::string::npos &&
      (place == 0 || text[place - 1] == '\n' || text[place - 1] == 'K'))
    text = text.substr(place + 6);
  while (text.ends_with('\n')) text.pop_back();
  const auto line = text.rfind('\n');
  return line == std::string::npos ? text : text.substr(line + 1);
}

}  // namespace weft::compare
