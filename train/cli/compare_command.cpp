// weft compare
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/file.h"
#include "train/cli/cli.h"
#include "train/cli/compare_check.h"
#include "train/cli/compare_run.h"
#include "train/cli/progress.h"
#include "train/cli/stop.h"
#include "train/cli/terminal.h"
#include "train/compare/against.h"
#include "train/compare/shipped.h"

namespace weft::cli {
namespace {

struct CompareFlags {
  CompareRequest request;
  bool list = false;
  bool check = false;
  bool json = false;
  std::string against;
};

constexpr std::int64_t kMostResultBytes = std::int64_t{256} << 20;

/// What an earlier comparison says to this one: true where they agree.
bool tell_agreement(const compare::Results& results, const std::string& file) {
  const compare::Reproduction found =
      compare::compare_results(results, compare::read_results(read_file(file, kMostResultBytes)));
  std::string text;
  switch (found.agreement) {
    case compare::Agreement::same_bits:
      text = fmt::format("against {}: the same bits in every run", file);
      break;
    case compare::Agreement::same_verdicts:
      text =
          fmt::format("against {}: other bits, the same verdicts, and overlapping intervals", file);
      break;
    case compare::Agreement::different:
      text = fmt::format("against {}: other findings", file);
      break;
  }
  for (const std::string& difference : found.differences) text += "\n  " + difference;
  put_line(text);
  return found.agreement != compare::Agreement::different;
}

int list_suites(bool json) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const EmbeddedFile& shipped : compare::shipped_suites()) {
    const compare::Suite suite =
        compare::parse_suite(shipped.text, std::string(shipped.name) + ".toml");
    if (json) {
      all.push_back({{"name", suite.name},
                     {"question", suite.question.en},
                     {"kind", suite.kind},
                     {"tasks", suite.tasks.size()},
                     {"arms", suite.arms.size()},
                     {"contrasts", suite.contrasts.size()},
                     {"seeds", suite.seeds.size()},
                     {"quick", suite.quick.has_value()}});
      continue;
    }
    fmt::print("{}\n  {}\n  {} tasks, {} arms, {} seeds, {} contrasts{}\n", suite.name,
               suite.question.en, suite.tasks.size(), suite.arms.size(), suite.seeds.size(),
               suite.contrasts.size(), suite.quick ? "; has a --quick form" : "");
  }
  if (json) fmt::print("{}\n", all.dump(2));
  return kDone;
}

int run_compare(const CompareFlags& flags) {
  const CompareRequest& request = flags.request;
  if (flags.list) return list_suites(flags.json);
  if (flags.check) {
    const PlanCheck check(plan_of(request));
    fmt::print("{}", flags.json ? check.json().dump(2) + "\n" : check.text());
    return kDone;
  }
  const std::unique_ptr<CompareOutcome> outcome = compare_suite(request);
  if (!outcome->whole) {
    put_line(
        fmt::format("stopped after {} of {} runs; finished ones are kept. Continue with:\n  weft "
                    "compare {}{}{} --out {}",
                    outcome->results.runs_done, outcome->plan.runs(), request.suite,
                    request.quick ? " --quick" : "",
                    request.seeds > 0 ? fmt::format(" --seeds {}", request.seeds) : "",
                    outcome->folder.string()));
    return stop_exit_code();
  }
  if (flags.json) {
    fmt::print("{}", outcome->json);
  } else {
    fmt::print("{}\n{} runs in {}; see {}\n", findings_text(outcome->results),
               outcome->results.runs_done, clock_text(outcome->seconds),
               (outcome->folder / "report.html").string());
  }
  const bool agrees = flags.against.empty() || tell_agreement(outcome->results, flags.against);
  const std::string unpaired = compare::pairing_error(outcome->results);
  if (!unpaired.empty()) {
    put_line("weft: " + unpaired);
    return kFailed;
  }
  if (const auto failed = outcome->results.runs_failed; failed > 0) {
    put_line(
        fmt::format("weft: [compare] {} of {} runs failed: contrasts with them are undecided; "
                    "repeat them with --retry",
                    failed, outcome->results.runs_done));
    return kFailed;
  }
  return agrees ? kDone : kFailed;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "compare", "train several models on the same data and say which is really better");
  const auto flags = std::make_shared<CompareFlags>();
  add_name(*command, "suite", flags->request.suite,
           "a suite by its name (see --list), or a TOML file")
      ->type_name("SUITE|FILE");
  command->add_flag("--list", flags->list,
                    "list the suites that ship with weft, and the question of each");
  command->add_flag(
      "--check", flags->check,
      "read the suite, solve its budget, and say what each arm costs and what is unequal; "
      "run nothing");
  add_number(*command, "--seeds", flags->request.seeds, {1, 1000},
             "seeds 1 to N (default: the suite's own)")
      ->default_str("");
  add_number(*command, "--jobs", flags->request.jobs, {1, 1024},
             "runs at the same time, one thread each (default: one per core)")
      ->default_str("");
  add_name(*command, "--out", flags->request.out,
           "folder of the comparison; one that was stopped is continued (default: runs/SUITE)")
      ->type_name("DIR");
  command->add_flag("--quick", flags->request.quick, "the suite's short form");
  command->add_flag("--retry", flags->request.retry, "repeat failed runs");
  add_name(
      *command, "--against", flags->against,
      "an earlier results.json: say whether this comparison has its bits, or else its verdicts "
      "with overlapping intervals")
      ->type_name("FILE");
  command->add_flag("--json", flags->json, "print results.json");
  command->footer(
      "Each seed shows all arms the same batches in the same order. Learning rates are chosen on "
      "validation data; the test\nsplit is used once, at the end. Writes report.html, results.json "
      "and results.csv into the folder.\n\nExamples:\n  weft compare --list\n  weft compare "
      "cross-dimension --quick\n  weft compare my-suite.toml --seeds 10 --out runs/mine");
  command->callback([flags, command, &action] {
    action = [flags, given = given_to(*command)] {
      if (flags->list)
        refuse_given(
            "compare", given,
            {"suite", "--check", "--seeds", "--jobs", "--out", "--quick", "--retry", "--against"},
            "--list");
      if (flags->check)
        refuse_given("compare", given, {"--jobs", "--out", "--retry", "--against"}, "--check");
      return run_compare(*flags);
    };
  });
}

}  // namespace weft::cli
