// A run is a folder: config.json, metrics.jsonl, last.safetensors, best.safetensors, summary.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/io/open_files.h"

namespace weft::train {

namespace fs = std::filesystem;

/// A config.json longer than this is none.
constexpr std::int64_t kMaxConfigBytes = 1 << 20;

/// Takes hold of a run's folder. Nothing is created or changed before open_new() or open_existing()
/// has checked everything.
class RunFolder {
 public:
  /// A folder for a new run. Throws ConfigError when there is one with anything in it, IoError when
  /// it cannot be made. Made by create().
  static void check_new(const fs::path& path);
  /// Makes the folder and writes config.json.
  static RunFolder create(const fs::path& path, const std::string& config_json);
  /// The folder of an earlier run. Throws IoError when it is none.
  static RunFolder open(const fs::path& path);
  /// runs/<task>-1, -2, ...: the first that is not there.
  static fs::path next_free(const std::string& task);

  const fs::path& path() const { return path_; }
  fs::path config() const { return path_ / "config.json"; }
  fs::path metrics() const { return path_ / "metrics.jsonl"; }
  fs::path last() const { return path_ / "last.safetensors"; }
  fs::path best() const { return path_ / "best.safetensors"; }
  fs::path summary() const { return path_ / "summary.json"; }

  std::string read_config() const;
  /// Drops the records of steps after `step`, which a resumed run will make again, and half a line
  /// at the end: true if there was one.
  bool trim_metrics(std::int64_t step) const;

 private:
  explicit RunFolder(fs::path path);
  fs::path path_;
  std::unique_ptr<files::FolderLock> lock_;
};

}  // namespace weft::train
