#include <doctest/doctest.h>

#include <limits>

#include "train/compare/sentence.h"

using namespace weft::compare;

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kEndless = std::numeric_limits<double>::infinity();

/// `full` against `diagonal`, clearly better.
Statement clear_case() {
  Statement s{
      .task = "different", .a = "full", .b = "diagonal", .metric = "test_accuracy", .margin = 0.02};
  s.expected = Verdict::better;
  s.finding.difference = {
      .seeds = 8, .mean = 0.3125, .deviation = 0.04, .interval = {0.281, 0.343}};
  s.finding.p_adjusted = 0.046875;
  s.finding.detectable = 0.0756;
  s.finding.verdict = Verdict::better;
  s.finding.reason = Reason::different;
  return s;
}

Statement open_case(Reason reason) {
  Statement s = clear_case();
  s.finding.difference = {.seeds = 8, .mean = -0.01, .deviation = 0.04, .interval = {-0.04, 0.02}};
  s.finding.p_adjusted = 0.5;
  s.finding.verdict = Verdict::undecided;
  s.finding.reason = reason;
  s.expected.reset();
  return s;
}

void check(const Phrase& phrase, const std::string& en, const std::string& zh) {
  CHECK(phrase.en == en);
  CHECK(phrase.zh == zh);
}

}  // namespace

TEST_CASE("better and worse, with what was expected") {
  Statement s = clear_case();
  check(verdict_sentence(s),
        "`full` is better than `diagonal` on `different`: +0.31 accuracy (95 % interval 0.28 to "
        "0.34, adjusted p = 0.047, 8 seeds); as expected.",
        "`full` 在 `different` 上优于 `diagonal`：准确率相差 +0.31（95% 区间 0.28 至 0.34，校正后 "
        "p = 0.047，8 个种子）；符合预期。");
  s.expected = Verdict::worse;
  CHECK(verdict_sentence(s).en.ends_with("; expected: worse, and we saw the opposite."));
  s.expected = Verdict::equivalent;
  CHECK(verdict_sentence(s).en.ends_with("; expected: no difference, and we saw one."));
  s.expected.reset();
  CHECK(verdict_sentence(s).en.ends_with("8 seeds)."));
  s.unequal = true;
  CHECK(verdict_sentence(s).en.starts_with("Unequal budgets: `full` is better"));
  CHECK(verdict_sentence(s).zh.starts_with("（预算不等）`full`"));

  s = clear_case();
  s.metric = "bits_per_byte";
  s.lower_is_better = true;
  s.finding.difference = {
      .seeds = 12, .mean = 0.05, .deviation = 0.01, .interval = {0.0451, 0.0562}};
  s.finding.p_adjusted = 1e-6;
  s.finding.verdict = Verdict::worse;
  check(verdict_sentence(s),
        "`full` is worse than `diagonal` on `different`: +0.050 bits per byte, lower is better (95 "
        "% interval 0.045 to 0.056, adjusted p < 0.0001, "
        "12 seeds); "
        "expected: better, and we saw the opposite.",
        "`full` 在 `different` 上不如 `diagonal`：每字节比特数（越低越好）相差 +0.050（95% 区间 "
        "0.045 至 0.056，校正后 p < 0.0001，12 "
        "个种子）；预期更优，我们看到的却相反。");
}

TEST_CASE("a difference that is sure, and too small to matter, is called so") {
  Statement s = clear_case();
  s.finding.difference = {
      .seeds = 8, .mean = 0.0022, .deviation = 0.002, .interval = {0.0007, 0.0042}};
  s.finding.p_equivalence_adjusted = 0.023;
  check(
      verdict_sentence(s),
      "`full` is better than `diagonal` on `different`: +0.0022 accuracy, sure but within the "
      "margin of 0.02 (95 % interval 0.0007 to 0.0042, adjusted p = 0.047, 8 seeds); as expected.",
      "`full` 在 `different` 上优于 `diagonal`：准确率相差 +0.0022，差异确凿，但在 ±0.02 "
      "的等效界限之内（95% 区间 0.0007 至 0.0042，校正后 p = 0.047，8 个种子）；符合预期。");
  s.finding.p_equivalence_adjusted = 0.3;
  CHECK(verdict_sentence(s).en.find("margin") == std::string::npos);
}

TEST_CASE("as good as") {
  Statement s = clear_case();
  s.finding.difference = {
      .seeds = 8, .mean = -0.001, .deviation = 0.004, .interval = {-0.004, 0.006}};
  s.finding.p_equivalence_adjusted = 0.0078125;
  s.finding.verdict = Verdict::equivalent;
  s.finding.reason = Reason::within_margin;
  check(verdict_sentence(s),
        "`full` is as good as `diagonal` on `different`: \u22120.001 accuracy, within the margin "
        "of 0.02 (95 % interval \u22120.004 to 0.006, "
        "adjusted equivalence p = 0.0078, 8 "
        "seeds); expected: better, and we did not see it.",
        "`full` 与 `diagonal` 在 `different` 上相当：准确率相差 \u22120.001，在 ±0.02 "
        "的等效界限之内（95% 区间 \u22120.004 至 "
        "0.006，校正后等效性检验 p = 0.0078，8 个种子）；"
        "预期更优，但我们没有看到。");
}

TEST_CASE("undecided, and why") {
  Statement s = open_case(Reason::not_significant);
  check(verdict_sentence(s),
        "`full` against `diagonal` on `different` is undecided: \u22120.01 accuracy (95 % interval "
        "\u22120.04 to 0.02, adjusted p = 0.5, 8 seeds); a "
        "true difference of 0.08 "
        "would have been found with a probability of 80 %.",
        "`full` 与 `diagonal` 在 `different` 上未分高下：准确率相差 \u22120.01（95% 区间 "
        "\u22120.04 至 0.02，校正后 p = 0.5，8 "
        "个种子）；真实差异若达到 0.08，有 80% 的概率会被发现。");
  s.finding.detectable = kEndless;
  CHECK(verdict_sentence(s).en.ends_with(
      "; with so many contrasts 8 seeds cannot find any difference, however large."));
  s.finding.detectable = kNone;
  CHECK(verdict_sentence(s).en.find("nan") == std::string::npos);
  s.expected = Verdict::better;
  CHECK(verdict_sentence(s).en.ends_with("; expected: better, which these seeds do not show."));

  s = open_case(Reason::too_few_seeds);
  s.expected = Verdict::worse;
  s.finding.difference = {
      .seeds = 1, .mean = 0.5, .deviation = 0, .interval = {-kEndless, kEndless}};
  check(verdict_sentence(s),
        "`full` against `diagonal` on `different` is undecided: +0.500 accuracy (adjusted p = 0.5, "
        "1 seed); fewer than six seeds decide nothing; "
        "expected: worse, which stays open.",
        "`full` 与 `diagonal` 在 `different` 上未分高下：准确率相差 +0.500（校正后 p = 0.5，1 "
        "个种子）；不足六个种子，不能下任何结论；预期更差，目前无从判断。");

  s = open_case(Reason::failed_runs);
  s.finding.difference.seeds = 7;
  s.finding.failed = 1;
  CHECK(verdict_sentence(s).en.find("0.02, 7 seeds); 1 of 8 seeds lacks a figure, and to leave") !=
        std::string::npos);
  CHECK(verdict_sentence(s).zh.find("8 个种子中有 1 个") != std::string::npos);

  s.finding.difference = {
      .seeds = 0, .mean = kNone, .deviation = kNone, .interval = {-kEndless, kEndless}};
  CHECK(verdict_sentence(s).en ==
        "`full` against `diagonal` on `different`: no seed has a figure of both.");

  CHECK(verdict_sentence(open_case(Reason::interval_of_zero))
            .en.find("but the interval holds zero") != std::string::npos);
  CHECK(verdict_sentence(open_case(Reason::interval_of_margin)).en.find("beyond the margin") !=
        std::string::npos);
}

TEST_CASE("controls") {
  ControlStatement c{.task = "same",
                     .arm = "logistic",
                     .metric = "test_accuracy",
                     .expect = Expect::chance,
                     .limit = 0.5,
                     .within = 0.02,
                     .mean = 0.5021,
                     .holds = true};
  check(control_sentence(c),
        "`logistic` is at chance on `same`, as it must be: 0.502 accuracy (within 0.02 of 0.5).",
        "`logistic` 在 `same` 上处于随机水平，理应如此：准确率 0.502（与 0.5 相差不超过 0.02）。");
  c.holds = false;
  c.mean = 0.61;
  c.expect = Expect::ceiling;
  c.limit = 1;
  check(control_sentence(c),
        "`logistic` must be at the ceiling on `same` and is not: 0.610 accuracy (wanted within "
        "0.02 of 1).",
        "`logistic` 在 `same` 上应处于上限，实际并非如此：准确率 0.610（要求与 1 相差不超过 "
        "0.02）。");
  c.mean = kNone;
  CHECK(control_sentence(c).en ==
        "`logistic` must be at the ceiling on `same` (within 0.02 of 1 accuracy): no figure.");
}

TEST_CASE("figures show what is known, and no more") {
  CHECK(decimals_for(0.04) == 2);
  CHECK(decimals_for(0.03) == 2);
  CHECK(decimals_for(0.02) == 3);
  CHECK(decimals_for(0.01) == 3);
  CHECK(decimals_for(0.2) == 2);
  CHECK(decimals_for(30) == 0);
  CHECK(decimals_for(0) == 3);
  CHECK(decimals_for(kEndless) == 3);
  Statement alike = clear_case();
  alike.finding.difference.interval = {-0.000009, 0.000006};
  CHECK(decimals_for(alike) == 4);  // of a margin of 0.02
  CHECK(decimals_for(1e-12) == 6);
  CHECK(figure(-0.0001, 2) == "0.00");
  CHECK(figure(-0.0001, 2, true) == "0.00");
  CHECK(figure(-1.5, 1, true) == "\u22121.5");
  CHECK(figure(kNone, 2) == "\u2013");
  CHECK(p_value(0.5) == "= 0.5");
  CHECK(p_value(1) == "= 1");
  CHECK(plain(0.02) == "0.02");
  CHECK(metric_words("test_accuracy").zh == "准确率");
  CHECK(metric_words("val_edit_distance").en == "edit distance");
}

TEST_CASE("two intervals, and of what is shown for the test set alone") {
  Statement s = clear_case();
  s.expected.reset();
  s.test_rows = 557;
  s.with_rows = {0.1, 0.5};
  check(verdict_sentence(s),
        "`full` is better than `diagonal` on `different`: +0.31 accuracy (95 % interval 0.28 to "
        "0.34 by seeds, 0.10 to 0.50 by seeds and 557 test rows, adjusted p = 0.047, 8 seeds).",
        "`full` 在 `different` 上优于 `diagonal`：准确率相差 +0.31（95% 区间：仅计种子 0.28 至 "
        "0.34，兼计 557 个测试样本 0.10 至 0.50，校正后 p = 0.047，8 个种子）。");
  s.with_rows = {-0.01, 0.63};
  CHECK(verdict_sentence(s).en.starts_with(
      "`full` is better than `diagonal` on the test set of `different`: +0.31"));
  CHECK(verdict_sentence(s).en.ends_with(
      "With other test rows the interval holds zero: for the task this is not shown."));
  CHECK(verdict_sentence(s).zh.find("`different` 的测试集 上优于") != std::string::npos);
  s.finding.verdict = Verdict::equivalent;
  s.finding.difference.interval = {-0.01, 0.01};
  s.with_rows = {-0.03, 0.03};
  CHECK(verdict_sentence(s).en.find("as good as `diagonal` on the test set of `different`") !=
        std::string::npos);
  CHECK(verdict_sentence(s).en.ends_with("beyond the margin: for the task this is not shown."));
  s.with_rows = {-0.015, 0.015};
  CHECK(verdict_sentence(s).en.find("test set of") == std::string::npos);
  s = clear_case();
  s.fresh_test = true;
  CHECK(verdict_sentence(s).en.find("0.28 to 0.34 by seeds and test rows of their own") !=
        std::string::npos);
}

TEST_CASE("what a reader must know of learning rates and looks stands behind the verdict") {
  Statement s = clear_case();
  s.expected.reset();
  CHECK(cautions(s).en.empty());
  s.grid_end_a = "largest";
  CHECK(verdict_sentence(s).en.ends_with(
      "The best learning rate of `full` was the largest that was tried: a larger one may be "
      "better."));
  s.grid_end_a = "inside";
  s.grid_end_b = "smallest";
  CHECK(verdict_sentence(s).en.ends_with(
      "The best learning rate of `diagonal` was the smallest that was tried: a smaller one may be "
      "better."));
  s.grid_end_b = "inside";
  s.repeated_looks = 2;
  CHECK(verdict_sentence(s).en.ends_with(
      "Repeated looks: the results were read 2 times at numbers of seeds that were not declared, "
      "so that the p-value is too small."));
}

TEST_CASE("arms whose runs fail now and then are spoken of as typical runs") {
  Statement s = clear_case();
  s.expected.reset();
  s.may_fail = true;
  CHECK(verdict_sentence(s).en.starts_with(
      "`full` is better than `diagonal` on `different` in a typical run: +0.31"));
  CHECK(
      verdict_sentence(s).en.ends_with("and 8 seeds without a failure do not exclude one in up to "
                                       "31 % of runs."));
  CHECK(verdict_sentence(s).zh.find("高达 31% 的失败率") != std::string::npos);
  s.may_fail = false;
  s.runs_b = {.runs = 8, .split = true, .below = 0.66, .above = 0.84, .below_count = 3};
  CHECK(verdict_sentence(s).en.find("in a typical run") != std::string::npos);
  CHECK(verdict_sentence(s).en.find("The mean of `diagonal` describes no run: 3 of 8 are at 0.660 "
                                    "or below, the others at 0.840 or above.") !=
        std::string::npos);
}

TEST_CASE("verdicts that change with the budget, equivalence at the ends, differences of zero") {
  Statement s = clear_case();
  s.expected.reset();
  s.other_budgets = {{.multiple = 4, .verdict = Verdict::better, .mean = 0.3}};
  CHECK(cautions(s).en.empty());
  s.other_budgets[0] = {.multiple = 4, .verdict = Verdict::equivalent, .mean = 0.003};
  CHECK(verdict_sentence(s).en.ends_with(
      "The verdict changes with the budget: at 4 times the training it is equivalent (+0.003)."));
  s = clear_case();
  s.finding.verdict = Verdict::equivalent;
  s.both_at = "chance";
  CHECK(
      verdict_sentence(s).en.find("Both are at chance: a task on which they could differ may still "
                                  "distinguish them.") != std::string::npos);
  s = open_case(Reason::not_significant);
  s.finding.difference = {.seeds = 8, .mean = 0, .deviation = 0, .interval = {0, 0}};
  s.finding.detectable = 0;
  CHECK(verdict_sentence(s).en.find("true difference of 0.000") == std::string::npos);
  CHECK(verdict_sentence(s).en.find("all differences are 0, which does not tell") !=
        std::string::npos);
}

TEST_CASE("controls with failed runs cannot be judged, and placebos are controls") {
  ControlStatement c{.task = "same",
                     .arm = "logistic",
                     .metric = "test_accuracy",
                     .expect = Expect::chance,
                     .limit = 0.5,
                     .within = 0.05,
                     .mean = 0.5,
                     .lacking = 7,
                     .runs = 8};
  CHECK(control_sentence(c).en ==
        "`logistic` must be at chance on `same` (within 0.05 of 0.5 accuracy): this cannot be "
        "judged, for 7 of its 8 runs have no figure.");
  CHECK_FALSE(is_judged(c));
  ControlStatement placebo{.task = "same",
                           .arm = "again",
                           .metric = "test_accuracy",
                           .expect = Expect::placebo,
                           .mean = 0.001,
                           .holds = true,
                           .runs = 8,
                           .against = "full"};
  CHECK(control_sentence(placebo).en ==
        "`again` does not differ from `full` on `same`, of which it is a placebo: +0.0010 "
        "accuracy.");
  placebo.holds = false;
  CHECK(control_sentence(placebo).en.find("is called better or worse") != std::string::npos);
  placebo.lacking = 2;
  CHECK(control_sentence(placebo).zh.find("8 次运行中有 2 次没有结果") != std::string::npos);
}
