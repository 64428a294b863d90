#include "train/compare/run_results.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/file.h"
#include "core/math.h"

namespace weft::compare {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCompareFormat = "weft-compare-1";
constexpr std::int64_t kMaxSummaryBytes = 1 << 20;

double number_in(const Json& json, const std::string& key) {
  return json.contains(key) && json[key].is_number() ? json[key].get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
}

fs::path cell_folder(const fs::path& root, const char* part, const Plan& plan, const Cell& cell) {
  return root / part / plan.task(cell).name;
}

std::string form_json(const Suite& suite, bool quick) {
  return Json{{"format", kCompareFormat},
              {"suite", suite.name},
              {"quick", quick},
              {"seeds", suite.seeds}}
             .dump(2) +
         "\n";
}

}  // namespace

std::string_view name(Status status) {
  return status == Status::done ? "done" : status == Status::failed ? "failed" : "missing";
}

RunResult read_result(const Job& job, const std::string& metric) {
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
  result.value = json.is_object() ? number_in(json, metric) : result.value;
  if (!std::isfinite(result.value)) {
    result.status = Status::failed;
    result.error = fmt::format("summary.json has no {}", metric);
    return result;
  }
  result.status = Status::done;
  result.seconds = number_in(json, "seconds");
  result.peak_mib = number_in(json, "peak_mib");
  result.steps = json.value("steps", std::int64_t{0});
  result.batch_hash = json.value("batch_hash", "");
  return result;
}

std::string validation_metric(const std::string& metric) {
  return metric.starts_with("test_") ? "val_" + metric.substr(5) : metric;
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
    if (read_file(form.string(), kMaxSummaryBytes) != form_json(suite, quick)) {
      fail<ConfigError>(path_.string(),
                        "holds runs of this suite with other seeds or in its other form (--quick); "
                        "give the same, or choose another --out");
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
  write_file(form.string(), form_json(suite, quick));
}

Job CompareFolder::seed_job(const Plan& plan, std::size_t index, std::int64_t seed) const {
  const Cell& cell = plan.cells[index];
  const std::string arm = plan.arm(cell).name;
  return {.cell = index,
          .seed = seed,
          .folder = cell_folder(path_, "runs", plan, cell) / arm / fmt::format("seed-{}", seed),
          .config = cell_folder(path_, "configs", plan, cell) / (arm + ".json")};
}

Job CompareFolder::try_job(const Plan& plan, std::size_t index, double factor) const {
  const Cell& cell = plan.cells[index];
  const std::string arm = plan.arm(cell).name;
  return {.cell = index,
          .seed = plan.tuning_seed,
          .factor = factor,
          .folder = cell_folder(path_, "runs", plan, cell) / arm / fmt::format("try-{}", factor),
          .config = cell_folder(path_, "configs", plan, cell) /
                    fmt::format("{}.try-{}.json", arm, factor)};
}

std::optional<double> best_factor(const Plan& plan, const CompareFolder& folder, std::size_t cell) {
  if (plan.suite.lr_factors.size() == 1) return plan.suite.lr_factors.front();
  const Metric& metric = plan.task(plan.cells[cell]).metric;
  std::optional<double> best;
  double best_value = 0;
  for (const double factor : plan.suite.lr_factors) {
    const RunResult result =
        read_result(folder.try_job(plan, cell, factor), validation_metric(metric.name));
    if (result.status == Status::missing) return std::nullopt;
    if (result.status == Status::failed) continue;
    const double gain =
        metric.lower_is_better ? best_value - result.value : result.value - best_value;
    const bool nearer = best && std::abs(math::log(factor)) < std::abs(math::log(*best));
    if (!best || gain > 0 || (gain == 0 && nearer)) {
      best = factor;
      best_value = result.value;
    }
  }
  return best;
}

}  // namespace weft::compare
