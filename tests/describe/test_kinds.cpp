// What a kind's sketch says of a run, against the run itself: parameters in every suite that ships,
// arm by arm, and the memory of a step in a run of every kind.
#include "core/shape_only.h"
#include "core/storage.h"
#include "tests/reliability/every_kind.h"
#include "train/compare/plan.h"
#include "train/compare/shipped.h"
#include "train/compare/suite.h"
#include "train/config/config_sources.h"
#include "train/loop/build_optimizer.h"

using namespace weft;

namespace {

/// The configuration of `train KIND --name value ...`.
std::unique_ptr<train::RunConfig> config_of(const train::Kind& kind,
                                            const std::vector<std::string>& words) {
  train::Sources sources;
  for (std::size_t i = 2; i < words.size(); ++i) {
    std::string name = words[i].substr(2), value;
    if (const auto equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else {
      value = words[++i];
    }
    std::replace(name.begin(), name.end(), '-', '_');
    sources.flags.emplace_back(name, value);
  }
  return train::resolve(kind, sources);
}

/// MiB that real steps hold beside parameters and what the optimizer keeps.
double held_by(const train::Kind& kind, const train::RunConfig& config) {
  random::seed(1);
  train::Prepared run = kind.prepare(kind.copy(config));
  const auto optimizer = train::build_optimizer(*run.config, run.task->model());
  const MemoryStats before = memory_stats();
  run.task->model().train();
  run.task->start(0);
  for (int step = 0; step < 4; ++step) {
    train::BatchRecord seen;
    optimizer->zero_grad();
    if (step == 2) reset_peak_memory();
    run.task->next_loss(seen).backward();
    optimizer->step();
  }
  return static_cast<double>(memory_stats().peak - before.current) / 0x1p20;
}

}  // namespace

TEST_CASE("every arm of every shipped suite has the parameters that its model is said to have") {
  int compared = 0;
  for (const EmbeddedFile& shipped : compare::shipped_suites()) {
    CAPTURE(shipped.name);
    const compare::Plan plan = compare::make_plan(compare::quick_form(
        compare::parse_suite(shipped.text, std::string(shipped.name) + ".toml")));
    for (const compare::Cell& cell : plan.cells) {
      const std::string arm = plan.task(cell).name + "/" + plan.arm(cell).name;
      CAPTURE(arm);
      const train::Prepared run = plan.kind->prepare(plan.kind->copy(*cell.config));
      CHECK(cell.parameters == static_cast<double>(run.task->model().num_parameters()));
      ++compared;
    }
  }
  MESSAGE(compared, " arms");
  CHECK(compared > 50);
}

TEST_CASE("a run of every kind has the parameters that its sketch says") {
  const test::TempFolder folder;
  for (const auto& [name, words] : test::a_run_of_every_kind(folder)) {
    CAPTURE(name);
    const train::Kind& kind = train::find_kind(name, "test");
    const auto config = config_of(kind, words);
    const auto facts = kind.inspect_data(*config);
    const train::Prepared run = kind.prepare(kind.copy(*config));
    CHECK(kind.parameters(*config, *facts) ==
          static_cast<double>(run.task->model().num_parameters()));
    const auto told = kind.describe_step(*config, *facts, config->batch);
    CHECK(told.step.parameters == run.task->model().num_parameters());
    CHECK(told.memory.peak > told.memory.parameters + told.memory.update);
  }
}

TEST_CASE("the steps of runs hold what their sketches say, within 15 %") {
  const std::vector<std::vector<std::string>> runs{
      {"train", "text", "--steps", "4", "--width", "64", "--batch", "40"},
      {"train", "text", "--steps", "4", "--width", "64", "--batch", "40", "--attention", "plain",
       "--optimizer", "sgd"},
      {"train", "vision", "--batch", "64", "--layers", "2", "--epochs", "1", "--train-share",
       "0.01", "--validation", "500"},
      {"train", "vision", "--batch", "64", "--model", "resnet", "--epochs", "1", "--train-share",
       "0.01", "--validation", "500"},
      {"train", "vision", "--batch", "64", "--model", "cnn", "--epochs", "1", "--train-share",
       "0.01", "--validation", "500"},
      {"train", "sequence", "--data", "recall", "--steps", "4"},
      {"train", "embedding", "--steps", "4"}};
  for (const auto& words : runs) {
    const std::string all = fmt::format("{}", fmt::join(words, " "));
    CAPTURE(all);
    const train::Kind& kind = train::find_kind(words[1], "test");
    const auto config = config_of(kind, words);
    const auto facts = kind.inspect_data(*config);
    const auto told = kind.describe_step(*config, *facts, config->batch);
    const double said = (told.memory.peak - told.memory.parameters - told.memory.update) / 0x1p20,
                 held = held_by(kind, *config),
                 rest = (told.memory.parameters + told.memory.update) / 0x1p20;
    MESSAGE(fmt::format("{:.2f} MiB said, {:.2f} held ({:+.1f} %): {}", said + rest, held + rest,
                        100 * ((said + rest) / (held + rest) - 1), all));
    CHECK(std::abs((said + rest) / (held + rest) - 1) <= 0.15);
  }
}
