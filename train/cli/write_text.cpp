#include "train/cli/write_text.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace weft::cli {

void write_text_to_stdout(const train::TextWriter& run, const train::WriteOptions& options) {
  const auto put = [](const std::string& text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
      return true;
    throw std::system_error(errno, std::generic_category(), "stdout");
  };
  bool begun = false;
  run.write_text(options, [&](const std::string& text) {
    if (!begun) put(options.prompt);
    begun = true;
    return put(text);
  });
  put("\n");
}

}  // namespace weft::cli
