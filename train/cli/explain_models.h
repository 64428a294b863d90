// weft explain embedding, weft explain history.
#pragma once

#include "train/cli/cli.h"

namespace weft::cli {

/// Adds both to the group `explain`.
void add_explain_models(CLI::App& group, Action& action);

}  // namespace weft::cli
