// Hidden words, filled in by a bert run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/tasks/common/pretrained_encoder.h"

namespace weft::train {

struct Filling {
  std::string token;
  double probability = 0;
};
/// The `count` likeliest tokens for every `[MASK]` (or `___`) of the text, likeliest first. Throws
/// ConfigError for a text without one, and one longer than the context.
std::vector<std::vector<Filling>> fill_in(const PretrainedEncoder& run, const std::string& text,
                                          std::int64_t count);

}  // namespace weft::train
