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
#include "train/cli/cli.h"
#include "train/cli/config_flags.h"
#include "train/loop/build_optimizer.h"
#include "train/tasks/common/assumed_data.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/common/loaded_run.h"

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
  train::AssumedData data;
  train::Sources sources;
  bool json = false;
};

/// A kind whose models can be built without data, and their names.
struct Describable {
  const train::Kind* kind;
  const train::ModelsOfAssumedData* models;
  std::vector<std::string> names;
};

std::vector<Describable> describable() {
  std::vector<Describable> all;
  for (const train::Kind* kind : train::kinds()) {
    const auto* const models = dynamic_cast<const train::ModelsOfAssumedData*>(kind);
    if (models == nullptr) continue;
    Describable& one = all.emplace_back(Describable{kind, models, {}});
    for (const train::Field& field : kind->fields())
      if (field.name == "model") one.names = field.choices;
  }
  return all;
}

/// The choices that models are built with: those of their own tables, and what they take of a run.
std::vector<std::string> model_choices() {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const Describable& one : describable()) {
    for (const std::string& name : one.models->run_choices()) add(name);
    for (const train::Field& field : one.kind->fields())
      if (field.of && field.group == "Model") add(field.name);
  }
  return names;
}

/// A choice of `weft train`, of the first of these kinds that has it; which it is for, the kind of
/// model says.
void add_model_choice(CLI::App& command, const std::string& name, train::Sources& sources) {
  for (const Describable& one : describable()) {
    const train::Fields& fields = one.kind->fields();
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const train::Field& f) { return f.name == name; });
    if (field == fields.end()) continue;
    CLI::Option* const option = add_config_flag(command, *one.kind, *field, sources);
    option->description("as in `weft train`")->default_str("")->group("As in weft train");
    return;
  }
}

int info_model(const ModelFlags& flags, const Given& given) {
  const std::vector<Describable> all = describable();
  const auto names = [&](const Describable& one) {
    return std::find(one.names.begin(), one.names.end(), flags.kind) != one.names.end();
  };
  const Describable& wanted = *std::find_if(all.begin(), all.end(), names);
  const std::vector<std::string> sizes = wanted.models->sizes();
  for (const Describable& one : all)
    for (const std::string& size : one.models->sizes())
      if (std::find(sizes.begin(), sizes.end(), size) == sizes.end())
        refuse_given("info model", given, {size.c_str()}, "kind " + flags.kind);
  train::Sources sources = flags.sources;
  sources.flags.emplace_back("model", flags.kind);
  const auto config = train::resolve(*wanted.kind, sources);
  return print_model(*wanted.models->model_for(*config, flags.data), flags.json);
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
  std::vector<std::string> model_names;
  for (const Describable& one : describable())
    model_names.insert(model_names.end(), one.names.begin(), one.names.end());
  add_choice(*model, "--kind", flags->kind, model_names, "kind of model");
  add_number(*model, "--vocabulary", flags->data.vocabulary, {1, 1e7},
             "vocabulary size of a text model");
  add_number(*model, "--image", flags->data.height, {1, 4096}, "height and width of an image");
  add_number(*model, "--channels", flags->data.channels, {1, 64}, "of an image");
  add_number(*model, "--classes", flags->data.classes, {1, 1e6}, "of images");
  model->add_flag("--json", flags->json, "print as JSON");
  for (const std::string& name : model_choices()) add_model_choice(*model, name, flags->sources);
  model->footer(
      "Example:\n  weft info model --kind gpt --layers 4 --heads 4 --width 128 --context 64");
  model->callback([flags, model, &action] {
    flags->data.width = flags->data.height;
    action = [flags, given = given_to(*model)] { return info_model(*flags, given); };
  });
  command->callback([run, json, command, &action] {
    if (!command->get_subcommands().empty()) return;
    action = [run, json] { return run->empty() ? info_program(*json) : info_run(*run, *json); };
  });
}

}  // namespace weft::cli
