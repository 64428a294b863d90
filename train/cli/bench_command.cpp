// weft bench MODEL, weft bench attention, weft bench ops, weft bench ulps
#include <fmt/format.h>

#include <memory>

#include "core/error.h"
#include "core/phase.h"
#include "nn/options.h"
#include "train/bench/against.h"
#include "train/bench/bench_attention.h"
#include "train/bench/bench_ops.h"
#include "train/bench/bench_report.h"
#include "train/bench/measure.h"
#include "train/bench/op_accuracy.h"
#include "train/cli/cli.h"

namespace weft::cli {
namespace {

struct ModelBench {
  bench::Plan plan;
  std::string against;
  std::int64_t rounds = 5;
  bool json = false;
};

struct AttentionFlags {
  bench::AttentionPlan plan;
  std::string html;
  bool json = false;
};

struct OpsBench {
  std::string pattern;
  int threads = 0;
  bool json = false;
};

int bench_model(const ModelBench& flags) {
  flags.plan.validate();
  if (!flags.against.empty()) {
    const bench::Comparison comparison =
        bench::run_against(flags.plan, flags.against, flags.rounds);
    fmt::print("{}",
               flags.json ? bench::to_json_line(comparison) + "\n" : bench::to_table(comparison));
    return kDone;
  }
  use_threads(flags.plan.threads);
  const Phase phase("timing {} steps of {}", flags.plan.steps, flags.plan.model->name);
  const bench::Measurement measurement = bench::measure(flags.plan);
  fmt::print("{}", flags.json ? bench::to_json_line(flags.plan, measurement) + "\n"
                              : bench::to_table(flags.plan, measurement));
  return kDone;
}

int bench_ops(const OpsBench& flags) {
  use_threads(flags.threads);
  bench::check_pattern(flags.pattern);
  const Phase phase("measuring the machine's peak and the ops");
  const bench::MachinePeak peak = bench::measure_peak();
  const std::vector<bench::OpSpeed> speeds = bench::measure_ops(flags.pattern, peak);
  fmt::print("{}", flags.json ? bench::to_json(peak, speeds) : bench::to_table(peak, speeds));
  return kDone;
}

struct UlpsBench {
  std::string pattern;
  std::uint64_t stride = 4099;
  int threads = 0;
  bool json = false;
};

int bench_ulps(const UlpsBench& flags) {
  use_threads(flags.threads);
  const Phase phase("measuring the accuracy of ops");
  const std::vector<bench::ElementAccuracy> elements =
      bench::measure_elements(flags.pattern, flags.stride);
  const std::vector<bench::ArrayAccuracy> arrays = bench::measure_arrays(flags.pattern);
  if (elements.empty() && arrays.empty())
    fail<ConfigError>("bench", "no op has `{}` in its name; `weft bench ulps` measures all of them",
                      flags.pattern);
  fmt::print("{}",
             flags.json ? bench::to_json(elements, arrays) : bench::to_table(elements, arrays));
  return bench::within_bounds(elements) ? kDone : kFailed;
}

int bench_attention(const AttentionFlags& flags) {
  use_threads(flags.plan.threads);
  const Phase phase("timing attention");
  const std::vector<bench::AttentionCost> costs = bench::measure_attention(flags.plan);
  fmt::print("{}",
             flags.json ? bench::to_json(flags.plan, costs) : bench::to_table(flags.plan, costs));
  if (!flags.html.empty()) report::write_page(flags.html, bench::to_page(flags.plan, costs));
  return kDone;
}

void add_shared(CLI::App& command, ModelBench& flags) {
  add_name(
      command, "--against", flags.against,
      "a shell command that prints JSON with median_ms as its last line: run alternately with weft")
      ->type_name("COMMAND");
  add_number(command, "--rounds", flags.rounds, {1, 1000}, "rounds of each, with --against");
  add_threads(command, flags.plan.threads);
  command.add_flag("--json", flags.json,
                   "one line of JSON, with the fields of tests/peers/torch_peer.py and more");
}

void add_model(CLI::App& parent, Action& action, const bench::BenchModel& model,
               const std::shared_ptr<ModelBench>& flags) {
  CLI::App* command = parent.add_subcommand(model.name, model.about);
  const auto sizes = std::make_shared<bench::Plan>(model.name);
  for (const bench::Size& size : model.sizes) {
    const Limits limits{static_cast<double>(size.least), static_cast<double>(size.most)};
    add_number(*command, std::string("--") + size.name, sizes->sizes[size.name], limits,
               size.about);
  }
  bench::Plan& plan = flags->plan;
  if (model.attention)
    add_choice(*command, "--attention", plan.attention, nn::choices<nn::AttentionKind>(),
               nn::about_attention());
  add_choice(*command, "--precision", plan.precision, {"f32", "bf16"},
             "of matrix products: f32, or operands rounded to bfloat16 and sums in f32");
  add_number(*command, "--steps", plan.steps, {1, 1e6}, "steps that are timed");
  add_number(*command, "--warmup", plan.warmup, {0, 1e6}, "steps before");
  add_shared(*command, *flags);
  if (!model.example.empty()) command->footer(model.example);
  command->callback([command, flags, sizes, &action] {
    flags->plan.model = sizes->model;
    flags->plan.sizes = sizes->sizes;
    action = [flags, given = given_to(*command)] {
      if (flags->against.empty())
        refuse_given("bench", given, {"--against", "--rounds"}, "no --against");
      return bench_model(*flags);
    };
  });
}

void add_attention(CLI::App& parent, Action& action) {
  CLI::App* command =
      parent.add_subcommand("attention",
                            "attention by itself as the sequence grows: plain, flash (in tiles), "
                            "lightning, all causal, and between channels (XCiT)");
  const auto flags = std::make_shared<AttentionFlags>();
  bench::AttentionPlan& plan = flags->plan;
  add_numbers(*command, "--lengths", plan.lengths, {1, 1 << 22}, "tokens per sequence")
      ->delimiter(',');
  add_number(*command, "--heads", plan.heads, {1, 1024}, "attention heads");
  add_number(*command, "--head-size", plan.head_size, {1, 4096}, "head size");
  add_number(*command, "--batch", plan.batch, {1, 65536}, "sequences");
  add_number(*command, "--rounds", plan.rounds, {1, 1000}, "measurements of each, interleaved");
  add_threads(*command, plan.threads);
  add_name(*command, "--html", flags->html,
           "time and memory plotted against length, in a page of its own")
      ->type_name("FILE");
  command->add_flag("--json", flags->json, "print as JSON");
  command->footer(
      "Example:\n  weft bench attention --lengths 1024,4096,16384 --threads 1 --html cost.html");
  command->callback([flags, &action] { action = [flags] { return bench_attention(*flags); }; });
}

void add_ops(CLI::App& parent, Action& action) {
  CLI::App* command =
      parent.add_subcommand("ops", "every op by itself, against the machine's peak");
  const auto flags = std::make_shared<OpsBench>();
  add_text(*command, "pattern", flags->pattern, "only ops whose name contains this (default: all)")
      ->type_name("PATTERN");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print as JSON");
  command->footer("Example:\n  weft bench ops attention");
  command->callback([flags, &action] { action = [flags] { return bench_ops(*flags); }; });
}

void add_ulps(CLI::App& parent, Action& action) {
  CLI::App* command = parent.add_subcommand(
      "ulps",
      "error of each op's f32 result in units in the last place, against the promised bound");
  const auto flags = std::make_shared<UlpsBench>();
  add_text(*command, "pattern", flags->pattern, "only ops whose name contains this (default: all)")
      ->type_name("PATTERN");
  add_number(*command, "--stride", flags->stride, {1, 1 << 30},
             "test every N-th float (1: all of them)");
  add_threads(*command, flags->threads);
  command->add_flag("--json", flags->json, "print as JSON");
  command->footer("Example:\n  weft bench ulps gelu");
  command->callback([flags, &action] { action = [flags] { return bench_ulps(*flags); }; });
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "bench",
      "time training steps and ops, against bare sgemm and against others; accuracy of ops");
  command->require_subcommand(0, 1);
  command->footer(
      "Examples:\n  weft bench gpt --json\n  weft bench resnet --batch 64 --against \"python3 "
      "tests/peers/torch_peer.py resnet --batch 64\"\n  weft bench vit --against \"python3 "
      "tests/peers/torch_peer.py vit\"\n"
      "  weft bench ops attention");
  const auto flags = std::make_shared<ModelBench>();
  add_shared(*command, *flags);
  for (const bench::BenchModel& model : bench::bench_models())
    add_model(*command, action, model, flags);
  add_attention(*command, action);
  add_ops(*command, action);
  add_ulps(*command, action);
  command->callback([command, flags, &action] {
    if (!command->get_subcommands().empty()) return;
    if (flags->against.empty())
      throw CLI::RequiredError("a model (gpt, vit, ...), attention, ops or ulps");
    action = [flags] { return bench_model(*flags); };
  });
}

}  // namespace weft::cli
