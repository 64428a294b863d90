// What a reader must know before a verdict is believed.
#include <fmt/format.h>

#include <cmath>

#include "train/compare/intervals.h"
#include "train/compare/sentence.h"

namespace weft::compare {

bool holds_beyond_test_set(const Statement& statement) {
  const auto& [low, high] = statement.with_rows;
  if (!std::isfinite(low) || !std::isfinite(high)) return true;
  switch (statement.finding.verdict) {
    case Verdict::better:
    case Verdict::worse:
      return low > 0 || high < 0;
    case Verdict::equivalent:
      return -statement.margin < low && high < statement.margin;
    case Verdict::undecided:
      break;
  }
  return true;
}

namespace {

const char* zh_verdict(Verdict verdict) {
  return verdict == Verdict::better       ? "更优"
         : verdict == Verdict::worse      ? "更差"
         : verdict == Verdict::equivalent ? "相当"
                                          : "未定";
}

}  // namespace

bool speaks_of_typical_run(const Statement& statement) {
  return statement.may_fail || statement.runs_a.split || statement.runs_b.split;
}

Phrase cautions(const Statement& statement) {
  Phrase all;
  const auto add = [&](const std::string& en, const std::string& zh) {
    all.en += " " + en;
    all.zh += zh;
  };
  for (const OtherBudget& other : statement.other_budgets) {
    if (other.verdict == statement.finding.verdict) continue;
    add(fmt::format("The verdict changes with the budget: at {} times the training it is {} ({}).",
                    plain(other.multiple), name(other.verdict), figure(other.mean, 3, true)),
        fmt::format("结论随预算而变：训练量为 {} 倍时，结论为{}（{}）。", plain(other.multiple),
                    zh_verdict(other.verdict), figure(other.mean, 3, true)));
  }
  const bool decided = statement.finding.verdict != Verdict::undecided;
  if (statement.finding.verdict == Verdict::equivalent && !statement.both_at.empty()) {
    const bool chance = statement.both_at == "chance";
    add(fmt::format("Both are at {}: a task on which they could differ may still distinguish them.",
                    chance ? "chance" : "the ceiling"),
        fmt::format("两者都处于{}：换一个能拉开差距的任务，它们仍可能不同。",
                    chance ? "随机水平" : "上限"));
  }
  for (const auto& [arm, runs] :
       {std::pair{&statement.a, &statement.runs_a}, {&statement.b, &statement.runs_b}}) {
    if (!runs->split) continue;
    add(fmt::format(
            "The mean of `{}` describes no run: {} of {} {} at {} or below, the others at {} "
            "or above.",
            *arm, runs->below_count, runs->runs, runs->below_count == 1 ? "is" : "are",
            figure(runs->below, 3), figure(runs->above, 3)),
        fmt::format("`{}` 的平均值不代表任何一次运行：{} 次中有 {} 次不高于 {}，其余不低于 {}。",
                    *arm, runs->runs, runs->below_count, figure(runs->below, 3),
                    figure(runs->above, 3)));
  }
  if (speaks_of_typical_run(statement) && decided) {
    const std::int64_t seeds = statement.finding.difference.seeds;
    const std::string rate = plain(std::round(100 * rate_not_excluded(seeds, 1 - statement.alpha)));
    add(fmt::format(
            "Of a typical run: the test takes differences to lie as far above their mean as "
            "below it, and {} seeds without a failure do not exclude one in up to {} % of "
            "runs.",
            seeds, rate),
        fmt::format(
            "此结论针对典型的一次运行：检验假定各差值关于其均值对称，而 {} 个种子全部成功也不能"
            "排除高达 {}% 的失败率。",
            seeds, rate));
  }
  if (!holds_beyond_test_set(statement)) {
    const bool equivalent = statement.finding.verdict == Verdict::equivalent;
    add(equivalent
            ? "With other test rows the difference may lie beyond the margin: for the task "
              "this is not shown."
            : "With other test rows the interval holds zero: for the task this is not shown.",
        equivalent ? "换用其他测试样本，差值可能超出等效界限：对该任务本身尚不能下此结论。"
                   : "换用其他测试样本，区间包含零：对该任务本身尚不能下此结论。");
  }
  for (const auto& [arm, end] :
       {std::pair{&statement.a, &statement.grid_end_a}, {&statement.b, &statement.grid_end_b}}) {
    if (*end != "smallest" && *end != "largest") continue;
    const bool largest = *end == "largest";
    add(fmt::format("The best learning rate of `{}` was the {} that was tried: a {} one may be "
                    "better.",
                    *arm, *end, largest ? "larger" : "smaller"),
        fmt::format("`{}` 的最佳学习率是所试各值中{}的，{}的学习率可能更好。", *arm,
                    largest ? "最大" : "最小", largest ? "更大" : "更小"));
  }
  if (statement.repeated_looks > 0)
    add(fmt::format("Repeated looks: the results were read {} at {} of seeds that {} not declared, "
                    "so that the p-value is too small.",
                    statement.repeated_looks == 1
                        ? "once"
                        : fmt::format("{} times", statement.repeated_looks),
                    statement.repeated_looks == 1 ? "a number" : "numbers",
                    statement.repeated_looks == 1 ? "was" : "were"),
        fmt::format("重复查看：曾在 {} 个未预先声明的种子数上查看结果，p 值因此偏小。",
                    statement.repeated_looks));
  return all;
}

}  // namespace weft::compare
