#include "train/compare/run_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/file.h"
#include "train/compare/expression.h"

namespace weft::compare {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCompareFormat = "weft-compare-1";
constexpr std::int64_t kMaxSummaryBytes = 1 << 20;

double number_in(const Json& json, const std::string& key) {
  return json.contains(key) && json[key].is_number() ? json[key].get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
}

/// A measured figure by its name among metrics.
double figure_in(const Json& json, const std::string& name) {
  if (name != "throughput") return number_in(json, name);
  for (const auto& [key, value] : json.items())
    if (key.ends_with("_per_s") && value.is_number()) return value.get<double>();
  return std::numeric_limits<double>::quiet_NaN();
}

fs::path cell_folder(const fs::path& root, const char* part, const Plan& plan, const Cell& cell) {
  return root / part / plan.task(cell).name;
}

struct Form {
  std::string suite{};
  bool quick = false;
  std::vector<std::int64_t> seeds{};
  std::vector<std::int64_t> looks{};

  std::string json() const {
    Json all{{"format", kCompareFormat}, {"suite", suite}, {"quick", quick}, {"seeds", seeds}};
    if (!looks.empty()) all["looks"] = looks;
    return all.dump(2) + "\n";
  }
};

std::vector<std::int64_t> whole_numbers(const Json& json, const char* key) {
  std::vector<std::int64_t> all;
  if (json.contains(key) && json[key].is_array())
    for (const Json& one : json[key])
      if (one.is_number_integer()) all.push_back(one.get<std::int64_t>());
  return all;
}

/// Nothing where it is no such file.
std::optional<Form> read_form(const fs::path& file) {
  const Json json = Json::parse(read_file(file.string(), kMaxSummaryBytes), nullptr, false);
  if (!json.is_object() || json.value("format", "") != kCompareFormat) return std::nullopt;
  return Form{.suite = json.value("suite", ""),
              .quick = json.value("quick", false),
              .seeds = whole_numbers(json, "seeds"),
              .looks = whole_numbers(json, "looks")};
}

/// Whether one list is the beginning of the other.
bool is_beginning(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  const std::size_t common = std::min(a.size(), b.size());
  return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin());
}

}  // namespace

std::string_view name(Status status) {
  return status == Status::done ? "done" : status == Status::failed ? "failed" : "missing";
}

RunResult read_result(const Job& job, const Metric& metric) {
  RunResult result;
  std::error_code error;
  if (fs::exists(job.failed(), error)) {
    result.status = Status::failed;
    result.error = read_file(job.failed().string(), kMaxSummaryBytes);
    while (result.error.ends_with('\n')) result.error.pop_back();
    return result;
  }
  const fs::path summary = job.folder / "summary.json";
  if (!fs::exists(summary, error)) return result;
  const Json json = Json::parse(read_file(summary.string(), kMaxSummaryBytes), nullptr, false);
  if (json.is_object())
    result.value =
        metric.expression.empty()
            ? figure_in(json, metric.name)
            : Expression(metric.expression, metric.name).evaluate([&](const std::string& name) {
                return figure_in(json, name);
              });
  if (!std::isfinite(result.value)) {
    result.status = Status::failed;
    result.error = metric.expression.empty() ? fmt::format("summary.json has no {}", metric.name)
                                             : fmt::format("{} = {} is not a finite number",
                                                           metric.name, metric.expression);
    return result;
  }
  result.status = Status::done;
  result.seconds = number_in(json, "seconds");
  result.train_seconds =
      number_in(json, json.contains("train_seconds") ? "train_seconds" : "seconds");
  result.parameters = number_in(json, "params");
  result.peak_mib = number_in(json, "peak_mib");
  result.steps = json.value("steps", std::int64_t{0});
  result.batch_hash = json.value("batch_hash", "");
  return result;
}

RunResult checked_result(const Plan& plan, const Job& job, const Metric& metric) {
  RunResult result = read_result(job, metric);
  if (result.status != Status::done) return result;
  const Cell& cell = plan.cells[job.cell];
  const auto refuse = [&](const char* what, double wanted, double found) {
    result.status = Status::failed;
    result.value = std::numeric_limits<double>::quiet_NaN();
    result.error = fmt::format("the plan has {:.0f} {} for this arm, and its run had {:.0f}",
                               wanted, what, found);
  };
  if (result.parameters != cell.parameters)
    refuse("parameters", cell.parameters, result.parameters);
  else if (result.steps != cell.steps)
    refuse("steps", static_cast<double>(cell.steps), static_cast<double>(result.steps));
  return result;
}

double steady_pace(const fs::path& run) {
  std::vector<std::pair<std::int64_t, double>> ends;
  std::ifstream file(run / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("step") && json["step"].is_number_integer())
      ends.emplace_back(json["step"].get<std::int64_t>(), number_in(json, "seconds"));
  }
  if (!ends.empty()) ends.pop_back();  // its seconds hold the evaluation at the end
  const std::size_t first = ends.size() / 4;
  if (ends.size() < first + 2) return std::numeric_limits<double>::quiet_NaN();
  return (ends.back().second - ends[first].second) /
         static_cast<double>(ends.back().first - ends[first].first);
}

Metric tuning_metric(const Metric& metric) {
  if (is_cost(metric.name) || !metric.expression.empty()) return {.name = "val_loss"};
  return {.name = metric.name.starts_with("test_") ? "val_" + metric.name.substr(5) : metric.name,
          .lower_is_better = metric.lower_is_better};
}

std::map<std::int64_t, std::string> batch_hashes(const fs::path& run) {
  std::map<std::int64_t, std::string> hashes;
  std::ifstream file(run / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("batch_hash") || !json["batch_hash"].is_string())
      continue;
    if (!json.contains("step") || !json["step"].is_number_integer()) continue;
    hashes[json["step"].get<std::int64_t>()] = json["batch_hash"].get<std::string>();
  }
  return hashes;
}

namespace {

/// More than a comparison has left that was killed before its compare.json was whole.
bool has_foreign_files(const fs::path& folder, const Suite& suite) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (files::is_half_written(entry.path(), {"suite.toml", "compare.json"})) continue;
    if (entry.path().filename() != "suite.toml" ||
        read_file(entry.path().string(), kMaxSummaryBytes) != suite.text)
      return true;
  }
  return static_cast<bool>(error);
}

}  // namespace

CompareFolder::CompareFolder(fs::path path, const Suite& suite, bool quick)
    : path_(std::move(path)) {
  std::error_code error;
  const fs::path form = path_ / "compare.json";
  if (fs::exists(form, error)) {
    lock_ = std::make_unique<files::FolderLock>(path_);
    if (read_file((path_ / "suite.toml").string(), kMaxSummaryBytes) != suite.text) {
      fail<ConfigError>(path_.string(),
                        "holds runs of another suite, or of {} before it was changed; they are "
                        "kept: choose another --out",
                        suite.file);
    }
    const std::optional<Form> known = read_form(form);
    if (!known || known->suite != suite.name || known->quick != quick ||
        !is_beginning(known->seeds, suite.seeds)) {
      fail<ConfigError>(path_.string(),
                        "holds runs of this suite with other seeds or in its other form (--quick); "
                        "give the same, or choose another --out");
    }
    if (suite.seeds.size() > known->seeds.size()) {
      Form longer = *known;
      longer.seeds = suite.seeds;
      write_file(form.string(), longer.json());
    }
    return;
  }
  if (fs::exists(path_, error) &&
      (!fs::is_directory(path_, error) || has_foreign_files(path_, suite))) {
    fail<ConfigError>(path_.string(), "contains other files; choose another --out");
  }
  fs::create_directories(path_, error);
  if (error) fail<IoError>(path_.string(), "cannot be created: {}", error.message());
  lock_ = std::make_unique<files::FolderLock>(path_);
  write_file((path_ / "suite.toml").string(), suite.text);
  write_file(form.string(), Form{.suite = suite.name, .quick = quick, .seeds = suite.seeds}.json());
}

std::vector<std::int64_t> CompareFolder::looks() const {
  const std::optional<Form> form = read_form(path_ / "compare.json");
  return form ? form->looks : std::vector<std::int64_t>();
}

void CompareFolder::note_look(std::int64_t seeds) const {
  std::optional<Form> form = read_form(path_ / "compare.json");
  if (!form || std::find(form->looks.begin(), form->looks.end(), seeds) != form->looks.end())
    return;
  form->looks.push_back(seeds);
  write_file((path_ / "compare.json").string(), form->json());
}

Job CompareFolder::seed_job(const Plan& plan, std::size_t index, std::int64_t seed) const {
  const Cell& cell = plan.cells[index];
  const std::string arm = plan.arm(cell).name;
  return {.cell = index,
          .seed = seed,
          .folder = cell_folder(path_, "runs", plan, cell) / arm / fmt::format("seed-{}", seed),
          .config = cell_folder(path_, "configs", plan, cell) / (arm + ".json")};
}

Job CompareFolder::try_job(const Plan& plan, std::size_t index, double factor,
                           std::int64_t seed) const {
  const Cell& cell = plan.cells[index];
  const std::string arm = plan.arm(cell).name;
  return {.cell = index,
          .seed = seed,
          .factor = factor,
          .folder = cell_folder(path_, "runs", plan, cell) / arm /
                    fmt::format("try-{}-seed-{}", factor, seed),
          .config = cell_folder(path_, "configs", plan, cell) /
                    fmt::format("{}.try-{}.json", arm, factor)};
}

Job CompareFolder::pace_job(const Plan& plan, std::size_t index, std::int64_t round) const {
  const Cell& cell = plan.cells[index];
  const std::string arm = plan.arm(cell).name;
  return {.cell = index,
          .seed = plan.tuning_seeds.front(),
          .factor = 1,
          .folder = cell_folder(path_, "runs", plan, cell) / arm / fmt::format("pace-{}", round),
          .config = cell_folder(path_, "configs", plan, cell) /
                    fmt::format("{}.pace-{}.json", arm, round)};
}

}  // namespace weft::compare
