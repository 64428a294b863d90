// weft sample
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/phase.h"
#include "train/cli/cli.h"
#include "train/cli/run_words.h"
#include "train/cli/write_text.h"
#include "train/config/config_fields.h"
#include "train/tasks/common/loaded_run.h"

namespace weft::cli {
namespace {

struct SampleFlags {
  std::string run;
  std::string checkpoint = "last";
  int threads = 0;
  bool json = false;
  train::WriteOptions write;
};

int sample(const SampleFlags& flags) {
  use_threads(flags.threads);
  const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
  const auto run = train::load_as<train::TextWriter>(facts);
  if (flags.json) {
    const Phase phase("writing {} characters", flags.write.chars);
    std::string text;
    const std::int64_t written = run->write_text(flags.write, [&](const std::string& characters) {
      text += characters;
      return true;
    });
    const nlohmann::ordered_json json{{"prompt", flags.write.prompt},
                                      {"text", text},
                                      {"characters", written},
                                      {"seed", flags.write.seed},
                                      {"step", facts.facts.progress.step}};
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    write_text_to_stdout(*run, flags.write);
  }
  return kDone;
}

}  // namespace

void add_sample(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("sample", "write text with a trained model");
  const auto flags = std::make_shared<SampleFlags>();
  add_name(*command, "run", flags->run, folder_of({train::Use::sample}))
      ->required()
      ->type_name("RUN");
  add_text(*command, "--prompt", flags->write.prompt,
           "what the text begins with (default: a new line)");
  add_number(*command, "--chars", flags->write.chars, {1, 1e8}, "characters to write");
  add_number(*command, "--temperature", flags->write.generate.temperature, {0, 1000},
             "0: always the most likely token; above 1: more random");
  add_number(*command, "--top-k", flags->write.generate.top_k, {0, 1e9},
             "only the k most likely tokens (0: all)");
  add_number(*command, "--top-p", flags->write.generate.top_p, {train::kTiny, 1},
             "only the most likely tokens whose probabilities together reach p");
  add_number(*command, "--keep", flags->write.generate.keep, {0, 1e9},
             "tokens kept when the context is full (0: half; all of it: slower, never sees less)");
  add_choice(*command, "--checkpoint", flags->checkpoint, {"last", "best"}, "which weights");
  add_number(*command, "--seed", flags->write.seed, {0, kMostSeed},
             "the same seed writes the same text");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the text as JSON when it is complete");
  command->footer("Example:\n  weft sample runs/demo-text --prompt \"ROMEO:\" --chars 300");
  command->callback([flags, command, &action] {
    action = [flags, given = given_to(*command)] {
      if (flags->write.generate.temperature == 0)
        refuse_given("sample", given, {"--top-k", "--top-p", "--seed"},
                     "--temperature 0, which always takes the most likely token");
      return sample(*flags);
    };
  });
}

}  // namespace weft::cli
