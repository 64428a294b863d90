// weft explain attention, weft explain attention RUN
#include <fmt/format.h>

#include <memory>

#include "core/error.h"
#include "core/io/file.h"
#include "core/phase.h"
#include "train/cli/cli.h"
#include "train/cli/explain_models.h"
#include "train/cli/terminal.h"
#include "train/config/article.h"
#include "train/explain/attention_maps.h"
#include "train/explain/worked_example.h"
#include "train/tasks/common/loaded_run.h"

namespace weft::cli {
namespace {

struct ExplainFlags {
  explain::ExampleOptions example;
  std::string matrices = "full";
  std::string run;
  std::string checkpoint = "last";
  explain::MapOptions maps;
  std::string out;
  int threads = 0;
  bool json = false;
};

// Flags that mean something with a run, and those that mean something without one.
constexpr const char* kRunFlags[] = {"--text", "--image", "--samples", "--checkpoint"};
constexpr const char* kExampleFlags[] = {"--tokens", "--dim",  "--heads",
                                         "--seed",   "--file", "--matrices"};

explain::Mixing mixing_of(const std::string& name) {
  for (const explain::Mixing mixing : {explain::Mixing::identity, explain::Mixing::diagonal})
    if (name == explain::to_name(mixing)) return mixing;
  return explain::Mixing::full;
}

/// The page first, so that nothing is printed as done when it cannot be written.
template <class MakeHtml>
int answer(const ExplainFlags& flags, const std::string& result, const MakeHtml& html) {
  if (!flags.out.empty()) write_file(flags.out, html());
  fmt::print("{}", result);
  if (!flags.out.empty()) put_line("page written: " + flags.out);
  return kDone;
}

template <class Maps>
int show_maps(const ExplainFlags& flags, const Maps& maps) {
  return answer(flags, flags.json ? explain::to_json(maps) + "\n" : explain::to_text(maps),
                [&] { return explain::to_html(maps); });
}

int explain_run(const ExplainFlags& flags) {
  const Phase phase("analyzing the model of {}", flags.run);
  const train::RunFacts run = train::read_run(flags.run, flags.checkpoint);
  train::want_use(run, train::Use::explain_attention);
  const auto loaded = run.kind->load(run);
  const auto stray = [&](const char* flag, const char* instead) {
    fail<ConfigError>("explain", "{} is {} run: {} has no effect, use {}", flags.run,
                      train::with_article(run.kind->name()), flag, instead);
  };
  if (const auto* const reader = dynamic_cast<const train::TextAttention*>(loaded.get())) {
    if (flags.maps.image) stray("--image", "--text");
    return show_maps(flags, explain::explain_text(*reader, flags.maps));
  }
  if (flags.maps.text) stray("--text", "--image");
  return show_maps(flags, explain::explain_image(
                              dynamic_cast<const train::ImageAttention&>(*loaded), flags.maps));
}

int explain_example(const ExplainFlags& flags) {
  const Phase phase("computing the example");
  const explain::Example example = explain::work_example(flags.example);
  const std::string result = flags.json ? explain::to_json(example) + "\n"
                                        : explain::to_text(example, mixing_of(flags.matrices));
  return answer(flags, result, [&] { return explain::to_html(example); });
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
  CLI::App* group = app.add_subcommand("explain",
                                       "what attention does: a worked example, or a trained model; "
                                       "what embeddings and recommenders learned");
  group->require_subcommand(1);
  group->footer(
      "Examples:\n  weft explain attention\n  weft explain attention runs/demo-vision --out "
      "maps.html");

  CLI::App* command = group->add_subcommand("attention",
                                            "attention on a few small vectors, step by step, and "
                                            "which dimension depends on which;\nwith RUN, what a "
                                            "trained model attends to and how far it looks");
  const auto flags = std::make_shared<ExplainFlags>();
  add_name(*command, "run", flags->run,
           "folder of a run, or a checkpoint (default: the worked example)")
      ->type_name("RUN");
  add_name(*command, "--out", flags->out, "also write it as a page with pictures")
      ->type_name("FILE.html");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print all figures as JSON");

  const char* const worked = "The worked example";
  add_text(*command, "--tokens", flags->example.tokens,
           "a vector for each character (default: 你好)")
      ->group(worked);
  add_number(*command, "--dim", flags->example.dim, {1, explain::kMostDims},
             "dimensions of a vector (default: 3)")
      ->group(worked);
  add_number(*command, "--heads", flags->example.heads, {1, explain::kMostDims},
             "heads of the steps (default: 1), and of the arms with several (default: the smallest "
             "divisor of dim)")
      ->group(worked);
  add_number(*command, "--seed", flags->example.seed, {0, kMostSeed}, "of the vectors and matrices")
      ->group(worked);
  add_name(*command, "--file", flags->example.file,
           "your own vectors: numbers separated by commas or spaces, one line per token")
      ->type_name("FILE")
      ->group(worked);
  add_choice(*command, "--matrices", flags->matrices, {"identity", "diagonal", "full"},
             "W_Q, W_K and W_V of the steps shown")
      ->group(worked);

  const char* const trained = "A trained model";
  add_text(*command, "--text", flags->maps.text,
           "what a text run looks at (default: the beginning of its validation text)")
      ->group(trained);
  add_name(*command, "--image", flags->maps.image,
           "what a vision run looks at: number of a test image, or a PNG file (default: 0)")
      ->type_name("N|PNG")
      ->group(trained);
  add_number(*command, "--samples", flags->maps.samples, {1, explain::kMostSamples},
             "texts or images over which distances are averaged")
      ->group(trained);
  add_choice(*command, "--checkpoint", flags->checkpoint, {"last", "best"}, "which weights")
      ->group(trained);

  command->footer(
      "Examples:\n  weft explain attention\n  weft explain attention --tokens 春眠不觉晓 --dim 4 "
      "--out attention.html\n  weft explain attention "
      "runs/demo-text --text \"ROMEO: I\" --out maps.html\n"
      "  weft explain attention runs/demo-vision --image 7 --out maps.html");
  add_explain_models(*group, action);
  command->callback([flags, command, &action] {
    const bool with_run = command->count("run") > 0;
    const Given given = given_to(*command);
    std::string stray;
    for (const char* flag : kRunFlags)
      if (!with_run && is_given(given, flag)) stray = flag;
    for (const char* flag : kExampleFlags)
      if (with_run && is_given(given, flag)) stray = flag;
    action = [flags, given, with_run, stray] {
      if (!stray.empty())
        fail<ConfigError>("explain", "{} has no effect {}", stray,
                          with_run ? "with a run: it belongs to the worked example"
                                   : "without a run: name one first");
      if (flags->json)
        refuse_given("explain", given, {"--matrices"},
                     "--json, which prints the steps of all of them");
      use_threads(flags->threads);
      return with_run ? explain_run(*flags) : explain_example(*flags);
    };
  });
}

}  // namespace weft::cli
