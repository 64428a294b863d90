// Text from a model, as it is made.
#pragma once

#include <functional>
#include <string>
#include "train/tasks/text/text_run.h"

namespace weft::cli {

struct WriteOptions {
  std::string prompt;        ///< empty: a new line
  std::int64_t chars = 500;  ///< characters to write, the prompt not counted
  std::int64_t seed = 1;
  nn::GenerateOptions generate{.temperature = 0.8};
};

/// Calls `show` with one or more whole characters at a time; it stops the text by returning false.
/// Returns the number of characters. Throws ConfigError for options that cannot be or a prompt that
/// the vocabulary cannot express.
std::int64_t write_text(const train::TextRun& run, WriteOptions options,
                        const std::function<bool(const std::string&)>& show);

/// The same to stdout, prompt first; ends with a line break. Throws std::system_error where it
/// cannot be written.
void write_text_to_stdout(const train::TextRun& run, const WriteOptions& options);

}  // namespace weft::cli
