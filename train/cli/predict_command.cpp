// weft predict
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "autograd/autograd.h"
#include "autograd/ops/softmax.h"
#include "core/error.h"
#include "core/phase.h"
#include "data/image/image_dataset.h"
#include "nn/check.h"
#include "train/cli/answers.h"
#include "train/cli/cli.h"
#include "train/cli/predict_text.h"
#include "train/cli/terminal.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/vision/vision_run.h"

namespace weft::cli {
namespace {

struct PredictFlags {
  std::string run;
  std::vector<std::string> files;
  std::vector<std::int64_t> test_images;
  std::vector<std::string> texts;
  std::string checkpoint = "last";
  std::string invert = "auto";
  int top = 3;
  int beam = 4;
  int threads = 0;
  bool json = false;
  Given given{};
};

struct Guess {
  std::string name;
  std::vector<double> probabilities;
  std::optional<std::int64_t> truth{};
  bool inverted = false;
};

using Json = Answers::Json;

/// u8 (C, H, W) -> probabilities.
std::vector<double> classify(const train::VisionRun& run, const Tensor& image) {
  const NoGrad no_grad;
  const Tensor one =
      raw::reshape(image, {1, run.images.channels, run.images.height, run.images.width});
  const Tensor logits = (*run.model)(data::normalize(one, run.images.normalization));
  nn::check_logits("predict", logits.to_vector<double>());  // what has no order is not ranked
  return softmax(logits).to_vector<double>();
}

Guess guess_file(const train::VisionRun& run, const std::string& file, const std::string& invert) {
  const train::Picture picture = train::load_picture(run, file, invert);
  if (picture.inverted && invert == "auto")
    put_line(fmt::format("weft: {}; --invert no reads it as it is",
                         train::inversion_note(file, run.images)));
  return {
      .name = file, .probabilities = classify(run, picture.pixels), .inverted = picture.inverted};
}

Guess guess_test_image(const train::VisionRun& run, const data::ImageData& data,
                       std::int64_t index) {
  const Tensor& labels = data.labels(data::Split::test);
  const std::int64_t count = labels.numel();
  if (count == 0)
    fail<IndexError>("predict",
                     "test image {} does not exist: {} has no test images; name PNG files", index,
                     data.source());
  if (index < 0 || index >= count)
    fail<IndexError>("predict", "test image {} does not exist: there are {}, from 0 to {}", index,
                     count, count - 1);
  const Tensor image = raw::slice(data.images(data::Split::test), 0, index, index + 1);
  return {.name = fmt::format("test image {}", index),
          .probabilities = classify(run, image),
          .truth = labels.data<std::uint8_t>()[index]};
}

void print_text(const Guess& guess, int top) {
  std::vector<std::size_t> order(guess.probabilities.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return guess.probabilities[a] > guess.probabilities[b];
  });
  fmt::print("{}:", guess.name);
  for (std::size_t i = 0; i < order.size() && i < static_cast<std::size_t>(top); ++i)
    fmt::print("  {} {:.2f} %", order[i], 100 * guess.probabilities[order[i]]);
  if (guess.truth) fmt::print("  (it is {})", *guess.truth);
  if (guess.inverted) fmt::print("  (read with light and dark exchanged)");
  fmt::print("\n");
}

int predict(const PredictFlags& flags) {
  use_threads(flags.threads);
  const Phase phase("asking the model of {}", flags.run);
  if (!flags.texts.empty()) {
    if (!flags.files.empty() || !flags.test_images.empty())
      fail<ConfigError>("predict",
                        "images are for vision runs, --text for classify, bert and translate runs: "
                        "drop one of the two");
    refuse_given("predict", flags.given, {"--invert"}, "texts");
    const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
    if (facts.kind->name() != "translate")
      refuse_given("predict", flags.given, {"--beam"}, fmt::format("a {} run", facts.kind->name()));
    if (facts.kind->name() == "classify" && flags.json)
      refuse_given("predict", flags.given, {"--top"}, "--json, which prints all classes");
    return predict_texts(
        facts, {.texts = flags.texts, .top = flags.top, .beam = flags.beam, .json = flags.json});
  }
  if (flags.files.empty() && flags.test_images.empty())
    fail<ConfigError>("predict",
                      "nothing to predict: name PNG files or test images (--test-image N) for a "
                      "vision run, texts (--text TEXT) for a classify, bert or translate run");
  refuse_given("predict", flags.given, {"--beam"}, "images");
  if (flags.files.empty())
    refuse_given("predict", flags.given, {"--invert"}, "no files, as test images are as they are");
  if (flags.json)
    refuse_given("predict", flags.given, {"--top"}, "--json, which prints all classes");
  const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
  const train::VisionRun run = train::load_vision_run(facts);
  Answers answers(flags.json);
  const auto tell = [&](const Guess& guess, Json& entry) {
    if (!flags.json) return print_text(guess, flags.top);
    const auto best = std::max_element(guess.probabilities.begin(), guess.probabilities.end());
    entry["class"] = best - guess.probabilities.begin();
    entry["probability"] = *best;
    entry["probabilities"] = guess.probabilities;
    if (guess.truth) entry["truth"] = *guess.truth;
    entry["inverted"] = guess.inverted;
  };
  for (const std::string& file : flags.files)
    answers.add("name", file,
                [&](Json& entry) { tell(guess_file(run, file, flags.invert), entry); });
  std::optional<data::ImageData> data;
  for (const std::int64_t index : flags.test_images) {
    answers.add("name", fmt::format("test image {}", index), [&](Json& entry) {
      if (!data) data = train::images_of_run(run, facts.facts);
      tell(guess_test_image(run, *data, index), entry);
    });
  }
  return answers.finish();
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("predict",
                         "name the class of images or texts, the words missing in a text, or the "
                         "text that belongs to one, with a trained model");
  const auto flags = std::make_shared<PredictFlags>();
  add_name(*command, "run", flags->run,
           "folder of a vision, classify, bert or translate run, or a checkpoint")
      ->required()
      ->type_name("RUN");
  add_texts(*command, "files", flags->files, "PNG files; they are scaled to the model's size")
      ->type_name("PNG");
  add_texts(*command, "--text", flags->texts,
            "a text to classify, to translate, or with [MASK] or ___ where a bert run is to fill "
            "in a word")
      ->type_name("TEXT");
  add_numbers(*command, "--test-image", flags->test_images, {0, train::kMany},
              "numbers of test images, from 0");
  add_choice(*command, "--invert", flags->invert, {"auto", "yes", "no"},
             "light and dark exchanged in files; auto where the edge is light and those of all "
             "training images are dark, or the other way round");
  add_number(*command, "--top", flags->top, {1, 1e6},
             "classes shown of each image or text, words of each blank, translations of each text");
  add_number(*command, "--beam", flags->beam, {1, 1000},
             "of a translate run, texts that the search keeps at a time");
  add_choice(*command, "--checkpoint", flags->checkpoint, {"last", "best"}, "which weights");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print all probabilities as JSON");
  command->footer(
      "Example:\n  weft predict runs/demo-vision --test-image 0 1 2\n  weft predict "
      "runs/demo-vision digit.png\n  weft predict runs/spam --text \"WINNER! Call now\"");
  command->callback([flags, command, &action] {
    flags->given = given_to(*command);
    action = [flags] { return predict(*flags); };
  });
}

}  // namespace weft::cli
