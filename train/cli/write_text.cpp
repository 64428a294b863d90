#include "train/cli/write_text.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/error.h"
#include "core/random.h"
#include "data/text/utf8.h"
#include "train/tasks/text/text_run.h"

namespace weft::cli {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// A text begins after a line break; where the vocabulary has none, any token must do.
std::vector<std::int64_t> first_tokens(const data::Tokenizer& tokenizer,
                                       const std::string& prompt) {
  if (!prompt.empty()) return tokenizer.encode(prompt, "prompt");
  try {
    return tokenizer.encode("\n", "prompt");
  } catch (const Error&) {
    return {0};
  }
}

}  // namespace

std::int64_t write_text(const train::TextRun& run, WriteOptions options,
                        const std::function<bool(const std::string&)>& show) {
  if (options.chars < 1 || options.chars > 100'000'000)
    fail<ConfigError>("sample", "chars must be from 1 to 100000000, got {}", options.chars);
  if (options.seed < 0)
    fail<ConfigError>("sample", "seed must not be negative, got {}", options.seed);
  options.generate.max_new_tokens = options.chars * 4;  // a character has at most four bytes
  options.generate.validate();
  const std::vector<std::int64_t> prompt = first_tokens(*run.tokenizer, options.prompt);

  Generator generator(static_cast<std::uint64_t>(options.seed), "sample");
  data::Utf8Stream stream;
  std::int64_t written = 0;
  bool wanted = true;
  const auto pass_on = [&](const std::string& characters) {
    // One token may hold several characters, but never more are shown than were asked for.
    std::size_t end = 0;
    while (end < characters.size()) {
      if (begins_character(characters[end])) {
        if (written == options.chars) break;
        ++written;
      }
      ++end;
    }
    if (end > 0) wanted = show(characters.substr(0, end));
  };
  run.model->generate(
      prompt, options.generate,
      [&](std::int64_t id) {
        pass_on(stream.push(run.tokenizer->decode(id)));
        return wanted && written < options.chars;
      },
      &generator);
  if (wanted && written < options.chars) pass_on(stream.finish());
  return written;
}

void write_text_to_stdout(const train::TextRun& run, const WriteOptions& options) {
  const auto put = [](const std::string& text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
      return true;
    throw std::system_error(errno, std::generic_category(), "stdout");
  };
  bool begun = false;
  write_text(run, options, [&](const std::string& text) {
    if (!begun) put(options.prompt);
    begun = true;
    return put(text);
  });
  put("\n");
}

}  // namespace weft::cli
