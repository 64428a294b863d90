#include "train/tasks/common/kind.h"

#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/parallel.h"
#include "core/phase.h"
#include "core/precision.h"
#include "core/products.h"
#include "core/random.h"
#include "core/shape_only.h"
#include "train/config/config_sources.h"
#include "train/loop/run_folder.h"

namespace weft::train {

namespace {

/// Where initial weights are drawn from in the stream `init` with `other_init`: far behind all that
/// any model takes.
constexpr std::uint64_t kOtherInit = std::uint64_t{1} << 40;

}  // namespace

bool Kind::can(Use use) const {
  const std::vector<Use> all = uses();
  return std::find(all.begin(), all.end(), use) != all.end();
}

std::string Kind::commands() const {
  std::string all;
  for (const Use use : uses()) all += (all.empty() ? "" : ", ") + command(use);
  return all;
}

double Kind::parameters(const RunConfig& config, const DataFacts& data) const {
  return count_parameters([&] { return sketch(config, data); });
}

double Kind::forward_flops(const RunConfig& config, const DataFacts& data) const {
  return count_forward_flops([&] { return sketch(config, data); }, config.batch);
}

nn::StepDescription Kind::describe_step(const RunConfig& config, const DataFacts& data,
                                        std::int64_t batch) const {
  return train::describe_step([&] { return sketch(config, data); }, config, batch);
}

void Kind::check_fits(const RunConfig& config, const DataFacts& data) const {
  check_step_fits([&] { return sketch(config, data); }, config);
}

void check_same_data(const Task& task, const CheckpointFacts& facts, const std::string& where,
                     const std::string& mend) {
  if (task.fingerprint() == facts.data_fingerprint && task.same_data(facts.data)) return;
  fail<ConfigError>(where, "the data have changed since this run was trained: {}", mend);
}

Prepared prepare_again(const Kind& kind, std::unique_ptr<RunConfig> config,
                       const CheckpointFacts& facts, const std::string& where,
                       const std::string& mend) {
  const std::unique_ptr<RunConfig> fresh = kind.copy(*config);
  Prepared run;
  try {
    run = kind.prepare(std::move(config), {.data = facts.data});
  } catch (const ConfigError&) {
    // What this vocabulary cannot read may be what another data set holds.
    const Prepared anew = kind.prepare(kind.copy(*fresh));
    check_same_data(*anew.task, facts, where, mend);
    throw;
  }
  check_same_data(*run.task, facts, where, mend);
  return run;
}

namespace {

/// A run that was stopped before its first checkpoint begins anew: the same seed makes the same.
Prepared prepare_to_go_on(const Kind& kind, const RunConfig& config,
                          const std::filesystem::path& out) {
  const std::filesystem::path last = out / "last.safetensors";
  std::error_code error;
  if (!std::filesystem::exists(last, error)) return kind.prepare(kind.copy(config));
  return prepare_again(kind, kind.copy(config), read_checkpoint_facts(last), last.string(),
                       "restore them, or start a new run");
}

Prepared prepare(const Kind& kind, const RunConfig& config) {
  const Phase phase("preparing the data and the model");
  return kind.prepare(kind.copy(config));
}

}  // namespace

MemoryNeed estimate_memory(const Kind& kind, const RunConfig& config) {
  ToldMib told;
  const std::shared_ptr<const DataFacts> facts = kind.inspect_data(config);
  const bool is_exact = [&] {
    const ShapeOnly shapes;
    return kind.sketch(config, *facts).is_exact;
  }();
  if (is_exact)
    told = [&kind, &config, facts](std::int64_t batch) {
      return kind.describe_step(config, *facts, batch).memory.peak / 0x1p20;
    };
  return estimate_memory(
      [&](std::int64_t batch) {
        std::unique_ptr<RunConfig> small = kind.copy(config);
        small->batch = batch;
        small->accumulate = 1;
        small->warmup = 0;
        return kind.prepare(std::move(small));
      },
      config, told);
}

Summary train_run(const Kind& kind, const RunConfig& config, const RunOptions& options) {
  if (!options.resume) RunFolder::check_new(options.out);
  if (config.threads > 0) set_num_threads(static_cast<int>(config.threads));
  set_products(products_from_name(config.products));
  set_precision(precision_from_name(config.precision));
  if (!options.resume && options.estimate) {
    const Phase phase("estimating the memory that this run needs");
    check_memory_need(estimate_memory(kind, config));
  }
  random::seed(static_cast<std::uint64_t>(config.seed));
  if (config.other_init) random::stream("init").set_position(kOtherInit);
  const Prepared run =
      options.resume ? prepare_to_go_on(kind, config, options.out) : prepare(kind, config);
  if (options.prepared) options.prepared();
  if (options.observer != nullptr)
    for (const std::string& note : run.notes) options.observer->on_note(note);
  const std::string json = to_json(kind, *run.config);
  const RunFolder folder =
      options.resume ? RunFolder::open(options.out) : RunFolder::create(options.out, json);
  return run_training(*run.task, *run.config, json, run.steps, run.has_test && options.test, folder,
                      options);
}

}  // namespace weft::train
