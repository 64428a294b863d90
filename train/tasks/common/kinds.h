// All kinds of runs, by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/tasks/common/kind.h"

namespace weft::train {

/// All kinds, in the order of help. A new kind is one line in train/tasks/kinds.cpp.
const std::vector<const Kind*>& kinds();
/// Throws ConfigError `[where] ...` with the nearest known name.
const Kind& find_kind(const std::string& name, const std::string& where);
/// The kind that "task" names in a config.json. Throws ConfigError.
const Kind& kind_of_json(const std::string& json, const std::string& where);
/// The kinds whose runs can be used in one of these ways, by name: "vision, bert or classify".
std::string kinds_for(const std::vector<Use>& uses);

/// Goes on with the run in options.out, by its own configuration (`threads` above 0 wins over its
/// own).
Summary resume_run(const RunOptions& options, const std::string& expected_kind,
                   std::int64_t threads);

}  // namespace weft::train
