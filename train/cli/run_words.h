// Runs in help and errors, by what they can be used for: the kinds say it themselves.
#pragma once

#include <string>
#include <vector>

#include "train/config/article.h"
#include "train/tasks/common/kinds.h"

namespace weft::cli {

/// "a vision run", "a translate, bert or classify run": those that can be used in one of these
/// ways.
inline std::string runs_for(const std::vector<train::Use>& uses) {
  return train::with_article(train::kinds_for(uses)) + " run";
}
/// The help of the positional `run`.
inline std::string folder_of(const std::vector<train::Use>& uses) {
  return "folder of " + runs_for(uses) + ", or a checkpoint";
}

}  // namespace weft::cli
