#include "train/loop/run_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.h"
#include "core/io/file.h"

namespace weft::train {
namespace {

/// What a killed run may have left half-written.
bool is_partial_file(const fs::path& file) {
  return files::is_half_written(file, {"last.safetensors", "best.safetensors", "summary.json",
                                       "metrics.jsonl", "config.json"});
}

void remove_partial_files(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (is_partial_file(entry.path())) fs::remove(entry.path(), ignored);
}

/// A run that was killed before its config.json was whole has left such files at most.
bool has_foreign_files(const fs::path& folder, std::error_code& error) {
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (!is_partial_file(entry.path())) return true;
  return false;
}

}  // namespace

RunFolder::RunFolder(fs::path path)
    : path_(std::move(path)), lock_(std::make_unique<files::FolderLock>(path_)) {}

void RunFolder::check_new(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    if (fs::exists(path / "config.json", error)) {
      fail<ConfigError>(
          path.string(),
          "already contains a run, which is kept; choose another --out, or continue with --resume");
    }
    const bool taken = has_foreign_files(path, error);
    if (error) fail<IoError>(path.string(), "cannot be read: {}", error.message());
    if (taken)
      fail<ConfigError>(path.string(), "is a folder with other files in it; choose another --out");
  } else if (fs::exists(status)) {
    fail<ConfigError>(path.string(), "is a file, not a folder; choose another --out");
  } else if (error && status.type() != fs::file_type::not_found) {
    fail<IoError>(path.string(), "cannot be reached: {}", error.message());
  }
  // The nearest folder that is there must let us write, so that training does not begin in vain.
  fs::path parent = fs::absolute(path, error);
  while (!parent.empty() && !fs::exists(parent, error) && parent != parent.parent_path())
    parent = parent.parent_path();
  if (!fs::is_directory(parent, error))
    fail<IoError>(path.string(), "cannot be created: {} is not a folder", parent.string());
  if (::access(parent.c_str(), W_OK | X_OK) != 0)
    fail<IoError>(path.string(), "cannot be created: {} may not be written", parent.string());
}

RunFolder RunFolder::create(const fs::path& path, const std::string& config_json) {
  check_new(path);
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail<IoError>(path.string(), "cannot be created: {}", error.message());
  RunFolder folder(path);
  check_new(path);  // now that nobody else can be at it
  remove_partial_files(path);
  write_file(folder.config().string(), config_json);
  return folder;
}

RunFolder RunFolder::open(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error))
    fail<IoError>(path.string(), "is not a run folder: there is no such folder");
  if (!fs::exists(path / "config.json", error))
    fail<IoError>(path.string(), "is not a run folder: it has no config.json");
  RunFolder folder(path);
  remove_partial_files(path);
  return folder;
}

fs::path RunFolder::next_free(const std::string& task) {
  std::error_code error;
  for (int number = 1;; ++number) {
    const fs::path path = fs::path("runs") / fmt::format("{}-{}", task, number);
    if (!fs::exists(path, error)) return path;
  }
}

std::string RunFolder::read_config() const { return read_file(config().string(), kMaxConfigBytes); }

bool RunFolder::trim_metrics(std::int64_t step) const {
  std::error_code error;
  if (!fs::exists(metrics(), error)) return false;
  const std::string text = read_file(metrics().string());
  std::string kept;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const std::string line = text.substr(begin, end - begin);
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("step") && json["step"].is_number_integer() &&
        json["step"].get<std::int64_t>() <= step)
      kept += line + "\n";
    begin = end + 1;
  }
  if (kept != text) write_file(metrics().string(), kept);
  return !text.empty() && text.back() != '\n';
}

}  // namespace weft::train
