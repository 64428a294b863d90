#include "train/loop/checkpoint.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace weft::train {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kFormat = "weft-run-2";       // its header has a checksum
constexpr const char* kFirstFormat = "weft-run-1";  // which had none
constexpr std::string_view kOptimizer = "optimizer.";
constexpr std::string_view kEma = "ema.";

// JSON knows neither NaN nor infinity: they are written as null and come back as the default.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

template <class T>
void take(const Json& json, const char* name, T& value) {
  if (json.contains(name) && !json[name].is_null()) value = json[name].get<T>();
}

std::string progress_to_json(const Progress& p) {
  Json figures = Json::object();
  for (const auto& [name, value] : p.last.figures) figures[name] = number(value);
  return Json{{"step", p.step},
              {"items", p.items},
              {"seconds", p.seconds},
              {"train_seconds", p.train_seconds},
              {"evaluated_step", p.evaluated_step},
              {"val_loss", number(p.last.loss)},
              {"val_figures", figures},
              {"best_step", p.best_step},
              {"best_loss", number(p.best_loss)},
              {"val_measured", p.last.measured},
              {"reached_target", p.reached_target},
              {"skipped", p.skipped},
              {"skipped_in_a_row", p.skipped_in_a_row},
              {"batch_hash", p.batch_hash}}
      .dump();
}

Progress progress_from_json(const Json& json) {
  Progress p;
  take(json, "step", p.step);
  take(json, "items", p.items);
  take(json, "seconds", p.seconds);
  take(json, "train_seconds", p.train_seconds);
  take(json, "evaluated_step", p.evaluated_step);
  take(json, "val_loss", p.last.loss);
  if (json.contains("val_figures")) {
    for (const auto& [name, value] : json["val_figures"].items())
      p.last.figures.emplace_back(name, value.is_null() ? std::nan("") : value.get<double>());
  }
  take(json, "val_measured", p.last.measured);
  take(json, "best_step", p.best_step);
  take(json, "best_loss", p.best_loss);
  take(json, "reached_target", p.reached_target);
  take(json, "skipped", p.skipped);
  take(json, "skipped_in_a_row", p.skipped_in_a_row);
  take(json, "batch_hash", p.batch_hash);
  return p;
}

CheckpointFacts facts_from(const TensorFile& file, const std::string& where) {
  const auto& metadata = file.metadata;
  const auto text = [&](const char* key) {
    const auto found = metadata.find(key);
    if (found == metadata.end())
      fail<ConfigError>(where, "is not a checkpoint of a weft run: its metadata has no `{}`", key);
    return found->second;
  };
  if (text("format") != kFormat && text("format") != kFirstFormat) {
    fail<ConfigError>(where, "is a checkpoint of another version: format {}, this program reads {}",
                      text("format"), kFormat);
  }
  if (text("format") == kFormat && !file.checked)
    fail<IoError>(where, "is damaged: the checksum of its header is missing");
  CheckpointFacts facts;
  facts.config = text("config");
  facts.data = text("data");
  facts.data_fingerprint = text("data_fingerprint");
  try {
    facts.progress = progress_from_json(Json::parse(text("progress")));
    // Earlier checkpoints did not say; where no step was left out this is what they had.
    facts.optimizer_steps = facts.ema_updates = facts.progress.step - facts.progress.skipped;
    if (metadata.contains("updates")) {
      const Json updates = Json::parse(text("updates"));
      facts.optimizer_steps = updates.at("optimizer").get<std::int64_t>();
      facts.ema_updates = updates.at("ema").get<std::int64_t>();
    }
    const Json streams = Json::parse(text("streams"));
    facts.seed = streams.at("seed").get<std::uint64_t>();
    facts.streams = streams.at("positions").get<std::map<std::string, std::uint64_t>>();
  } catch (const Json::exception&) {
    fail<ConfigError>(where,
                      "is damaged: its progress, its updates or its random streams cannot be read");
  }
  if (facts.optimizer_steps < 0 || facts.ema_updates < 0)
    fail<ConfigError>(where, "is damaged: it says that fewer than no updates are done");
  if (facts.progress.step < 0)
    fail<ConfigError>(where, "is damaged: it says that {} steps are done", facts.progress.step);
  return facts;
}

/// The tensors of a file by what they belong to; prefixes are taken off except the average's.
struct Parts {
  nn::NamedTensors model;
  std::map<std::string, Tensor> optimizer;
  std::map<std::string, Tensor> ema;
};

Parts split(const TensorFile& file) {
  Parts parts;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with(kOptimizer))
      parts.optimizer[name.substr(kOptimizer.size())] = tensor;
    else if (name.starts_with(kEma))
      parts.ema[name] = tensor;
    else
      parts.model.emplace_back(name, tensor);
  }
  return parts;
}

void load_model(nn::Module& model, const nn::NamedTensors& tensors, const std::string& where) {
  try {
    model.load_state_dict(tensors);
  } catch (const Error& error) {
    fail<ConfigError>(where, "is a checkpoint of another model: {}", error.what());
  }
}

}  // namespace

void save_checkpoint(const fs::path& path, const CheckpointFacts& facts, const nn::Module& model,
                     const optim::Optimizer& optimizer, const optim::Ema* ema) {
  TensorFile file;
  file.tensors = model.state_dict();
  for (const auto& [name, tensor] : optimizer.state())
    file.tensors.emplace_back(std::string(kOptimizer) + name, tensor);
  if (ema != nullptr) {
    for (const auto& [name, tensor] : ema->state()) file.tensors.emplace_back(name, tensor);
  }
  file.metadata = {
      {"format", kFormat},
      {"config", facts.config},
      {"data", facts.data},
      {"data_fingerprint", facts.data_fingerprint},
      {"progress", progress_to_json(facts.progress)},
      {"updates",
       Json{{"optimizer", optimizer.steps()}, {"ema", ema != nullptr ? ema->updates() : 0}}.dump()},
      {"streams", Json{{"seed", facts.seed}, {"positions", facts.streams}}.dump()}};
  write_safetensors(path, file);
}

CheckpointFacts read_checkpoint_facts(const fs::path& path) {
  return facts_from(read_safetensors_header(path), path.string());
}

CheckpointFacts load_checkpoint(const fs::path& path, nn::Module& model,
                                optim::Optimizer& optimizer, optim::Ema* ema) {
  const TensorFile file = read_safetensors(path);
  CheckpointFacts facts = facts_from(file, path.string());
  const Parts parts = split(file);
  load_model(model, parts.model, path.string());
  try {
    optimizer.load_state(parts.optimizer, facts.optimizer_steps);
    if (ema != nullptr) ema->load_state(parts.ema, facts.ema_updates);
  } catch (const Error& error) {
    fail<ConfigError>(path.string(), "is a checkpoint of another configuration: {}", error.what());
  }
  return facts;
}

void load_weights(const fs::path& path, nn::Module& model) {
  Parts parts = split(read_safetensors(path));
  for (auto& [name, tensor] : parts.model) {
    const auto average = parts.ema.find(std::string(kEma) + name);
    if (average != parts.ema.end()) tensor = average->second;
  }
  load_model(model, parts.model, path.string());
}

}  // namespace weft::train
