// Suite files: what a good one says, and that every mistake is refused with its line.
#include <doctest/doctest.h>

#include <cmath>

#include "core/io/file.h"
#include "tests/compare/sample_suite.h"
#include "tests/core/error_text.h"
#include "tests/train/tiny_runs.h"
#include "train/compare/suite.h"

using namespace weft;
using namespace weft::compare;
using weft::test::error_text;

using namespace weft::compare::sample;

TEST_CASE("a suite says what it says") {
  const Suite s = good();
  CHECK(s.name == "heads");
  CHECK(s.question.en == "Do more heads help?");
  CHECK(s.question.zh == "头多有用吗？");
  CHECK(s.seeds == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(s.alpha == 0.05);
  CHECK(s.lr_factors == std::vector<double>{0.5, 1, 2});
  CHECK(s.budget.equal == Equal::parameters);
  CHECK(s.budget.reference == "one");
  CHECK(s.preset == "text-best");
  CHECK(s.choices.size() == 3);
  REQUIRE(s.tasks.size() == 2);
  CHECK(s.tasks[0].metric.name == "test_loss");
  CHECK(s.tasks[0].metric.lower_is_better);
  CHECK(s.tasks[0].margin == 0.01);
  CHECK(s.tasks[0].about.zh == "characters");
  CHECK(s.tasks[1].margin == 0.2);
  CHECK(s.tasks[1].where == "s.toml:26");
  CHECK_FALSE(s.tasks[1].chance.has_value());
  REQUIRE(s.arms.size() == 3);
  CHECK(s.arm("four").choices.size() == 2);
  CHECK(s.arm("four").tasks == std::vector<std::string>{"shakespeare", "tang"});
  CHECK(s.arm("wide").tasks == std::vector<std::string>{"tang"});
  REQUIRE(s.contrasts.size() == 2);
  CHECK(s.contrasts[0].expected == Verdict::better);
  CHECK_FALSE(s.contrasts[1].expected.has_value());
  CHECK(s.controls.size() == 1);
  CHECK(s.text.find("[quick]") != std::string::npos);
  CHECK_THROWS_WITH_AS(s.arm("fuor"), "[s.toml] there is no arm fuor; did you mean four?",
                       ConfigError);
}

TEST_CASE("the choices of a run are base, task and arm, the later over the earlier") {
  const Suite s = good();
  const auto config = [&](const char* task, const char* arm) {
    return train::resolve<train::TextConfig>(sources(s, s.task(task), s.arm(arm)));
  };
  CHECK(config("shakespeare", "one").steps == 50);
  CHECK(config("tang", "one").steps == 60);
  CHECK(config("tang", "one").data == "tang");
  CHECK(config("tang", "one").optimizer == "muon");  // of the preset
  CHECK(test::value(config("tang", "wide"), "width") == "64");
  CHECK(test::value(config("shakespeare", "four"), "heads") == "4");
  CHECK(config("shakespeare", "four").lr == 3e-3);
  CHECK_FALSE(width_is_solved(s, s.arm("one")));  // the reference
  CHECK(width_is_solved(
      s, s.arm("four")));  // width 30 is not divisible by four heads, and need not be
  CHECK_FALSE(width_is_solved(s, s.arm("wide")));
  CHECK(is_equal(s, s.arm("four")));
  CHECK_FALSE(is_equal(s, s.arm("wide")));
}

TEST_CASE("the quick form keeps what it names, and its choices win") {
  const Suite s = quick_form(good());
  CHECK(s.seeds.size() == 6);
  CHECK(s.seeds[0] == 3);
  CHECK(s.tasks.size() == 1);
  CHECK(s.arms.size() == 2);
  CHECK(s.contrasts.size() == 1);
  CHECK(s.controls.size() == 1);
  CHECK(train::resolve<train::TextConfig>(sources(s, s.tasks[0], s.arms[0])).steps == 5);
  CHECK_THROWS_WITH_AS(quick_form(s), "[s.toml] suite heads has no quick form: it has no [quick]",
                       ConfigError);
}

TEST_CASE("seeds may be set from outside, and must still decide something") {
  CHECK(with_seeds(good(), 10).seeds.size() == 10);
  CHECK(error_text<ConfigError>([] { with_seeds(good(), 6); }) ==
        "[--seeds] 6 seeds can decide none of 2 contrasts: their smallest p-value is 0.031, Holm's "
        "first step asks for 0.05 / 2 = 0.025; take 7 seeds, or keep 1 contrast");
  CHECK(error_text<ConfigError>([] { with_seeds(good(), 0); }) ==
        "[--seeds] must be 1 to 1000, got 0");
}

TEST_CASE("a suite is read from a file") {
  const test::TempFolder folder;
  const std::string path = (folder / "a.toml").string();
  write_file(path, kSuite);
  CHECK(load_suite(path).name == "heads");
  CHECK_THROWS_AS(load_suite(folder / "none.toml"), IoError);
  write_file(path, "name = \n");
  CHECK(error_text<ConfigError>([&] {
          load_suite(path);
        }).starts_with("[" + path + ":1] is not TOML:"));
}

TEST_CASE("keys: unknown, missing, of another type, out of range") {
  CHECK(error_of("seeds = 8", "seads = 8") ==
        "[s.toml:4] unknown key seads in the suite; did you mean seeds?");
  CHECK(error_of("metric = \"test_loss\"", "metrics = \"test_loss\"") ==
        "[s.toml:21] unknown key metrics in [[task]]; did you mean metric?");
  CHECK(error_of("unequal = true", "xyzzy = true") ==
        "[s.toml:43] unknown key xyzzy in [[arm]]; it has name, about, set, tasks, unequal, "
        "placebo");
  CHECK(error_of("question = { en", "margins = { en") ==
        "[s.toml:2] unknown key margins in the suite; did you mean margin?");
  CHECK(error_of("question = { en = \"Do more heads help?\", zh = \"头多有用吗？\" }", "") ==
        "[s.toml] the suite needs a question: the one sentence that it answers");
  CHECK(error_of("question = \"Is wide better?\"", "") ==
        "[s.toml:56] [[contrast]] has no question");
  CHECK(error_of("metric = \"test_loss\"", "") == "[s.toml:18] [[task]] has no metric");
  const std::string metric_error = error_of("metric = \"test_loss\"", "metric = \"test_los\"");
  CHECK(metric_error.starts_with(
      "[s.toml:21] metric must be one of test_loss, test_bits_per_byte, test_accuracy, "));
  CHECK(metric_error.ends_with(", got test_los; did you mean test_loss?"));
  CHECK(error_of("margin = 0.01", "margin = -1") ==
        "[s.toml:5] margin must be from 0 to 1000000000, got -1");
  CHECK(error_of("margin = 0.01", "margin = nan") ==
        "[s.toml:5] margin must be from 0 to 1000000000, got nan");
  CHECK(error_of("margin = 0.01", "margin = \"1\"") == "[s.toml:5] margin must be a number");
  CHECK(error_of("margin = 0.01", "alpha = 0") ==
        "[s.toml:5] alpha must be from 1e-06 to 0.5, got 0");
  CHECK(error_of("unequal = true", "unequal = 1") == "[s.toml:43] unequal must be true or false");
  CHECK(error_of("name = \"heads\"", "name = \"../heads\"") ==
        "[s.toml:1] name must be 1 to 64 letters, digits, dots, dashes or underscores, beginning "
        "with none of .-, got ../heads");
  const std::string kind_error = error_of("kind = \"text\"", "kind = \"texts\"");
  CHECK(kind_error.starts_with("[s.toml:3] kind must be one of text, vision, "));
  CHECK(kind_error.ends_with(", got texts; did you mean text?"));
  CHECK(error_of("zh = \"头", "cn = \"头").starts_with("[s.toml:2] unknown key cn in question;"));
  CHECK(error_of("tasks = [\"tang\"]", "tasks = []") == "[s.toml:44] tasks is an empty list");
  CHECK(error_of("tasks = [\"tang\"]", "tasks = [\"tang\", \"tang\"]") ==
        "[s.toml:44] tasks names tang twice");
  CHECK(error_of("tasks = [\"tang\"]", "tasks = \"tang\"") ==
        "[s.toml:44] tasks must be a list of names, or \"all\"");
}

TEST_CASE("tables written the wrong way") {
  CHECK(suite_error("[task]\nname = \"a\"\n") == "[s.toml:1] the suite has no name");
  CHECK(error_of("[[control]]", "[control]") ==
        "[s.toml:62] write [[control]], in two pairs of brackets: a suite may have several");
  CHECK(error_of("[quick]", "[[quick]]") == "[s.toml:68] quick must be a table, under [quick]");
  CHECK(error_of("set = { heads = 4, lr = 3e-3 }", "set = 4") ==
        "[s.toml:39] set must be a table of choices: set = { heads = 4 }");
  CHECK(error_of("heads = 4", "heads = [4]") ==
        "[s.toml:39] heads must be a number, a text, true or false");
  CHECK(suite_error("") == "[s.toml:1] the suite has no name");
}

TEST_CASE("seeds and learning rates") {
  CHECK(error_of("seeds = 8", "seeds = []") ==
        "[s.toml:4] the list of seeds is empty; write seeds = 8, or a list");
  CHECK(error_of("seeds = 8", "seeds = [1, 2, 3, 4, 5, 6, 7, 1]") ==
        "[s.toml:4] a seed is given twice");
  CHECK(error_of("seeds = 8", "seeds = [1.5]") == "[s.toml:4] seeds must be whole numbers");
  CHECK(error_of("seeds = 8", "seeds = 0") == "[s.toml:4] seeds must be from 1 to 1000, got 0");
  CHECK(error_of("seeds = 8", "seeds = 1e12") ==
        "[s.toml:4] seeds must be from 1 to 1000, got 1000000000000");
  CHECK(error_of("seeds = 8", "seeds = 3") ==
        "[s.toml:4] 3 seeds can decide nothing: under 6 nothing is called better; for 2 contrasts "
        "at alpha 0.05, take 7 seeds");
  CHECK(error_of("seeds = 8", "seeds = 6").find("6 seeds can decide none of 2 contrasts") !=
        std::string::npos);
  CHECK(error_of("lr_factors = [0.5, 1, 2]", "lr_factors = []") ==
        "[s.toml:6] lr_factors is an empty list; leave it out to train at the arms' own rates");
  CHECK(error_of("lr_factors = [0.5, 1, 2]", "lr_factors = [1, 1.0]") ==
        "[s.toml:6] lr_factors has 1 twice");
  CHECK(error_of("lr_factors = [0.5, 1, 2]", "lr_factors = [0]") ==
        "[s.toml:6] lr_factors must be from 1e-06 to 1000000, got 0");
}

TEST_CASE("names: given twice, unknown, absent") {
  CHECK(error_of("name = \"four\"", "name = \"one\"") ==
        "[s.toml:37] two arms are called one; the first is at s.toml:33");
  CHECK(error_of("name = \"tang\"", "name = \"shakespeare\"")
            .starts_with("[s.toml:26] two tasks are called shakespeare"));
  CHECK(error_of("a = \"four\"", "a = \"for\"") ==
        "[s.toml:48] there is no arm for; did you mean four?");
  CHECK(error_of("task = \"shakespeare\"", "task = \"shakespere\"") ==
        "[s.toml:48] there is no task shakespere; did you mean shakespeare?");
  CHECK(error_of("a = \"four\"", "a = \"one\"") ==
        "[s.toml:48] a contrast is between two arms, and both are one");
  CHECK(error_of("a = \"four\"", "a = \"wide\"") ==
        "[s.toml:48] arm wide does not run on task shakespeare");
  CHECK(error_of("task = \"tang\"\na = \"wide\"\nb = \"one\"",
                 "task = \"shakespeare\"\na = \"one\"\nb = \"four\"") ==
        "[s.toml:56] one against four on shakespeare is declared twice");
  CHECK(error_of("tasks = [\"tang\"]", "tasks = [\"tank\"]") ==
        "[s.toml:41] there is no task tank; did you mean tang?");
  CHECK(suite_error(kSuite.substr(0, kSuite.find("[[contrast]]"))) ==
        "[s.toml] a suite needs at least 1 [[contrast]], and has 0");
  CHECK(suite_error(kSuite.substr(0, kSuite.find("[[arm]]"))) ==
        "[s.toml] a suite needs at least 2 [[arm]], and has 0");
}

TEST_CASE("controls, expectations and the quick form") {
  CHECK(
      error_of("arms = [\"one\"]\ntasks = [\"shakespeare\"]", "arms = \"all\"\ntasks = \"all\"") ==
      "[s.toml:62] task tang does not say what its ceiling is: ceiling = NUMBER");
  CHECK(error_of("expect = \"ceiling\"", "expect = \"ceilings\"") ==
        "[s.toml:65] expect must be one of chance, ceiling, got ceilings; did you mean ceiling?");
  CHECK(error_of("arms = [\"one\"]", "arms = [\"wide\"]") ==
        "[s.toml:62] none of these arms runs on any of these tasks");
  CHECK(error_of("arms = [\"one\"]", "arms = [\"on\"]") ==
        "[s.toml:62] there is no arm on; did you mean one?");
  std::string text = changed("expect = \"better\"", "expect = \"equivalent\"");
  text.replace(text.find("margin = 0.01"), 13, "");
  CHECK(suite_error(text) ==
        "[s.toml:48] equivalence is expected, but task shakespeare has no margin: say what "
        "difference is as good as none");
  CHECK(error_of("seeds = [3, 4, 5, 6, 7, 8]", "seeds = 2")
            .starts_with("[s.toml:68] 2 seeds can decide nothing"));
  CHECK(error_of("arms = [\"one\", \"four\"]", "arms = [\"one\"]") ==
        "[s.toml:68] the quick form keeps no contrast: give it the task and both arms of at least "
        "one");
  CHECK(error_of("arms = [\"one\", \"four\"]", "arms = [\"one\", \"for\"]") ==
        "[s.toml:68] there is no arm for; did you mean four?");
  CHECK(error_of("steps = 5 }", "stepz = 5 }") ==
        "[s.toml:72] unknown key stepz; did you mean steps?");
}

TEST_CASE("choices of arms are those of a configuration, and keep pairing and budget") {
  CHECK(error_of("heads = 4", "haeds = 4") == "[s.toml:39] unknown key haeds; did you mean heads?");
  CHECK(error_of("heads = 4", "heads = 0") ==
        "[s.toml:39] heads must be a whole number from 1 up to 10000, got 0");
  CHECK(error_of("heads = 4", "optimizer = \"adamx\"") ==
        "[s.toml:39] optimizer must be one of adamw, sgd, adam, lion, muon, rmsprop, got "
        "adamx; did you "
        "mean adamw?");
  CHECK(error_of("heads = 4", "batch = 4") ==
        "[s.toml:39] an arm may not set batch: every arm sees the same batches; set it in [base] "
        "or in a task");
  CHECK(error_of("heads = 4", "width = 64") ==
        "[s.toml:39] an arm may not set width: the budget solves for it (equal parameters); leave "
        "it out, or label the arm: unequal = true");
  CHECK(error_of("heads = 4", "seed = 4") ==
        "[s.toml:39] seed is set by the comparison; leave it out");
  CHECK(error_of("preset = \"text-best\"", "preset = \"text-bets\"")
            .find("there is no preset text-bets for text: did you mean text-best?") !=
        std::string::npos);
  CHECK(error_of("set = { heads = 4, lr = 3e-3 }", "set = { heads = 1 }") ==
        "[s.toml:37] arms one and four are the same model on task shakespeare: there is nothing to "
        "compare; a placebo says so: placebo = true");
  CHECK(error_of("heads = 1", "heads = 7") ==
        "[s.toml:33] arm one on task shakespeare: width must be divisible by heads: width 30, "
        "heads 7; choose a width of 28, or a --head-size");
}

TEST_CASE("budgets: one thing is equal, or nothing and it is said") {
  const auto budget_error = [](const std::string& to) {
    return error_of("equal = \"parameters\"\nreference = \"one\"", to);
  };
  CHECK(budget_error("") ==
        "[s.toml:8] a comparison says what is equal between its arms: equal = \"parameters\", "
        "\"flops\", \"steps\" or \"seconds\"; if nothing is, unequal = true");
  CHECK(budget_error("equal = \"flop\"") ==
        "[s.toml:9] equal must be one of parameters, flops, steps, seconds, got flop; did you mean "
        "flops?");
  CHECK(budget_error("equal = \"parameters\"") ==
        "[s.toml:8] equal parameters expects an amount, or the arm that is the reference, and not "
        "both");
  CHECK(budget_error("equal = \"parameters\"\namount = 1000\nreference = \"one\"") ==
        "[s.toml:8] equal parameters expects an amount, or the arm that is the reference, and not "
        "both");
  CHECK(budget_error("equal = \"parameters\"\nreference = \"onne\"") ==
        "[s.toml:8] there is no arm onne; did you mean one?");
  CHECK(budget_error("equal = \"seconds\"") == "[s.toml:8] equal seconds expects an amount");
  CHECK(budget_error("equal = \"steps\"\namount = 5") ==
        "[s.toml:8] an amount has no effect with steps: [base] says how long all arms train");
  CHECK(
      budget_error("equal = \"steps\"\ntolerance = 0.05") ==
      "[s.toml:10] a tolerance is for equal parameters, FLOPs or seconds; steps are equal or not");
  CHECK(budget_error("equal = \"parameters\"\namount = 1000\ntolerance = 0.5") ==
        "[s.toml:11] tolerance must be from 0 to 0.1, got 0.5");
  CHECK(budget_error("equal = \"steps\"\nunequal = true") ==
        "[s.toml:9] equal and unequal = true contradict each other: remove one of the two");
  CHECK(budget_error("equal = \"steps\"\nreference = \"one\"") ==
        "[s.toml:8] a reference is for equal parameters or flops; this budget is steps");
  std::string text = changed("equal = \"parameters\"\nreference = \"one\"", "equal = \"steps\"");
  text.replace(text.find("heads = 4"), 9, "steps = 4");
  CHECK(suite_error(text).find(
            "an arm may not set steps: the budget makes the arms equal in steps") !=
        std::string::npos);
  text = changed("equal = \"parameters\"\nreference = \"one\"", "unequal = true");
  text.replace(text.find("heads = 4"), 9, "heads = 5");
  const Suite s = parse_suite(text, "s.toml");
  CHECK(s.budget.equal == Equal::none);
  CHECK_FALSE(is_equal(s, s.arm("one")));
  CHECK_FALSE(width_is_solved(s, s.arm("four")));
}

TEST_CASE("a vision suite knows vision's choices") {
  const std::string text = R"(name = "v"
question = "?"
kind = "vision"
seeds = 6
[budget]
equal = "steps"
[base]
epochs = 1
[[task]]
name = "mnist"
metric = "test_accuracy"
[[arm]]
name = "vit"
[[arm]]
name = "cnn"
set.model = "cnn"
[[contrast]]
task = "mnist"
a = "vit"
b = "cnn"
question = "Is a small ViT worse than a CNN?"
)";
  const Suite s = parse_suite(text, "v.toml");
  CHECK_FALSE(s.tasks[0].metric.lower_is_better);
  CHECK(test::value(train::resolve<train::VisionConfig>(sources(s, s.tasks[0], s.arms[1])),
                    "width") == "128");
  std::string wrong = text;
  wrong.replace(wrong.find("epochs = 1"), 10, "context = 1");
  CHECK(suite_error(wrong).starts_with("[s.toml:8] unknown key context"));
}

TEST_CASE("controls hold within their distance, on the right side") {
  const Task accuracy{
      .name = "t", .metric = {"test_accuracy", false}, .chance = 0.5, .ceiling = 1.0};
  const Task loss{.name = "t", .metric = {"test_loss", true}, .chance = 0.7, .ceiling = 0.1};
  const Control ceiling{.arms = {}, .tasks = {}, .expect = Expect::ceiling, .within = 0.05};
  const Control chance{.arms = {}, .tasks = {}, .expect = Expect::chance, .within = 0.05};
  CHECK(holds(ceiling, accuracy, 0.96));
  CHECK_FALSE(holds(ceiling, accuracy, 0.94));
  CHECK(holds(ceiling, loss, 0.14));
  CHECK(holds(ceiling, loss, 0.02));
  CHECK_FALSE(holds(ceiling, loss, 0.2));
  CHECK(holds(chance, accuracy, 0.46));
  CHECK_FALSE(holds(chance, accuracy, 0.6));
  CHECK_FALSE(holds(chance, accuracy, 0.4));
  CHECK_FALSE(holds(ceiling, accuracy, NAN));
  CHECK_FALSE(holds(chance, accuracy, NAN));
}
