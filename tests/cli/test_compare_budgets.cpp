// Budgets are what they say: any number of steps, each arm's own data, what was spent checked
// against what was planned; three splits; seeds to tune with; placebos; looks.
#include <doctest/doctest.h>

#include <set>

#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"
#include "train/compare/plan.h"
#include "train/compare/shipped.h"
#include "train/tasks/common/kinds.h"

using namespace weft;
using test::comparison_results;
using test::Outcome;
using test::TempFolder;
using test::tiny_suite;
using test::weft_with;

namespace fs = std::filesystem;

namespace {

const std::string kWideMargin = "margin = 5\n";

/// Two models of very different arithmetic on a few tiny images, for a fraction of an epoch.
std::string image_suite(const TempFolder& folder, const std::string& budget,
                        const std::string& base) {
  test::tiny_vision_config(folder);  // writes the images
  const std::string path = (folder / "v.toml").string();
  write_file(path, "name = \"v\"\nquestion = \"?\"\nkind = \"vision\"\nseeds = 6\n[budget]\n" +
                       budget + "[base]\ndata = \"" + (folder / "images").string() +
                       "\"\nvalidation = 10\nbatch = 8\n" + base +
                       "[[task]]\nname = \"t\"\nmetric = \"test_accuracy\"\n"
                       "[[arm]]\nname = \"mlp\"\nset = { model = \"mlp\", width = 8 }\n"
                       "[[arm]]\nname = \"cnn\"\nset = { model = \"cnn\", width = 16 }\n"
                       "[[contrast]]\ntask = \"t\"\na = \"mlp\"\nb = \"cnn\"\nquestion = \"?\"\n");
  return path;
}

Outcome compared(const TempFolder& folder, const std::string& suite, const std::string& out,
                 const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"compare", suite, "--out", (folder / out).string()};
  words.insert(words.end(), more.begin(), more.end());
  return weft_with(folder, words);
}

}  // namespace

TEST_CASE("runs that count epochs end after any number of steps") {
  for (const char* name : {"vision", "recommend"}) {
    CAPTURE(name);
    const train::Kind& kind = train::find_kind(name, "test");
    const auto config = kind.make();
    const auto data = kind.inspect_data(*config);
    for (const std::int64_t steps : {1, 3, 100, 1234}) {
      kind.set_steps(*config, steps, *data);
      CHECK(kind.length(*config, *data).steps == steps);
    }
  }
}

TEST_CASE("equal FLOPs are spent by image models, too, and within the tolerance or not at all") {
  const TempFolder folder;
  const std::string suite =
      image_suite(folder, "equal = \"flops\"\nreference = \"cnn\"\n", "epochs = 3\n");
  const Outcome done = compared(folder, suite, "c");
  REQUIRE_MESSAGE(done.code == 0, done.err);
  const auto json = comparison_results(folder / "c");
  const double mlp = json["cells"][0]["training_flops"], cnn = json["cells"][1]["training_flops"];
  CHECK(std::abs(mlp / cnn - 1) <= 0.02);
  CHECK(json["cells"][0]["steps"] > json["cells"][1]["steps"]);
  for (const auto& cell : json["cells"]) {
    const auto summary = nlohmann::json::parse(
        read_file(cell["runs"][0]["folder"].get<std::string>() + "/summary.json"));
    CHECK(summary["steps"] == cell["steps"]);
    CHECK(cell["equal"] == true);
  }
  // An amount of which one step of the CNN is a large part.
  const double step = cnn / json["cells"][1]["steps"].get<double>();
  const std::string coarse = image_suite(
      folder, fmt::format("equal = \"flops\"\namount = {:.0f}\n", 1.4 * step), "epochs = 3\n");
  const Outcome refused = compared(folder, coarse, "d", {"--check"});
  const Outcome run = compared(folder, coarse, "d");
  CHECK(run.code == 2);
  CHECK_MESSAGE(run.err.find("FLOPs of the budget of") != std::string::npos, run.err);
  CHECK(run.err.find("2 % are allowed") != std::string::npos);
  CHECK(refused.code == 2);
}

TEST_CASE("arms are planned by the data that each of them reads") {
  for (const EmbeddedFile& shipped : compare::shipped_suites()) {
    if (std::string_view(shipped.name) != "bert") continue;
    const compare::Plan plan = compare::make_plan(compare::parse_suite(shipped.text, "bert.toml"));
    for (const compare::Cell& cell : plan.cells) {
      const auto own = plan.kind->inspect_data(*cell.config);
      CHECK(plan.kind->parameters(*cell.config, *own) == cell.parameters);
      if (plan.arm(cell).name == "scratch-words") CHECK(cell.parameters == 618'882);
    }
  }
}

TEST_CASE("a run that is not what was planned is an error") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 4\n", kWideMargin);
  REQUIRE(compared(folder, suite, "c").code == 0);
  const fs::path summary = folder / "c" / "runs/t/a/seed-2/summary.json";
  auto json = nlohmann::ordered_json::parse(read_file(summary.string()));
  const auto parameters = json["params"].get<std::int64_t>();
  json["params"] = parameters + 7;
  write_file(summary.string(), json.dump());
  const Outcome wrong = compared(folder, suite, "c");
  CHECK(wrong.code == 1);
  CHECK_MESSAGE(wrong.out.find(fmt::format("the plan has {} parameters for this arm, and its run "
                                           "had {}",
                                           parameters, parameters + 7)) != std::string::npos,
                wrong.out);
  CHECK(comparison_results(folder / "c")["contrasts"][0]["reason"] == "failed_runs");
}

TEST_CASE("texts of a comparison have a test split that nothing was chosen by") {
  const TempFolder folder;
  const std::string suite = tiny_suite(
      folder, "steps = 4\n", kWideMargin + "tuning_seeds = 2\nlr_factors = [0.5, 1, 2]\n");
  REQUIRE(compared(folder, suite, "c").code == 0);
  const auto config =
      nlohmann::json::parse(read_file((folder / "c" / "runs/t/a/seed-1/config.json").string()));
  CHECK(config["test_share"] == 0.5);
  const auto summary =
      nlohmann::json::parse(read_file((folder / "c" / "runs/t/a/seed-1/summary.json").string()));
  CHECK(summary["val_loss"] != summary["test_loss"]);
  const auto json = comparison_results(folder / "c");
  CHECK(json["cells"][0]["runs"][0]["value"] == summary["test_loss"]);
  // Each rate with each tuning seed, none of them a seed of the comparison; no test figure there.
  std::set<std::int64_t> seeds;
  for (const auto& seed : json["budget"]["tuning_seeds"]) seeds.insert(seed.get<std::int64_t>());
  CHECK(seeds.size() == 2);
  for (const auto& tried : json["cells"][0]["tried"]) {
    double sum = 0;
    for (const std::int64_t seed : seeds) {
      CHECK((seed < 1 || seed > 6));
      const auto one = nlohmann::json::parse(read_file(
          (folder / "c" /
           fmt::format("runs/t/a/try-{}-seed-{}/summary.json", tried["factor"].get<double>(), seed))
              .string()));
      CHECK_FALSE(one.contains("test_loss"));
      sum += one["val_loss"].get<double>();
    }
    CHECK(tried["value"].get<double>() == sum / 2);
  }
  // Plain runs keep the whole of their last tenth to validate on.
  CHECK(train::TextConfig().test_share == 0);
  std::string text = read_file(suite);
  text.replace(text.find("test_loss"), 9, "val_loss");
  write_file(suite, text);
  const Outcome refused = compared(folder, suite, "d");
  CHECK(refused.code == 2);
  CHECK_MESSAGE(refused.err.find("val_loss is of the validation split, by which learning rates are "
                                 "chosen: arms are judged by test data; write test_loss") !=
                    std::string::npos,
                refused.err);
}

TEST_CASE("a best learning rate at the end of seven is said wherever its arm is judged") {
  const TempFolder folder;
  // So few steps that the largest rate is best.
  const std::string suite = tiny_suite(
      folder, "steps = 3\nwarmup = 0\n",
      kWideMargin +
          "tuning_seeds = 1\nlr_factors = [0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.02]\n");
  const Outcome done = compared(folder, suite, "c");
  REQUIRE_MESSAGE(done.code == 0, done.err);
  const auto json = comparison_results(folder / "c");
  CHECK(json["cells"][0]["tried"].size() == 7);
  CHECK(json["cells"][0]["grid_end"] == "largest");
  CHECK_MESSAGE(done.out.find("The best learning rate of `a` was the largest that was tried") !=
                    std::string::npos,
                done.out);
  CHECK(read_file((folder / "c" / "report.html").string()).find("was the largest that was tried") !=
        std::string::npos);
}

TEST_CASE("a placebo is the same arm with other weights, and sees the same batches") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 4\n", kWideMargin);
  std::string text = read_file(suite);
  text += "[[arm]]\nname = \"a-again\"\nplacebo = true\n";
  write_file(suite, text);
  CHECK(compared(folder, suite, "c").err.find("no [[contrast]] judges it against a on task t") !=
        std::string::npos);
  text.replace(text.find("seeds = 6"), 9, "seeds = 7");
  text += "[[contrast]]\ntask = \"t\"\na = \"a-again\"\nb = \"a\"\nquestion = \"?\"\n";
  write_file(suite, text);
  const Outcome done = compared(folder, suite, "c");
  REQUIRE_MESSAGE(done.code == 0, done.err);
  const auto json = comparison_results(folder / "c");
  CHECK(json["cells"][0]["values"] != json["cells"][2]["values"]);
  CHECK(json["cells"][0]["parameters"] == json["cells"][2]["parameters"]);
  for (const auto& pairing : json["tasks"][0]["pairing"]) {
    CHECK(pairing["equal"] == true);
    CHECK(pairing["runs"] == 3);
  }
  REQUIRE(json["controls"].size() == 1);
  CHECK(json["controls"][0]["expect"] == "placebo");
  CHECK(json["controls"][0]["against"] == "a");
  text.replace(text.find("placebo = true"), 14, "placebo = true\nset = { heads = 4 }");
  write_file(suite, text);
  CHECK(compared(folder, suite, "d").err.find("its choices are no other arm's on task t") !=
        std::string::npos);
}

TEST_CASE("looks that were not declared are remembered, and marked as repeated") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 4\n", kWideMargin);
  const Outcome first = compared(folder, suite, "c");
  REQUIRE(first.code == 0);
  CHECK(first.out.find("Repeated looks") == std::string::npos);
  const auto kept = fs::last_write_time(folder / "c" / "runs/t/a/seed-3/summary.json");
  const Outcome again = compared(folder, suite, "c", {"--seeds", "7"});
  REQUIRE_MESSAGE(again.code == 0, again.err);
  CHECK(fs::last_write_time(folder / "c" / "runs/t/a/seed-3/summary.json") == kept);
  CHECK_MESSAGE(again.out.find("Repeated looks: the results were read once at a number of seeds "
                               "that was not declared") != std::string::npos,
                again.out);
  CHECK(comparison_results(folder / "c")["looked"] == std::vector<std::int64_t>{6, 7});
  // Also for who goes back to fewer.
  CHECK(compared(folder, suite, "c").out.find("Repeated looks") != std::string::npos);
  CHECK(compared(folder, suite, "d", {"--seeds", "7"}).out.find("Repeated looks") ==
        std::string::npos);
  const std::string declared = tiny_suite(folder, "steps = 4\n", kWideMargin + "looks = [6, 7]\n");
  std::string text = read_file(declared);
  text.replace(text.find("seeds = 6"), 9, "seeds = 7");
  write_file(declared, text);
  CHECK(compared(folder, declared, "e", {"--seeds", "6"}).code == 0);
  const Outcome last = compared(folder, declared, "e");
  CHECK(last.code == 0);
  CHECK(last.out.find("Repeated looks") == std::string::npos);
}

TEST_CASE("--check says what each arm costs, and what is not equal") {
  const TempFolder folder;
  const std::string suite = image_suite(folder, "equal = \"steps\"\n", "epochs = 3\n");
  const Outcome text = weft_with(folder, {"compare", suite, "--check"});
  REQUIRE_MESSAGE(text.code == 0, text.err);
  for (const char* word : {"parameters", "training FLOPs", "mlp", "cnn", "unequal: parameters (",
                           "about", "nothing was run"})
    CHECK_MESSAGE(text.out.find(word) != std::string::npos, word);
  const auto json =
      nlohmann::json::parse(weft_with(folder, {"compare", suite, "--check", "--json"}).out);
  REQUIRE(json["cells"].size() == 2);
  for (const auto& cell : json["cells"]) {
    CHECK(cell["steps"] == 15);
    CHECK(cell["seconds"] > 0);
    CHECK(cell["parameters"] > 0);
  }
  CHECK_FALSE(fs::exists(folder / "runs"));
}

TEST_CASE("two intervals: by seeds, and by seeds and test rows where these are one sample") {
  const TempFolder folder;
  REQUIRE(compared(folder, image_suite(folder, "equal = \"steps\"\n", "epochs = 3\n"), "c").code ==
          0);
  const auto json = comparison_results(folder / "c");
  CHECK(json["tasks"][0]["test_rows"] == 9);
  for (const auto& cell : json["cells"]) {
    CHECK(fs::exists(fs::path(cell["runs"][0]["folder"].get<std::string>()) /
                     "test_predictions.safetensors"));
    REQUIRE(cell.contains("interval_with_rows"));
    CHECK(cell["interval_with_rows"][0] <= cell["interval"][0]);
    CHECK(cell["interval_with_rows"][1] >= cell["interval"][1]);
  }
  CHECK(json["contrasts"][0].contains("interval_with_rows"));
  CHECK(read_file((folder / "c" / "report.html").string()).find("by seeds and 9 test rows") !=
        std::string::npos);
}

TEST_CASE("a control whose runs failed does not hold, and the comparison ends with an error") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 4\n", kWideMargin);
  std::string text = read_file(suite);
  text.replace(text.find("metric = \"test_loss\""), 20, "metric = \"test_loss\"\nchance = 3");
  text += "[[control]]\narms = [\"a\"]\ntasks = [\"t\"]\nexpect = \"chance\"\nwithin = 9\n";
  write_file(suite, text);
  REQUIRE(compared(folder, suite, "c").out.find("All controls hold.") != std::string::npos);
  for (const int seed : {1, 2, 3, 4, 5}) {
    const fs::path run = folder / "c" / fmt::format("runs/t/a/seed-{}", seed);
    fs::remove_all(run);
    write_file(run.string() + ".failed", "ended by signal 9\n");
  }
  const Outcome failed = compared(folder, suite, "c");
  CHECK(failed.code == 1);
  CHECK(failed.out.find("All controls hold.") == std::string::npos);
  CHECK_MESSAGE(failed.out.find("this cannot be judged, for 5 of its 6 runs have no figure") !=
                    std::string::npos,
                failed.out);
}

TEST_CASE("several budgets train as many times the steps") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 4\n", kWideMargin + "budgets = [1, 2]\n");
  std::string text = read_file(suite);
  text.replace(text.find("seeds = 6"), 9, "seeds = 7");
  write_file(suite, text);
  REQUIRE(compared(folder, suite, "c").code == 0);
  const auto json = comparison_results(folder / "c");
  REQUIRE(json["cells"].size() == 4);
  CHECK(json["cells"][0]["steps"] == 4);
  CHECK(json["cells"][2]["steps"] == 8);
  CHECK(json["tasks"][1]["base"] == "t");
  CHECK(json["contrasts"].size() == 2);
}

TEST_CASE("seconds, memory and throughput are metrics, and rates are chosen by the loss") {
  const TempFolder folder;
  for (const auto& [metric, key] : {std::pair{"train_seconds", "train_seconds"},
                                    {"peak_mib", "peak_mib"},
                                    {"throughput", "tokens_per_s"}}) {
    CAPTURE(metric);
    const std::string suite = tiny_suite(folder, "steps = 4\n",
                                         kWideMargin + "tuning_seeds = 1\nlr_factors = [0.5, 1]\n");
    std::string text = read_file(suite);
    text.replace(text.find("test_loss"), 9, metric);
    write_file(suite, text);
    REQUIRE(compared(folder, suite, metric).code == 0);
    const auto json = comparison_results(folder / metric);
    const auto& run = json["cells"][0]["runs"][0];
    const auto summary =
        nlohmann::json::parse(read_file(run["folder"].get<std::string>() + "/summary.json"));
    CHECK(run["value"] == summary[key]);
    CHECK(json["tasks"][0]["lower_is_better"] == (std::string(metric) != "throughput"));
    CHECK(json["cells"][0]["curve"]["figure"] == "val_loss");
    CHECK(json["cells"][0]["tried"][0]["value"].get<double>() > 1);  // nats
    CHECK_FALSE(json["cells"][0].contains("interval_with_rows"));
  }
}

TEST_CASE("data that lie beside a suite are found from anywhere") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 4\n", kWideMargin);
  std::string text = read_file(suite);
  const std::string data = (folder / "text.txt").string();
  REQUIRE(text.find(data) != std::string::npos);
  text.replace(text.find(data), data.size(), "text.txt");
  write_file(suite, text);
  CHECK(compared(folder, suite, "c").code == 0);
  text.replace(text.find("text.txt"), 8, "none.txt");
  write_file(suite, text);
  CHECK(compared(folder, suite, "d").code != 0);
}

TEST_CASE("--against says whether an earlier comparison is repeated") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 4\n", kWideMargin);
  REQUIRE(compared(folder, suite, "c").code == 0);
  REQUIRE(
      weft_with(folder, {"report", (folder / "c").string(), "--tables", (folder / "kept").string()})
          .code == 0);
  const std::string kept = (folder / "kept" / "results.json").string();
  CHECK(fs::exists(folder / "kept" / "figures.tex"));
  const Outcome same = compared(folder, suite, "d", {"--against", kept});
  CHECK(same.code == 0);
  CHECK_MESSAGE(same.err.find("the same bits in every run") != std::string::npos, same.err);
  const Outcome other = compared(folder, suite, "e", {"--seeds", "7", "--against", kept});
  CHECK(other.code == 1);
  CHECK(other.err.find("2 runs are of one of the two alone") != std::string::npos);
}

TEST_CASE("no shipped suite carries a label, and its arms spend what the budget says") {
  for (const EmbeddedFile& shipped : compare::shipped_suites()) {
    CAPTURE(shipped.name);
    const compare::Suite suite =
        compare::parse_suite(shipped.text, std::string(shipped.name) + ".toml");
    CHECK(suite.tuning_seeds >= 3);
    for (const compare::Task& task : suite.tasks)
      CHECK((task.metric.name.starts_with("test_") || compare::is_cost(task.metric.name) ||
             !task.metric.expression.empty()));
  }
}
