#include "train/cli/explain_models.h"

#include <fmt/format.h>

#include <memory>

#include "core/io/file.h"
#include "core/phase.h"
#include "train/cli/run_words.h"
#include "train/cli/terminal.h"
#include "train/explain/embedding_map.h"
#include "train/explain/history_weights.h"
#include "train/tasks/common/loaded_run.h"

namespace weft::cli {
namespace {

struct ExplainModelFlags {
  std::string run, checkpoint = "last", out;
  explain::EmbeddingOptions embedding;
  std::vector<std::int64_t> examples;
  int threads = 0;
  bool json = false;
};

/// The page first, so that nothing is printed as done when it cannot be written.
template <class Explained>
int show(const ExplainModelFlags& flags, const Explained& explained) {
  if (!flags.out.empty()) write_file(flags.out, explain::to_html(explained));
  fmt::print("{}", flags.json ? explain::to_json(explained) + "\n" : explain::to_text(explained));
  if (!flags.out.empty()) put_line("page written: " + flags.out);
  return kDone;
}

void add_common(CLI::App& command, ExplainModelFlags& flags, const std::string& run_help) {
  add_name(command, "run", flags.run, run_help)->required()->type_name("RUN");
  add_name(command, "--out", flags.out, "also write it as a page with pictures")
      ->type_name("FILE.html");
  add_choice(command, "--checkpoint", flags.checkpoint, {"last", "best"}, "which weights");
  add_threads(command, flags.threads);
  command.add_flag("--json", flags.json, "print all figures as JSON");
}

}  // namespace

void add_explain_models(CLI::App& group, Action& action) {
  CLI::App* words =
      group.add_subcommand("embedding", "nearest neighbors of words, and the words in a plane");
  const auto flags = std::make_shared<ExplainModelFlags>();
  add_common(*words, *flags, folder_of({train::Use::explain_embedding}));
  add_texts(*words, "--token", flags->embedding.tokens,
            "words (or characters) whose neighbors are wanted (default: the most frequent)")
      ->type_name("WORD");
  add_number(*words, "--count", flags->embedding.count, {1, 1000}, "neighbors of each");
  add_number(*words, "--shown", flags->embedding.shown, {0, 5000},
             "of the most frequent tokens, in the picture");
  words->footer(
      "Example:\n  weft explain embedding runs/words --token king queen --out words.html");
  words->callback([flags, words, &action] {
    action = [flags, given = given_to(*words)] {
      if (flags->out.empty() && !flags->json)
        refuse_given("explain embedding", given, {"--shown"},
                     "no picture: neither --out nor --json");
      use_threads(flags->threads);
      const Phase phase("analyzing the model of {}", flags->run);
      const auto run =
          train::load_as<train::WordVectors>(train::read_run(flags->run, flags->checkpoint));
      return show(*flags, explain::explain_embedding(*run, flags->embedding));
    };
  });

  CLI::App* history = group.add_subcommand(
      "history", "which of a user's earlier clicks a deep interest network looks at");
  const auto other = std::make_shared<ExplainModelFlags>();
  add_common(*history, *other, "folder of a recommend run with model din, or a checkpoint");
  add_numbers(*history, "--example", other->examples, {0, train::kMany},
              "numbers of test examples, from 0 (default: the first three)");
  history->footer("Example:\n  weft explain history runs/din --example 7 --out history.html");
  history->callback([other, &action] {
    action = [other] {
      use_threads(other->threads);
      const Phase phase("analyzing the model of {}", other->run);
      const auto run =
          train::load_as<train::ClickHistory>(train::read_run(other->run, other->checkpoint));
      return show(*other, explain::explain_history(*run, other->examples));
    };
  });
}

}  // namespace weft::cli
