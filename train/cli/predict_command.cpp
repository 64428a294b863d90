// weft predict
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "core/error.h"
#include "core/phase.h"
#include "train/cli/answers.h"
#include "train/cli/cli.h"
#include "train/cli/predict_pictures.h"
#include "train/cli/predict_rows.h"
#include "train/cli/run_words.h"
#include "train/cli/terminal.h"
#include "train/tasks/common/image_uses.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/common/text_uses.h"

namespace weft::cli {
namespace {

struct PredictFlags {
  std::string run;
  std::vector<std::string> files;
  std::vector<std::int64_t> test_images;
  std::vector<std::string> texts;
  std::string checkpoint = "last";
  std::string invert = "auto";
  std::string out;
  bool skip_bad = false;
  int top = 3;
  int beam = 4;
  int threads = 0;
  bool json = false;
  Given given{};
};

using Json = Answers::Json;
using train::Use;

void print_guess(const std::string& name, const train::ImageGuess& guess, int top) {
  std::vector<std::size_t> order(guess.probabilities.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return guess.probabilities[a] > guess.probabilities[b];
  });
  fmt::print("{}:", name);
  for (std::size_t i = 0; i < order.size() && i < static_cast<std::size_t>(top); ++i)
    fmt::print("  {} {:.2f} %", class_name(guess, static_cast<std::int64_t>(order[i])),
               100 * guess.probabilities[order[i]]);
  if (guess.truth) fmt::print("  (it is {})", class_name(guess, *guess.truth));
  if (guess.inverted) fmt::print("  (read with light and dark inverted)");
  fmt::print("\n");
}

int predict_texts(const PredictFlags& flags) {
  if (!flags.files.empty() || !flags.test_images.empty())
    fail<ConfigError>("predict", "images are for {}, --text for {}: remove one of the two",
                      runs_for({Use::predict_image}), runs_for({Use::predict_text}));
  refuse_given("predict", flags.given, {"--invert", "--out", "--skip-bad"}, "texts");
  const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
  if (!facts.kind->can(Use::predict_text))
    fail<ConfigError>("predict", "--text is for {}; this is {} run; for it there are: {}",
                      runs_for({Use::predict_text}), train::with_article(facts.kind->name()),
                      facts.kind->commands());
  const auto run = train::load_as<train::TextPredictor>(facts);
  for (const auto& [flag, because] : run->unused_flags(flags.json))
    refuse_given("predict", flags.given, {flag}, because);
  Answers answers(flags.json);
  for (const std::string& text : flags.texts) {
    answers.add("text", text, [&](Json& entry) {
      const std::string printed =
          run->answer({.text = text, .top = flags.top, .beam = flags.beam}, entry);
      if (!flags.json) fmt::print("{}", printed);
    });
  }
  return answers.finish();
}

int predict_file_of_rows(const train::RunFacts& facts, const PredictFlags& flags) {
  refuse_given("predict", flags.given, {"--test-image", "--invert", "--top"}, "rows of a table");
  return predict_rows(
      facts,
      {.files = flags.files, .out = flags.out, .skip_bad = flags.skip_bad, .json = flags.json});
}

int predict_images(const PredictFlags& flags) {
  if (flags.files.empty() && flags.test_images.empty())
    fail<ConfigError>("predict",
                      "nothing to predict: name files or folders of pictures or test images "
                      "(--test-image N) for {}, "
                      "texts (--text TEXT) for {}, a CSV file for {}",
                      runs_for({Use::predict_image}), runs_for({Use::predict_text}),
                      runs_for({Use::predict_rows}));
  refuse_given("predict", flags.given, {"--beam"}, "images");
  if (flags.files.empty())
    refuse_given("predict", flags.given, {"--invert"}, "no files, as test images are as they are");
  if (flags.json)
    refuse_given("predict", flags.given, {"--top"}, "--json, which prints all classes");
  const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
  if (facts.kind->can(Use::predict_rows)) return predict_file_of_rows(facts, flags);
  if (!flags.test_images.empty())
    refuse_given("predict", flags.given, {"--out", "--skip-bad"}, "test images");
  if (!flags.out.empty())
    refuse_given("predict", flags.given, {"--json", "--top"}, "--out, which has all classes");
  const auto run = train::load_as<train::ImagePredictor>(facts);
  Answers answers(flags.json);
  PictureTable table;
  bool many = !flags.out.empty();
  const auto ask = [&](const std::string& name, const auto& guess_it) {
    answers.add("name", name, [&](Json& entry) {
      const train::ImageGuess guess = guess_it();
      if (guess.inverted && flags.invert == "auto")
        put_line(fmt::format("weft: {}; --invert no reads it unchanged", guess.note));
      if (!flags.out.empty()) return table.add(name, guess);
      if (!flags.json) return print_guess(name, guess, flags.top);
      const auto best = std::max_element(guess.probabilities.begin(), guess.probabilities.end());
      entry["class"] = best - guess.probabilities.begin();
      entry["probability"] = *best;
      entry["probabilities"] = guess.probabilities;
      if (guess.truth) entry["truth"] = *guess.truth;
      if (!guess.class_names.empty()) {
        entry["class_name"] = class_name(guess, entry["class"].get<std::int64_t>());
        entry["class_names"] = guess.class_names;
      }
      entry["inverted"] = guess.inverted;
    });
  };
  const auto ask_file = [&](const std::string& file) {
    ask(file, [&] { return run->guess_file(file, flags.invert); });
  };
  for (const std::string& file : flags.files) {
    if (!std::filesystem::is_directory(file)) {
      ask_file(file);
      continue;
    }
    many = true;
    PicturesBelow below;
    try {
      below = pictures_below(file);
    } catch (const IoError&) {
      answers.add("name", file, [](Json&) { throw; });
      continue;
    }
    if (below.strays > 0)
      put_line(fmt::format("weft: {}: {} files that are no pictures are passed over", file,
                           below.strays));
    for (const std::string& picture : below.files) ask_file(picture);
  }
  for (const std::int64_t number : flags.test_images)
    ask(fmt::format("test image {}", number), [&] { return run->guess_test_image(number); });
  if (!flags.out.empty()) table.write(flags.out);
  const int code = answers.finish();
  if (many && !answers.failed().empty()) {
    put_line(fmt::format("weft: {} of {} pictures could not be read:", answers.failed().size(),
                         answers.failed().size() + static_cast<std::size_t>(answers.answered())));
    for (const std::string& file : answers.failed()) put_line("  " + file);
  }
  return flags.skip_bad && code == kFailed && answers.answered() > 0 ? 0 : code;
}

int predict(const PredictFlags& flags) {
  use_threads(flags.threads);
  const Phase phase("running the model of {}", flags.run);
  return flags.texts.empty() ? predict_images(flags) : predict_texts(flags);
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "predict",
      "classify images or texts, fill in missing words, translate texts, or predict rows of a "
      "table, with a trained model");
  const auto flags = std::make_shared<PredictFlags>();
  add_name(*command, "run", flags->run,
           folder_of({Use::predict_image, Use::predict_text, Use::predict_rows}))
      ->required()
      ->type_name("RUN");
  add_texts(
      *command, "files", flags->files,
      "PNG, JPEG or WebP files, which are scaled to the model's size, or folders of them; of a "
      "table run a CSV file with the columns that it learned from, in any order")
      ->type_name("FILE");
  add_texts(*command, "--text", flags->texts,
            "a text to classify, to translate, or with [MASK] or ___ where a bert run is to fill "
            "in a word")
      ->type_name("TEXT");
  add_numbers(*command, "--test-image", flags->test_images, {0, train::kMany},
              "numbers of test images, from 0");
  add_choice(*command, "--invert", flags->invert, {"auto", "yes", "no"},
             "invert light and dark in files; auto: where the edge is light and those of all "
             "training images are dark, or vice versa");
  add_number(
      *command, "--top", flags->top, {1, 1e6},
      "number of classes shown per image or text, of words per blank, of translations per text");
  add_number(*command, "--beam", flags->beam, {1, 1000},
             "of a translate run: beam width of the search");
  add_name(*command, "--out", flags->out, "the CSV file that predictions of pictures or rows go to")
      ->type_name("FILE");
  command->add_flag(
      "--skip-bad", flags->skip_bad,
      "go on with exit code 0 where pictures cannot be read, which are listed at the end; of "
      "a table run: leave out rows with too few or too many fields");
  add_choice(*command, "--checkpoint", flags->checkpoint, {"last", "best"}, "which weights");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print all probabilities as JSON");
  command->footer(
      "Example:\n  weft predict runs/demo-vision --test-image 0 1 2\n  weft predict "
      "runs/demo-vision digit.png\n  weft predict runs/pets photos --out pets.csv --skip-bad\n  "
      "weft predict runs/spam --text \"WINNER! Call now\"\n  weft "
      "predict runs/adult new.csv --out predictions.csv");
  command->callback([flags, command, &action] {
    flags->given = given_to(*command);
    action = [flags] { return predict(*flags); };
  });
}

}  // namespace weft::cli
