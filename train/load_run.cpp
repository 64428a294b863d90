#include "train/load_run.h"

#include <algorithm>
#include <iterator>
#include <system_error>

#include "core/error.h"
#include "core/file.h"
#include "data/find_data_set.h"
#include "train/kind.h"
#include "train/kinds/text/text_model.h"
#include "train/run_folder.h"

namespace weft::train {
namespace {

namespace fs = std::filesystem;

struct Use {
  const char* kind;
  const char* commands;
};

constexpr Use kUses[] = {
    {"text", "weft sample RUN, weft explain attention RUN"},
    {"vision", "weft predict RUN FILE.png, weft explain attention RUN"},
    {"detect", "weft detect RUN FILE.png"},
    {"sequence", "weft eval RUN --split test"},
    {"translate", "weft predict RUN --text TEXT"},
    {"tokens", "weft eval RUN --split test"},
    {"bert", "weft predict RUN --text \"TEXT with a [MASK]\""},
    {"classify", "weft predict RUN --text TEXT"},
    {"embedding", "weft explain embedding RUN"},
    {"recommend", "weft explain history RUN (of model din)"},
};

}  // namespace

std::string commands_for(const std::string& kind) {
  const auto use = std::find_if(std::begin(kUses), std::end(kUses),
                                [&](const Use& one) { return kind == one.kind; });
  if (use == std::end(kUses)) return "";
  const std::string commands = use->commands;
  return commands.starts_with("weft eval") ? commands : commands + ", weft eval RUN";
}

void want_kind(const RunFacts& run, const std::string& kind) {
  if (run.task == kind) return;
  fail<ConfigError>(run.checkpoint.string(),
                    "belongs to a {} run; this command wants a {} run; for a {} run there are: {}",
                    run.task, kind, run.task, commands_for(run.task));
}

RunFacts read_run(const fs::path& run, const std::string& which) {
  std::error_code error;
  RunFacts result;
  if (fs::is_directory(run, error)) {
    const fs::path config = run / "config.json";
    if (!fs::exists(config, error))
      fail<IoError>(run.string(), "is no folder of a run: it has no config.json");
    result.config_json = read_file(config.string(), kMaxConfigBytes);
    result.checkpoint = run / (which + ".safetensors");
    if (!fs::exists(result.checkpoint, error))
      fail<IoError>(run.string(), "has no {}.safetensors yet: train it further with --resume",
                    which);
    result.facts = read_checkpoint_facts(result.checkpoint);
  } else {
    if (!fs::exists(run, error))
      fail<IoError>(run.string(), "there is no such run; train one first, or look in runs/");
    result.checkpoint = run;
    result.facts = read_checkpoint_facts(run);
    result.config_json = result.facts.config;
  }
  result.task = kind_of_json(result.config_json, run.string()).name();
  return result;
}

TextRun load_text_run(const RunFacts& run) {
  want_kind(run, "text");
  TextRun loaded;
  loaded.config = config_from_json<TextConfig>(run.config_json, run.checkpoint.string());
  loaded.tokenizer = data::tokenizer_from_json(run.facts.data, run.checkpoint.string());
  loaded.model =
      std::make_unique<nn::Gpt>(gpt_config(loaded.config, loaded.tokenizer->vocab_size()));
  load_weights(run.checkpoint, *loaded.model);
  loaded.model->eval();
  loaded.progress = run.facts.progress;
  return loaded;
}

VisionRun load_vision_run(const RunFacts& run) {
  want_kind(run, "vision");
  VisionRun loaded;
  loaded.config = config_from_json<VisionConfig>(run.config_json, run.checkpoint.string());
  loaded.images = ImageFacts::from_json(run.facts.data, run.checkpoint.string());
  loaded.model = build_model(loaded.config, loaded.images);
  load_weights(run.checkpoint, *loaded.model);
  loaded.model->eval();
  loaded.progress = run.facts.progress;
  return loaded;
}

std::string lasting_path(const std::string& name_or_path) {
  const auto shipped = data::shipped_data_sets();
  std::error_code error;
  if (std::find(shipped.begin(), shipped.end(), name_or_path) != shipped.end() ||
      !fs::exists(name_or_path, error))
    return name_or_path;
  const fs::path absolute = fs::absolute(name_or_path, error);
  return error ? name_or_path : absolute.lexically_normal().string();
}

}  // namespace weft::train
