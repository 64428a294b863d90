#include "train/compare/sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace weft::compare {
namespace {

constexpr const char* kMinus = "\u2212";

/// A minus sign for the hyphen that a number may begin with.
std::string with_minus(std::string number) {
  return number.starts_with('-') ? kMinus + number.substr(1) : number;
}

std::string en_seeds(std::int64_t count) {
  return fmt::format("{} seed{}", count, count == 1 ? "" : "s");
}

const char* en_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::equivalent:
      return "no difference";
    case Verdict::undecided:
      break;
  }
  return "undecided";
}

const char* zh_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "更优";
    case Verdict::worse:
      return "更差";
    case Verdict::equivalent:
      return "没有差异";
    case Verdict::undecided:
      break;
  }
  return "未定";
}

/// What the outcome says of the expectation, or nothing where there was none.
Phrase met(const Statement& statement) {
  if (!statement.expected) return {};
  const Verdict expected = *statement.expected, seen = statement.finding.verdict;
  const Reason reason = statement.finding.reason;
  if (expected == seen) return {"; as expected", "；符合预期"};
  const std::string en = en_word(expected), zh = zh_word(expected);
  if (reason == Reason::too_few_seeds || reason == Reason::failed_runs)
    return {"; expected: " + en + ", which stays open", "；预期" + zh + "，目前无从判断"};
  if (seen == Verdict::undecided)
    return {"; expected: " + en + ", which these seeds do not show",
            "；预期" + zh + "，这些种子未能显示"};
  if (seen == Verdict::equivalent)
    return {"; expected: " + en + ", and we did not see it", "；预期" + zh + "，但我们没有看到"};
  if (expected == Verdict::equivalent)
    return {"; expected: no difference, and we saw one", "；预期没有差异，我们却看到了差异"};
  return {"; expected: " + en + ", and we saw the opposite", "；预期" + zh + "，我们看到的却相反"};
}

/// Why nothing was decided, and what could have been.
Phrase undecided_because(const Statement& statement, int decimals) {
  const Finding& finding = statement.finding;
  const auto seeds = finding.difference.seeds;
  switch (finding.reason) {
    case Reason::too_few_seeds:
      return {"; fewer than six seeds decide nothing", "；不足六个种子，不能下任何结论"};
    case Reason::failed_runs:
      return {fmt::format(
                  "; {} of {} {} a figure, and to leave seeds out would favor the arm that fails",
                  finding.failed, en_seeds(seeds + finding.failed),
                  finding.failed == 1 ? "lacks" : "lack"),
              fmt::format("；{} 个种子中有 {} 个缺少其中一方的结果，略去它们会偏袒失败的一方",
                          seeds + finding.failed, finding.failed)};
    case Reason::interval_of_zero:
      return {"; the test sees a difference, but the interval holds zero",
              "；检验显示有差异，但区间包含零"};
    case Reason::interval_of_margin:
      return {"; the equivalence test sees none, but the interval reaches beyond the margin",
              "；等效性检验未见差异，但区间超出了等效界限"};
    default:
      break;
  }
  if (finding.difference.deviation == 0 && finding.difference.mean == 0)
    return {"; all differences are 0, which does not tell how large a one would have been found",
            "；所有差值均为 0，无从得知多大的差异才会被发现"};
  if (!std::isfinite(finding.detectable)) {
    return {fmt::format("; with so many contrasts {} cannot find any difference, however large",
                        en_seeds(seeds)),
            fmt::format("；对比如此之多，{} 个种子无法发现任何差异，无论差异多大", seeds)};
  }
  const std::string effect = figure(finding.detectable, decimals);
  return {
      fmt::format("; a true difference of {} would have been found with a probability of {:.0f} %",
                  effect, 100 * statement.power),
      fmt::format("；真实差异若达到 {}，有 {:.0f}% 的概率会被发现", effect, 100 * statement.power)};
}

/// A difference may be there beyond doubt, and still be smaller than what the suite itself calls as
/// good as none.
Phrase size_of(const Statement& statement) {
  const auto& [low, high] = statement.finding.difference.interval;
  const bool small = statement.margin > 0 && low >= -statement.margin && high <= statement.margin &&
                     statement.finding.p_equivalence_adjusted <= statement.alpha;
  if (!small) return {};
  return {fmt::format(", sure but within the margin of {}", plain(statement.margin)),
          fmt::format("，差异确凿，但在 ±{} 的等效界限之内", plain(statement.margin))};
}

}  // namespace

int decimals_for(double uncertainty) {
  if (!(std::isfinite(uncertainty) && uncertainty > 0)) return 3;
  // The small term keeps 0.03 from needing two digits on one machine and three on another.
  return std::clamp(static_cast<int>(std::ceil(-std::log10(uncertainty / 3) - 1e-9)), 0, 6);
}

int decimals_for(const Statement& statement) {
  const auto& [low, high] = statement.finding.difference.interval;
  return decimals_for(std::max((high - low) / 2, statement.margin / 10));
}

std::string figure(double value, int decimals, bool sign) {
  if (!std::isfinite(value)) return "\u2013";
  std::string text = fmt::format("{:.{}f}", value, decimals);
  const bool is_zero = text.find_first_of("123456789") == std::string::npos;
  if (is_zero && text.starts_with('-')) text.erase(0, 1);
  return sign && !is_zero && value > 0 ? "+" + text : with_minus(text);
}

std::string p_value(double p) { return p < 1e-4 ? "< 0.0001" : fmt::format("= {:.2g}", p); }

std::string plain(double value) {
  return std::isfinite(value) ? with_minus(fmt::format("{:.6g}", value)) : "\u2013";
}

Phrase metric_words(const std::string& metric) {
  struct Known {
    const char* name;
    const char* en;
    const char* zh;
  };
  static constexpr auto kKnown =
      std::to_array<Known>({{"train_seconds", "seconds of training", "训练秒数"},
                            {"peak_mib", "MiB at the peak", "峰值内存 MiB"},
                            {"throughput", "examples a second", "每秒样本数"},
                            {"accuracy", "accuracy", "准确率"},
                            {"balanced_accuracy", "balanced accuracy", "平衡准确率"},
                            {"loss", "loss", "损失"},
                            {"bits_per_byte", "bits per byte", "每字节比特数"},
                            {"perplexity", "perplexity", "困惑度"},
                            {"mse", "mean squared error", "均方误差"},
                            {"rmse", "root mean squared error", "均方根误差"},
                            {"mae", "mean absolute error", "平均绝对误差"},
                            {"r2", "R²", "R²"},
                            {"f1", "F1", "F1"},
                            {"macro_f1", "macro-F1", "macro-F1"},
                            {"auc", "AUC", "AUC"},
                            {"map", "mAP", "mAP"},
                            {"seconds", "seconds", "秒数"}});
  std::string name = metric;
  for (const char* split : {"test_", "val_", "train_"}) {
    if (name.starts_with(split)) name = name.substr(std::string(split).size());
  }
  for (const Known& known : kKnown) {
    if (name == known.name) return {known.en, known.zh};
  }
  std::replace(name.begin(), name.end(), '_', ' ');
  return {name, name};
}

namespace {

Phrase verdict_alone(const Statement& statement);

}  // namespace

Phrase verdict_sentence(const Statement& statement) {
  const Phrase verdict = verdict_alone(statement), more = cautions(statement);
  return {verdict.en + more.en, verdict.zh + more.zh};
}

namespace {

Phrase verdict_alone(const Statement& statement) {
  const Finding& finding = statement.finding;
  const auto& [seeds, mean, deviation, interval] = finding.difference;
  const Phrase metric = metric_words(statement.metric);
  const std::string a = "`" + statement.a + "`", b = "`" + statement.b + "`",
                    task = "`" + statement.task + "`";
  const bool beyond = holds_beyond_test_set(statement);
  const bool typical = speaks_of_typical_run(statement);
  const std::string en_place = (beyond ? task : "the test set of " + task) +
                               (typical ? " in a typical run" : ""),
                    zh_place = (beyond ? task : task + " 的测试集") +
                               (typical ? "（典型的一次运行）" : "");
  const Phrase label = statement.unequal ? Phrase{"Unequal budgets: ", "（预算不等）"} : Phrase{};
  if (!std::isfinite(mean)) {
    return {
        fmt::format("{}{} against {} on {}: no seed has a figure of both.", label.en, a, b, task),
        fmt::format("{}{} 与 {} 在 {} 上：尚无任何种子有双方的结果。", label.zh, a, b, task)};
  }
  const int decimals = decimals_for(statement);
  const std::string low = figure(interval.low, decimals), high = figure(interval.high, decimals),
                    difference = figure(mean, decimals, true);
  const bool equivalent = finding.verdict == Verdict::equivalent;
  const std::string p = p_value(equivalent ? finding.p_equivalence_adjusted : finding.p_adjusted);
  const bool bounded = std::isfinite(interval.low) && std::isfinite(interval.high);
  const std::string confidence = plain(100 * (1 - statement.alpha));
  std::string en_interval =
      bounded ? fmt::format("{} % interval {} to {}, ", confidence, low, high) : "";
  std::string zh_interval =
      bounded ? fmt::format("{}% 区间 {} 至 {}，", confidence, low, high) : "";
  if (const auto& [least, most] = statement.with_rows;
      bounded && std::isfinite(least) && std::isfinite(most)) {
    const std::string from = figure(least, decimals), to = figure(most, decimals);
    en_interval =
        fmt::format("{} % interval {} to {} by seeds, {} to {} by seeds and {} test rows, ",
                    confidence, low, high, from, to, statement.test_rows);
    zh_interval = fmt::format("{}% 区间：仅计种子 {} 至 {}，兼计 {} 个测试样本 {} 至 {}，",
                              confidence, low, high, statement.test_rows, from, to);
  } else if (bounded && statement.fresh_test) {
    en_interval = fmt::format("{} % interval {} to {} by seeds and test rows of their own, ",
                              confidence, low, high);
    zh_interval =
        fmt::format("{}% 区间（种子及其各自的测试样本）{} 至 {}，", confidence, low, high);
  }
  const bool tested = finding.reason != Reason::failed_runs;
  const std::string en_test =
      tested ? fmt::format("adjusted {}p {}, ", equivalent ? "equivalence " : "", p) : "";
  const std::string zh_test =
      tested ? fmt::format("校正后{} p {}，", equivalent ? "等效性检验" : "", p) : "";
  const std::string en_facts = fmt::format("({}{}{})", en_interval, en_test, en_seeds(seeds));
  const std::string zh_facts = fmt::format("（{}{}{} 个种子）", zh_interval, zh_test, seeds);
  const std::string en_metric = metric.en + (statement.lower_is_better ? ", lower is better" : "");
  const std::string zh_metric = metric.zh + (statement.lower_is_better ? "（越低越好）" : "");
  const Phrase expectation = met(statement);

  switch (finding.verdict) {
    case Verdict::better:
    case Verdict::worse: {
      const bool better = finding.verdict == Verdict::better;
      const Phrase size = size_of(statement);
      return {fmt::format("{}{} is {} than {} on {}: {} {}{} {}{}.", label.en, a,
                          better ? "better" : "worse", b, en_place, difference, en_metric, size.en,
                          en_facts, expectation.en),
              fmt::format("{}{} 在 {} 上{} {}：{}相差 {}{}{}{}。", label.zh, a, zh_place,
                          better ? "优于" : "不如", b, zh_metric, difference, size.zh, zh_facts,
                          expectation.zh)};
    }
    case Verdict::equivalent:
      return {fmt::format("{}{} is as good as {} on {}: {} {}, within the margin of {} {}{}.",
                          label.en, a, b, en_place, difference, metric.en, plain(statement.margin),
                          en_facts, expectation.en),
              fmt::format("{}{} 与 {} 在 {} 上相当：{}相差 {}，在 ±{} 的等效界限之内{}{}。",
                          label.zh, a, b, zh_place, metric.zh, difference, plain(statement.margin),
                          zh_facts, expectation.zh)};
    case Verdict::undecided:
      break;
  }
  const Phrase because = undecided_because(statement, decimals);
  return {fmt::format("{}{} against {} on {} is undecided: {} {} {}{}{}.", label.en, a, b, task,
                      difference, en_metric, en_facts, because.en, expectation.en),
          fmt::format("{}{} 与 {} 在 {} 上未分高下：{}相差 {}{}{}{}。", label.zh, a, b, task,
                      zh_metric, difference, zh_facts, because.zh, expectation.zh)};
}

}  // namespace

namespace {

Phrase placebo_sentence(const ControlStatement& control, const Phrase& metric) {
  const std::string pair = fmt::format("`{}`", control.arm),
                    other = fmt::format("`{}`", control.against),
                    task = fmt::format("`{}`", control.task),
                    difference = figure(control.mean, 4, true);
  if (!is_judged(control))
    return {
        fmt::format("{} must not differ from {} on {}, of which it is a placebo: this cannot be "
                    "judged, for {} of {} runs have no figure.",
                    pair, other, task, control.lacking, control.runs),
        fmt::format("{} 是 {} 在 {} 上的安慰剂对照，不应有差异：无从判断，{} 次运行中有 {} "
                    "次没有结果。",
                    pair, other, task, control.runs, control.lacking)};
  if (control.holds)
    return {fmt::format("{} does not differ from {} on {}, of which it is a placebo: {} {}.", pair,
                        other, task, difference, metric.en),
            fmt::format("{} 是 {} 在 {} 上的安慰剂对照，未见差异：{}相差 {}。", pair, other, task,
                        metric.zh, difference)};
  return {fmt::format("{} must not differ from {} on {}, of which it is a placebo, and is called "
                      "better or worse: {} {}.",
                      pair, other, task, difference, metric.en),
          fmt::format("{} 是 {} 在 {} 上的安慰剂对照，却被判为有差异：{}相差 {}。", pair, other,
                      task, metric.zh, difference)};
}

}  // namespace

Phrase control_sentence(const ControlStatement& control) {
  const Phrase metric = metric_words(control.metric);
  if (control.expect == Expect::placebo) return placebo_sentence(control, metric);
  const bool chance = control.expect == Expect::chance;
  const std::string en_place = chance ? "chance" : "the ceiling",
                    zh_place = chance ? "随机水平" : "上限";
  const std::string limit = plain(control.limit), within = plain(control.within),
                    mean = figure(control.mean, std::max(3, decimals_for(control.within)));
  const char* const arm = control.arm.c_str();
  const char* const task = control.task.c_str();
  if (control.lacking == 0 && !std::isfinite(control.mean)) {
    return {fmt::format("`{}` must be at {} on `{}` (within {} of {} {}): no figure.", arm,
                        en_place, task, within, limit, metric.en),
            fmt::format("`{}` 在 `{}` 上应处于{}（{}与 {} 相差不超过 {}）：尚无结果。", arm, task,
                        zh_place, metric.zh, limit, within)};
  }
  if (!is_judged(control)) {
    return {
        fmt::format("`{}` must be at {} on `{}` (within {} of {} {}): this cannot be judged, for "
                    "{} of its {} runs have no figure.",
                    arm, en_place, task, within, limit, metric.en, control.lacking, control.runs),
        fmt::format("`{}` 在 `{}` 上应处于{}（{}与 {} 相差不超过 {}）：无从判断，{} "
                    "次运行中有 {} 次没有结果。",
                    arm, task, zh_place, metric.zh, limit, within, control.runs, control.lacking)};
  }
  if (control.holds) {
    return {fmt::format("`{}` is at {} on `{}`, as it must be: {} {} (within {} of {}).", arm,
                        en_place, task, mean, metric.en, within, limit),
            fmt::format("`{}` 在 `{}` 上处于{}，理应如此：{} {}（与 {} 相差不超过 {}）。", arm,
                        task, zh_place, metric.zh, mean, limit, within)};
  }
  return {fmt::format("`{}` must be at {} on `{}` and is not: {} {} (wanted within {} of {}).", arm,
                      en_place, task, mean, metric.en, within, limit),
          fmt::format("`{}` 在 `{}` 上应处于{}，实际并非如此：{} {}（要求与 {} 相差不超过 {}）。",
                      arm, task, zh_place, metric.zh, mean, limit, within)};
}

}  // namespace weft::compare
