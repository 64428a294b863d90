// A finished or interrupted run, to be used: its configuration, and its model with the weights in
// it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "data/text/tokenizer.h"
#include "nn/models/gpt.h"
#include "train/checkpoint.h"
#include "train/kinds/text/text_config.h"
#include "train/kinds/vision/vision_model.h"

namespace weft::train {

/// What of a run is known without loading its weights.
struct RunFacts {
  std::filesystem::path checkpoint;
  std::string task;
  std::string config_json;
  CheckpointFacts facts;
};

/// `run` is a run's folder, or a checkpoint by itself; `which` is "last" or "best". Throws IoError,
/// ConfigError.
RunFacts read_run(const std::filesystem::path& run, const std::string& which = "last");

/// Throws ConfigError unless the run is of this kind; it says what a run of its own kind can be
/// used with.
void want_kind(const RunFacts& run, const std::string& kind);
/// The commands that use a finished run of a kind, as one would type them; empty for an unknown
/// kind.
std::string commands_for(const std::string& kind);

struct TextRun {
  TextConfig config;
  std::shared_ptr<const data::Tokenizer> tokenizer;
  std::unique_ptr<nn::Gpt> model;  ///< in evaluation mode
  Progress progress;
};

struct VisionRun {
  VisionConfig config;
  ImageFacts images;
  std::unique_ptr<nn::Model> model;  ///< in evaluation mode
  Progress progress;
};

/// Throws ConfigError for a run of another task or a checkpoint that does not fit, IoError for a
/// torn one.
TextRun load_text_run(const RunFacts& run);
VisionRun load_vision_run(const RunFacts& run);

/// A data set's name as it is, a path made absolute, so that a run finds its data from wherever it
/// is used.
std::string lasting_path(const std::string& name_or_path);

}  // namespace weft::train
