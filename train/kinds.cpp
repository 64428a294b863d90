// The registry of kinds, and what is done alike with all of them.
#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/parallel.h"
#include "core/phase.h"
#include "core/random.h"
#include "train/config_sources.h"
#include "train/kind.h"
#include "train/kinds/bert/bert_config.h"
#include "train/kinds/classify/classify_config.h"
#include "train/kinds/detect/detect_config.h"
#include "train/kinds/embedding/embedding_config.h"
#include "train/kinds/recommend/recommend_config.h"
#include "train/kinds/sequence/sequence_config.h"
#include "train/kinds/text/text_config.h"
#include "train/kinds/tokens/tokens_config.h"
#include "train/kinds/translate/translate_config.h"
#include "train/kinds/vision/vision_config.h"
#include "train/memory_estimate.h"
#include "train/run_folder.h"

namespace weft::train {
namespace {

/// A run that was stopped before its first checkpoint begins anew: the same seed makes the same.
Prepared prepare_to_go_on(const Kind& kind, const RunConfig& config,
                          const std::filesystem::path& out) {
  const std::filesystem::path last = out / "last.safetensors";
  std::error_code error;
  if (!std::filesystem::exists(last, error)) return kind.prepare(kind.copy(config));
  return prepare_again(kind, kind.copy(config), read_checkpoint_facts(last), last.string(),
                       "put back what they were, or start a new run");
}

}  // namespace

const std::vector<const Kind*>& kinds() {
  static const std::vector<const Kind*> all = {
      &kind_of(TextConfig()),      &kind_of(VisionConfig()),    &kind_of(DetectConfig()),
      &kind_of(SequenceConfig()),  &kind_of(TranslateConfig()), &kind_of(TokensConfig()),
      &kind_of(BertRunConfig()),   &kind_of(ClassifyConfig()),  &kind_of(EmbeddingConfig()),
      &kind_of(RecommendConfig()),
  };
  return all;
}

const Kind& find_kind(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const Kind* kind : kinds()) {
    if (kind->name() == name) return *kind;
    names.push_back(kind->name());
  }
  const std::string near = nearest(name, names);
  fail<ConfigError>(where, "there is no kind of run {}{}; kinds: {}",
                    name.empty() ? "without a name" : name,
                    near.empty() ? "" : ", did you mean " + near + "?", fmt::join(names, ", "));
}

void Kind::start_from_model(RunConfig&, const RunConfig&) const {}

std::string Kind::meaningless(const RunConfig& c, const std::string& name) const {
  if (name == "muon_lr" && c.optimizer != "muon") return "optimizer " + c.optimizer;
  if (name == "momentum" && c.optimizer != "muon" && c.optimizer != "sgd")
    return "optimizer " + c.optimizer;
  if ((name == "beta1" || name == "beta2") && c.optimizer == "sgd")
    return "optimizer " + c.optimizer;
  if (name == "init_std" && c.init != "gpt2") return "init " + c.init;
  if (name == "decay" && c.schedule != "wsd") return "schedule " + c.schedule;
  if (name == "final_lr" && c.schedule == "constant") return "schedule " + c.schedule;
  return "";
}

std::int64_t Kind::width_granularity(const RunConfig&) const { return 1; }

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

Prepared prepare(const Kind& kind, const RunConfig& config) {
  const Phase phase("preparing the data and the model");
  return kind.prepare(kind.copy(config));
}

}  // namespace

Summary train_run(const Kind& kind, const RunConfig& config, const RunOptions& options) {
  if (!options.resume) RunFolder::check_new(options.out);
  if (config.threads > 0) set_num_threads(static_cast<int>(config.threads));
  if (!options.resume && options.estimate) {
    const Phase phase("finding out how much memory this run needs");
    check_memory_need(estimate_memory(kind, config));
  }
  random::seed(static_cast<std::uint64_t>(config.seed));
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

Summary resume_run(const RunOptions& options, const std::string& expected_kind,
                   std::int64_t threads) {
  std::string json;
  std::string where;
  {
    const RunFolder folder = RunFolder::open(options.out);
    where = folder.config().string();
    json = folder.read_config();
  }
  const Kind& kind = kind_of_json(json, where);
  if (kind.name() != expected_kind)
    fail<ConfigError>(where, "is the configuration of a {} run; use `weft train {} --resume`",
                      kind.name(), kind.name());
  const std::unique_ptr<RunConfig> config = config_from_json(kind, json, where);
  if (threads > 0) config->threads = threads;
  return train_run(kind, *config, options);
}

}  // namespace weft::train
