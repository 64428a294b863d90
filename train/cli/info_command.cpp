// weft info, weft info model, weft info RUN
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/blas.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/simd.h"
#include "core/storage.h"
#include "data/find_data_set.h"
#include "nn/describe.h"
#include "nn/models/gpt.h"
#include "train/cli/cli.h"
#include "train/cli/config_flags.h"
#include "train/loop/build_optimizer.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/loaded_run.h"
#include "train/tasks/text/text_model.h"
#include "train/tasks/vision/vision_model.h"

namespace weft::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string cpu_features() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::string found;
    for (const char* feature : {"avx2", "fma", "avx512f", "avx512_bf16"}) {
      if ((line + " ").find(" " + std::string(feature) + " ") != std::string::npos)
        found += (found.empty() ? "" : " ") + std::string(feature);
    }
    return found;
  }
  return "";
}

int info_program(bool json) {
  const Json facts{{"version", WEFT_VERSION},
                   {"cpu", cpu_name()},
                   {"cpu_features", cpu_features()},
                   {"simd", simd_in_use()},
                   {"cores", std::thread::hardware_concurrency()},
                   {"threads", num_threads()},
                   {"memory_mib", memory_limit() / (1 << 20)},
                   {"blas", blas::description()},
                   {"data_sets", data::shipped_data_sets()}};
  if (json) {
    fmt::print("{}\n", facts.dump(2, ' ', false, Json::error_handler_t::replace));
    return kDone;
  }
  fmt::print("weft {}\n", WEFT_VERSION);
  for (const auto& [key, value] : facts.items()) {
    if (key != "version")
      fmt::print("{:<14}{}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return kDone;
}

int print_model(nn::Model& model, bool json) {
  const nn::Description info = nn::describe(model);
  if (!json) {
    fmt::print("{}", info.table());
    return kDone;
  }
  Json layers = Json::array();
  for (const nn::LayerInfo& layer : info.layers) {
    layers.push_back(
        {{"name", layer.path},
         {"kind", layer.kind},
         {"details", layer.details},
         {"params", layer.parameters},
         {"flops", layer.flops},
         {"output", std::vector<std::int64_t>(layer.output.begin(), layer.output.end())}});
  }
  fmt::print("{}\n", Json{{"kind", info.kind},
                          {"params", info.parameters},
                          {"flops", info.flops},
                          {"flops_seen", info.flops_seen},
                          {"bounds", info.bounds},
                          {"layers", layers}}
                         .dump(2));
  return kDone;
}

int info_run(const std::string& path, bool json) {
  const train::RunFacts run = train::read_run(path);
  const train::Progress& progress = run.facts.progress;
  if (json) {
    Json facts{{"task", run.kind->name()},
               {"step", progress.step},
               {"seconds", progress.seconds},
               {"best_step", progress.best_step}};
    if (std::isfinite(progress.last.loss)) facts["val_loss"] = progress.last.loss;
    for (const auto& [name, value] : progress.last.figures) facts["val_" + name] = value;
    facts["config"] = Json::parse(run.config_json);
    fmt::print("{}\n", facts.dump(2, ' ', false, Json::error_handler_t::replace));
    return kDone;
  }
  fmt::print("{}", run.kind->load(run)->describe());
  return kDone;
}

struct ModelFlags {
  std::string kind = "gpt";
  std::int64_t vocabulary = 65;
  train::ImageFacts images;
  train::Sources sources;
  bool json = false;
};

/// A choice of `weft train text` or, where that has none of this name, of `weft train vision`;
/// which of the two it is for, the kind of model says.
void add_model_choice(CLI::App& command, const std::string& name, train::Sources& sources) {
  for (const train::Kind* kind :
       {&train::kind_of(train::TextConfig()), &train::kind_of(train::VisionConfig())}) {
    const auto field = std::find_if(kind->fields().begin(), kind->fields().end(),
                                    [&](const train::Field& one) { return one.name == name; });
    if (field == kind->fields().end()) continue;
    CLI::Option* const option = add_config_flag(command, *kind, *field, sources);
    option->description("as in `weft train`")->default_str("")->group("As in weft train");
    return;
  }
}

int info_model(const ModelFlags& flags) {
  if (flags.kind == "gpt") {
    const auto model =
        train::build_model(train::resolve<train::TextConfig>(flags.sources), flags.vocabulary);
    return print_model(*model, flags.json);
  }
  train::Sources sources = flags.sources;
  sources.flags.emplace_back("model", flags.kind);
  const auto model = train::build_model(train::resolve<train::VisionConfig>(sources), flags.images);
  return print_model(*model, flags.json);
}

}  // namespace

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name"))
      return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "unknown";
}

void add_info(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("info", "this machine, a run, or the layers of a model");
  const auto run = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  add_name(*command, "run", *run,
           "folder of a run, or a checkpoint (default: the program and the machine)")
      ->type_name("RUN");
  command->add_flag("--json", *json, "print as JSON");
  command->footer(
      "Examples:\n  weft info\n  weft info runs/demo-text\n  weft info model --kind vit --layers 6 "
      "--width 64");

  CLI::App* model =
      command->add_subcommand("model", "layers of a model with parameters and FLOPs per sample");
  const auto flags = std::make_shared<ModelFlags>();
  add_choice(*model, "--kind", flags->kind, {"gpt", "vit", "mlp", "cnn", "lenet", "resnet"},
             "kind of model");
  add_number(*model, "--vocabulary", flags->vocabulary, {1, 1e7}, "vocabulary size of a gpt");
  add_number(*model, "--image", flags->images.height, {1, 4096}, "height and width of an image");
  add_number(*model, "--channels", flags->images.channels, {1, 64}, "of an image");
  add_number(*model, "--classes", flags->images.classes, {1, 1e6}, "of images");
  model->add_flag("--json", flags->json, "print as JSON");
  for (const char* name : {"context", "tie", "patch", "pool", "positions", "layers", "heads",
                           "kv_heads", "head_size", "width", "norm", "norm_weight", "post_norm",
                           "qk_norm", "activation", "mlp_ratio", "bias"}) {
    add_model_choice(*model, name, flags->sources);
  }
  model->footer(
      "Example:\n  weft info model --kind gpt --layers 4 --heads 4 --width 128 --context 64");
  model->callback([flags, model, &action] {
    flags->images.width = flags->images.height;
    action = [flags, given = given_to(*model)] {
      if (flags->kind == "gpt")
        refuse_given("info model", given, {"--image", "--channels", "--classes"}, "kind gpt");
      else
        refuse_given("info model", given, {"--vocabulary"}, "kind " + flags->kind);
      return info_model(*flags);
    };
  });
  command->callback([run, json, command, &action] {
    if (!command->get_subcommands().empty()) return;
    action = [run, json] { return run->empty() ? info_program(*json) : info_run(*run, *json); };
  });
}

}  // namespace weft::cli
