#include "train/tasks/common/run_facts.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"
#include "core/io/file.h"
#include "core/precision.h"
#include "core/products.h"
#include "data/find_data_set.h"
#include "train/config/config_sources.h"
#include "train/loop/run_folder.h"
#include "train/tasks/common/kinds.h"

namespace weft::train {

namespace fs = std::filesystem;

RunFacts read_run(const fs::path& run, const std::string& which) {
  std::error_code error;
  RunFacts result;
  if (fs::is_directory(run, error)) {
    const fs::path config = run / "config.json";
    if (!fs::exists(config, error))
      fail<IoError>(run.string(), "is not a run folder: it has no config.json");
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
  result.kind = &kind_of_json(result.config_json, run.string());
  return result;
}

void use_products_of(const RunFacts& run) {
  const auto config = config_from_json(*run.kind, run.config_json, run.checkpoint.string());
  set_products(products_from_name(config->products));
  set_precision(precision_from_name(config->precision));
}

void check_unchanged(const std::string& found, const CheckpointFacts& facts,
                     const std::string& data) {
  if (found == facts.data_fingerprint) return;
  fail<ConfigError>(data, "the data have changed since this run was trained; restore them");
}

std::string absolute_data_path(const std::string& name_or_path) {
  const auto shipped = data::shipped_data_sets();
  std::error_code error;
  if (std::find(shipped.begin(), shipped.end(), name_or_path) != shipped.end() ||
      !fs::exists(name_or_path, error))
    return name_or_path;
  const fs::path absolute = fs::absolute(name_or_path, error);
  return error ? name_or_path : absolute.lexically_normal().string();
}

}  // namespace weft::train
