// weft eval
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/phase.h"
#include "train/cli/cli.h"
#include "train/load_run.h"
#include "train/kind.h"
#include "train/kinds/text/text_task.h"
#include "train/kinds/vision/vision_task.h"

namespace weft::cli {
namespace {

struct EvalFlags {
  std::string run;
  std::string data;
  std::string split;
  std::string checkpoint = "last";
  int threads = 0;
  bool json = false;
};

data::Split split_of(const std::string& name) {
  return name == "train" ? data::Split::train : name == "test" ? data::Split::test : data::Split::validation;
}

struct Result {
  train::Evaluation figures;
  std::int64_t count = 0;
  std::string unit;
};

Result evaluate(const train::RunFacts& facts, const std::string& data_name, data::Split split, const std::function<bool(double)>& proceed) {
  if (facts.task == "text") {
    const train::TextRun run = train::load_text_run(facts);
    data::TextOptions options;
    options.with_tokenizer = run.tokenizer;
    const data::TextData data = data::load_text(data_name.empty() ? run.config.data : data_name, options);
    return {train::evaluate_text(*run.model, data, split, proceed), data.eval_tokens(split), "tokens"};
  }
  if (facts.task != "vision") {
    if (!data_name.empty()) fail<ConfigError>("eval", "--data is for text and vision runs; a {} run is measured on its own data", facts.task);
    const train::Kind& kind = train::find_kind(facts.task, facts.checkpoint.string());
    const train::Prepared run = kind.prepare(train::config_from_json(kind, facts.config_json, facts.checkpoint.string()));
    if (run.task->fingerprint() != facts.facts.data_fingerprint || !run.task->same_data(facts.facts.data)) {
      fail<ConfigError>("eval", "the data have changed since this run was trained, and with them what its words, classes or places mean; put back what they were");
    }
    if (split == data::Split::test && !run.has_test) fail<ConfigError>("eval", "a {} run has no test split: use --split validation", facts.task);
    train::load_weights(facts.checkpoint, run.task->model());
    run.task->model().eval();
    return {run.task->evaluate(split, proceed), 0, run.task->unit()};
  }
  const train::VisionRun run = train::load_vision_run(facts);
  train::VisionConfig config = run.config;
  if (!data_name.empty()) {
    config.data = data_name;
    if (std::find(config.derived.begin(), config.derived.end(), "validation") != config.derived.end()) config.validation = 0;  // their tenth, too
  }
  // Nothing is taken from another training set that is not looked at, however small it is.
  const bool validate = data_name.empty() || split != data::Split::test;
  const data::ImageData data = train::load_images(config, run.images.normalization, validate);
  const bool same = data.channels() == run.images.channels && data.height() == run.images.height && data.width() == run.images.width;
  if (!same || data.classes() > run.images.classes) {
    fail<ConfigError>("eval", "the model wants images {} x {} x {} of up to {} classes, these are {} x {} x {} of {}", run.images.channels, run.images.height,
                      run.images.width, run.images.classes, data.channels(), data.height(), data.width(), data.classes());
  }
  if (data.size(split) == 0) fail<ConfigError>("eval", "the data have no images to test on");
  return {train::evaluate_images(*run.model, data, split, proceed), data.size(split), "images"};
}

int eval(const EvalFlags& flags) {
  use_threads(flags.threads);
  const train::RunFacts facts = train::read_run(flags.run, flags.checkpoint);
  const std::string split = !flags.split.empty() ? flags.split : facts.task == "vision" ? "test" : "validation";
  if (facts.task == "text" && split == "test") fail<ConfigError>("eval", "a text has no test split: use --split validation or train");
  const Phase phase("measuring the {} split", split);
  const Result result = evaluate(facts, flags.data, split_of(split), [](double) { return true; });
  const train::Evaluation& figures = result.figures;
  if (flags.json) {
    nlohmann::ordered_json json{{"run", flags.run}, {"step", facts.facts.progress.step}, {"split", split}};
    if (result.count > 0) json[result.unit] = result.count;
    json["loss"] = figures.loss;
    for (const auto& [name, value] : figures.figures) json[name] = value;
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return kDone;
  }
  const std::string count = result.count > 0 ? fmt::format(" {} {},", result.count, result.unit) : "";  // a kind may not say how many it measured on
  fmt::print("{} split,{} step {}: loss {:.4f}", split, count, facts.facts.progress.step, figures.loss);
  for (const auto& [name, value] : figures.figures) fmt::print(", {}", train::figure_text(name, value));
  fmt::print("\n");
  return kDone;
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("eval", "measure a trained model over a whole split");
  const auto flags = std::make_shared<EvalFlags>();
  add_name(*command, "run", flags->run, "folder of a run, or a checkpoint")->required()->type_name("RUN");
  add_name(*command, "--data", flags->data, "other data than the run's own")->type_name("DATA");
  add_choice(*command, "--split", flags->split, {"train", "validation", "test"}, "what is measured on (default: validation, of images test)");
  add_choice(*command, "--checkpoint", flags->checkpoint, {"last", "best"}, "which weights");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print the figures as JSON");
  command->footer("Example:\n  weft eval runs/demo-vision --json");
  command->callback([flags, &action] { action = [flags] { return eval(*flags); }; });
}

}  // namespace weft::cli
