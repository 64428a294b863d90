// Text from a model, as it is made.
#pragma once

#include "train/tasks/common/text_uses.h"

namespace weft::cli {

/// To stdout, prompt first; ends with a line break. Throws ConfigError as TextWriter,
/// std::system_error where it cannot be written.
void write_text_to_stdout(const train::TextWriter& run, const train::WriteOptions& options);

}  // namespace weft::cli
