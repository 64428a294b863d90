// weft sample
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/random.h"
#include "data/text/utf8.h"
#include "train/cli/cli.h"
#include "train/cli/stop.h"
#include "train/load_run.h"

namespace weft::cli {
namespace {

struct SampleFlags {
  std::string run;
  std::string checkpoint = "last";
  std::string prompt;
  std::int64_t chars = 500;
  std::int64_t seed = 1;
  int threads = 0;
  bool json = false;
  nn::GenerateOptions options{.temperature = 0.8};
};

std::int64_t count_characters(const std::string& text) {
  std::int64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

/// A text begins after a line break; where the vocabulary has none, any token must do.
std::vector<std::int64_t> first_tokens(const data::Tokenizer& tokenizer, const std::string& prompt) {
  if (!prompt.empty()) return tokenizer.encode(prompt, "prompt");
  try {
    return tokenizer.encode("\n", "prompt");
  } catch (const Error&) {
    return {0};
  }
}

int sample(SampleFlags flags) {
  use_threads(flags.threads);
  if (flags.chars < 1 || flags.chars > 100'000'000) fail<ConfigError>("sample", "chars must be from 1 to 100000000, got {}", flags.chars);
  if (flags.seed < 0) fail<ConfigError>("sample", "seed must not be negative, got {}", flags.seed);
  flags.options.max_new_tokens = flags.chars * 4;  // a character has at most four bytes
  flags.options.validate();
  const train::TextRun run = train::load_text_run(train::read_run(flags.run, flags.checkpoint));
  const std::vector<std::int64_t> prompt = first_tokens(*run.tokenizer, flags.prompt);
  catch_stop_signals();

  Generator generator(static_cast<std::uint64_t>(flags.seed), "sample");
  data::Utf8Stream stream;
  std::string text;
  std::int64_t written = 0;
  bool broken = false;
  const auto show = [&](std::string whole) {
    if (written + count_characters(whole) > flags.chars) return;
    written += count_characters(whole);
    if (flags.json) text += whole;
    else broken = std::fwrite(whole.data(), 1, whole.size(), stdout) != whole.size() || std::fflush(stdout) != 0;
  };
  if (!flags.json) {
    fmt::print("{}", flags.prompt);
    std::fflush(stdout);
  }
  run.model->generate(
      prompt, flags.options,
      [&](std::int64_t id) {
        show(stream.push(run.tokenizer->decode(id)));
        return written < flags.chars && !stop_requested() && !broken;
      },
      &generator);
  if (written < flags.chars) show(stream.finish());
  if (flags.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"prompt", flags.prompt}, {"text", text}, {"characters", written}, {"seed", flags.seed}, {"step", run.progress.step}}.dump(
                           2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("\n");
  }
  return stop_requested() ? stop_exit_code() : broken ? kFailed : kDone;
}

}  // namespace

void add_sample(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("sample", "write text with a trained model");
  const auto flags = std::make_shared<SampleFlags>();
  command->add_option("run", flags->run, "folder of a text run, or a checkpoint")->required()->type_name("RUN");
  command->add_option("--prompt", flags->prompt, "what the text begins with (default: a new line)")->type_name("TEXT");
  command->add_option("--chars", flags->chars, "characters to write")->capture_default_str();
  command->add_option("--temperature", flags->options.temperature, "0: always the likeliest; above 1: bolder")->capture_default_str();
  command->add_option("--top-k", flags->options.top_k, "only the k likeliest tokens (0: all)")->capture_default_str();
  command->add_option("--top-p", flags->options.top_p, "only the likeliest tokens that together reach p")->capture_default_str();
  command->add_option("--checkpoint", flags->checkpoint, "last or best")->capture_default_str()->check(CLI::IsMember({"last", "best"}));
  command->add_option("--seed", flags->seed, "the same seed writes the same text")->capture_default_str();
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the text as JSON when it is whole");
  command->footer("Example:\n  weft sample runs/demo-text --prompt \"ROMEO:\" --chars 300");
  command->callback([flags, &action] { action = [flags] { return sample(*flags); }; });
}

}  // namespace weft::cli
