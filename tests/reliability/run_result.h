// What is compared of two runs that must have ended alike.
#pragma once

#include <functional>
#include <string>

#include "core/io/safetensors.h"
#include "data/split.h"
#include "tests/train/tiny_runs.h"
#include "train/loop/figures_json.h"

namespace weft::test {

/// Everything that a run leaves and that may depend neither on when it was killed nor on its
/// threads: weights, optimizer and streams (as hashes), metrics and final figures without times and
/// memory.
inline std::string result_of(const fs::path& run) {
  std::string text;
  for (const char* name : {"last.safetensors", "best.safetensors"}) {
    const TensorFile file = read_safetensors(run / name);
    std::uint64_t hash = 0;
    for (const auto& [key, tensor] : file.tensors)
      hash = data::batch_hash(tensor, tensor, hash) + std::hash<std::string>()(key);
    text += std::to_string(hash) + file.metadata.at("streams");
  }
  const auto add = [&text](const nlohmann::json& record) {
    for (const auto& [key, value] : record.items())
      if (!train::is_machine_bound(key)) text += key + " " + value.dump() + "\n";
  };
  for (const auto& record : read_metrics(run)) add(record);
  add(nlohmann::json::parse(read_file((run / "summary.json").string())));
  return text;
}

}  // namespace weft::test
