// weft sample
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/phase.h"
#include "train/cli/cli.h"
#include "train/cli/write_text.h"

namespace weft::cli {
namespace {

struct SampleFlags {
  std::string run;
  std::string checkpoint = "last";
  int threads = 0;
  bool json = false;
  WriteOptions write;
};

int sample(const SampleFlags& flags) {
  use_threads(flags.threads);
  const train::TextRun run = train::load_text_run(train::read_run(flags.run, flags.checkpoint));
  if (flags.json) {
    const Phase phase("writing {} characters", flags.write.chars);
    std::string text;
    const std::int64_t written = write_text(run, flags.write, [&](const std::string& characters) {
      text += characters;
      return true;
    });
    const nlohmann::ordered_json json{{"prompt", flags.write.prompt}, {"text", text}, {"characters", written}, {"seed", flags.write.seed}, {"step", run.progress.step}};
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    write_text_to_stdout(run, flags.write);
  }
  return kDone;
}

}  // namespace

void add_sample(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("sample", "write text with a trained model");
  const auto flags = std::make_shared<SampleFlags>();
  command->add_option("run", flags->run, "folder of a text run, or a checkpoint")->required()->type_name("RUN");
  command->add_option("--prompt", flags->write.prompt, "what the text begins with (default: a new line)")->type_name("TEXT");
  command->add_option("--chars", flags->write.chars, "characters to write")->capture_default_str();
  command->add_option("--temperature", flags->write.generate.temperature, "0: always the likeliest; above 1: bolder")->capture_default_str();
  command->add_option("--top-k", flags->write.generate.top_k, "only the k likeliest tokens (0: all)")->capture_default_str();
  command->add_option("--top-p", flags->write.generate.top_p, "only the likeliest tokens that together reach p")->capture_default_str();
  command->add_option("--keep", flags->write.generate.keep, "tokens kept when the context is full (0: half; all of it: slower, never sees less)")->capture_default_str();
  command->add_option("--checkpoint", flags->checkpoint, "last or best")->capture_default_str()->check(CLI::IsMember({"last", "best"}));
  command->add_option("--seed", flags->write.seed, "the same seed writes the same text")->capture_default_str();
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the text as JSON when it is whole");
  command->footer("Example:\n  weft sample runs/demo-text --prompt \"ROMEO:\" --chars 300");
  command->callback([flags, &action] { action = [flags] { return sample(*flags); }; });
}

}  // namespace weft::cli
