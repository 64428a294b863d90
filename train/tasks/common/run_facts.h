// A finished or interrupted run, to be used: what is known of it before its weights are loaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "train/loop/checkpoint.h"
#include "train/tasks/common/kind.h"

namespace weft::train {

/// What of a run is known without loading its weights.
struct RunFacts {
  std::filesystem::path checkpoint;
  const Kind* kind = nullptr;
  std::string config_json;
  CheckpointFacts facts;
};

/// `run` is a run's folder, or a checkpoint by itself; `which` is "last" or "best". Throws IoError,
/// ConfigError.
RunFacts read_run(const std::filesystem::path& run, const std::string& which = "last");

/// Matrix products are made from now on as they were when the run was trained.
void use_products_of(const RunFacts& run);

/// Throws ConfigError `[data] ...` unless `fingerprint` is that of the data that the run learned
/// from.
void check_unchanged(const std::string& fingerprint, const CheckpointFacts& facts,
                     const std::string& data);

/// A data set's name as it is, a path made absolute, so that a run finds its data from wherever it
/// is used.
std::string absolute_data_path(const std::string& name_or_path);

}  // namespace weft::train
