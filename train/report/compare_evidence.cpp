// What the report's figures rest on: budget, pairing, learning rates, exploratory pairs, runs and
// machine.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/page/html.h"
#include "train/report/compare_parts.h"

namespace weft::report::page {
namespace {

using compare::figure;
using compare::plain;

constexpr std::size_t kMostRows =
    5000;  // of one kind on the page: more are in results.json, and nobody reads them here

std::string left_out(std::size_t count) {
  return paragraph(
      fmt::format("{} more are in <code>results.json</code>.", grouped(static_cast<double>(count))),
      fmt::format("其余 {} 项见 <code>results.json</code>。", grouped(static_cast<double>(count))));
}

std::string budget_text(const Results& results) {
  const bool known = std::isfinite(results.amount);
  const std::string tolerance = plain(100 * results.tolerance);
  const std::string en_from = results.reference.empty()
                                  ? ""
                                  : " (those of " + code(results.reference) + ")",
                    zh_from = results.reference.empty()
                                  ? ""
                                  : "（以 " + code(results.reference) + " 为准）";
  const std::string en_amount = (known ? ": " + in_units(results.amount) : std::string()) + en_from,
                    zh_amount = (known ? "：" + in_units(results.amount) : std::string()) + zh_from;
  std::string html;
  if (results.equal == "parameters")
    html = paragraph(
        fmt::format(
            "Every arm has the same number of parameters{}, within {} %, by solving for its width.",
            en_amount, tolerance),
        fmt::format("各方案参数量相等{}，误差不超过 {}%，由求解宽度得到。", zh_amount, tolerance));
  else if (results.equal == "flops")
    html = paragraph(fmt::format("Every arm trains for the same number of floating-point "
                                 "operations{}, by the number of its steps.",
                                 en_amount),
                     fmt::format("各方案的训练浮点运算量相等{}，由步数调节。", zh_amount));
  else if (results.equal == "seconds")
    html = paragraph(fmt::format("Every arm trains for the same number of seconds{}.", en_amount),
                     fmt::format("各方案的训练秒数相等{}。", zh_amount));
  else if (results.equal == "steps")
    html = paragraph(
        fmt::format("Every arm trains for the same number of steps{}. Parameters and operations "
                    "differ: the tables of costs show them.",
                    en_amount),
        fmt::format("各方案的训练步数相等{}。参数量与运算量并不相等，见代价表。", zh_amount));
  else
    html = paragraph(
        "Nothing is equal between the arms but the data: the comparison was declared unequal.",
        "除数据外各方案并无相等之处：此对比已声明为不等。");
  if (!results.lr_factors.empty()) {
    std::string factors;
    for (const double factor : results.lr_factors)
      factors += (factors.empty() ? "×" : ", ×") + plain(factor);
    html += paragraph(
        fmt::format("Every arm tried {} learning rate{} ({} its own), chosen on validation data.",
                    results.lr_factors.size(), results.lr_factors.size() == 1 ? "" : "s", factors),
        fmt::format("每个方案都尝试了 {} 个学习率（自身设定值的 {}），依据验证数据选定。",
                    results.lr_factors.size(), factors));
  }
  return html;
}

std::string tried_rates(const Results& results) {
  Table table{.id = "rates",
              .caption = both(
                  "Learning rates tried, with the figure on validation data; the one used is bold.",
                  "尝试过的学习率及其验证数据上的结果，粗体为采用者。"),
              .columns = {both("Task", "任务"), both("Arm", "方案")},
              .rows = {},
              .classes = {}};
  std::size_t most = 0;
  for (const compare::ResultCell& cell : results.cells) most = std::max(most, cell.tried.size());
  if (most == 0 || most > 100) return "";
  for (std::size_t i = 0; i < most; ++i)
    table.columns.push_back(both(fmt::format("Rate {}", i + 1), fmt::format("学习率 {}", i + 1)));
  for (const compare::ResultCell& cell : results.cells) {
    if (cell.tried.empty() || table.rows.size() >= kMostRows) continue;
    std::vector<std::string> row{row_head(code(results.tasks[cell.task].name)),
                                 row_head(code(results.arms[cell.arm].name))};
    for (const compare::TriedRate& rate : cell.tried) {
      const std::string text = plain(rate.lr) + " → " + figure(rate.value, 4);
      row.push_back(cell_number(rate.lr == cell.lr ? "<b>" + text + "</b>" : text));
    }
    row.resize(most + 2, cell_text(""));
    table.rows.push_back(std::move(row));
  }
  return folded(both("Learning rates tried", "尝试过的学习率"), to_html(table));
}

std::string pairing(const Results& results) {
  Table table{.id = "pairing",
              .caption = both("Hash of the batches, in their order, that all runs of a seed saw.",
                              "同一种子的所有运行所见批次（含顺序）的哈希值。"),
              .columns = {both("Task", "任务"), both("Seed", "种子"), both("Batches", "批次"),
                          both("Runs", "运行数"), both("Alike", "一致")},
              .rows = {},
              .classes = {}};
  bool all = true;
  std::size_t number = 0;
  for (const compare::ResultTask& task : results.tasks) {
    for (const compare::Pairing& one : task.pairing) {
      all = all && one.equal;
      if (++number > kMostRows) continue;
      table.rows.push_back(
          {row_head(code(task.name)), cell_number(std::to_string(one.seed)),
           cell_text(code(one.hash)), cell_number(std::to_string(one.runs)),
           cell_text(one.equal ? "<span class=\"holds\">✓ " + both("yes", "是") + "</span>"
                               : "<span class=\"failed\">✕ " + both("no", "否") + "</span>")});
    }
  }
  if (number == 0) return "";
  std::string html =
      all ? paragraph(
                "Seed k of every arm saw the same batches in the same order: the hashes agree.",
                "各方案的第 k 个种子所见批次及其顺序完全相同：哈希值一致。")
          : "<p class=\"notice\">" +
                both("<b>Not every arm saw the same batches.</b> These are no pairs.",
                     "<b>并非所有方案都看到相同的批次。</b>它们不构成配对。") +
                "</p>\n";
  return html + folded(both("Certificates of pairing", "配对凭证"),
                       to_html(table) + (number > kMostRows ? left_out(number - kMostRows) : ""));
}

}  // namespace

std::string certificates(const Results& results) {
  return heading("certificates", "Budget and pairing", "预算与配对") + budget_text(results) +
         pairing(results) + tried_rates(results);
}

std::string exploratory(const Results& results) {
  if (results.exploratory.empty()) return "";
  std::string html = heading("exploratory", "All other pairs: exploratory", "其余各对：仅供探索");
  html += paragraph(
      "These were not declared in advance, so they get an interval by seeds and no verdict: among "
      "many pairs some intervals miss zero by chance, and other test rows are not in them.",
      "这些对比并非预先提出，因此只给出仅计种子的区间，不下结论：对数一多，总有一些区间会偶然不含零"
      "；"
      "区间也未计入测试样本的抽样。");
  std::size_t number = 0;
  for (std::size_t task = 0; task < results.tasks.size(); ++task) {
    Table table{
        .id = fmt::format("pairs-{}", task),
        .caption = both("Exploratory: differences without a verdict.", "探索性：差值，不作结论。"),
        .columns = {both("Arm a", "方案 a"), both("Arm b", "方案 b"), "a − b",
                    both("Interval", "区间"), both("Seeds", "种子数")},
        .rows = {},
        .classes = {}};
    for (const compare::ExploratoryPair& pair : results.exploratory) {
      if (pair.task != task || ++number > kMostRows) continue;
      const int decimals = compare::decimals_for((pair.high - pair.low) / 2);
      table.rows.push_back({row_head(code(pair.a)), row_head(code(pair.b)),
                            cell_number(shown(pair.difference, decimals)),
                            cell_number(interval(pair.low, pair.high, decimals)),
                            cell_number(std::to_string(pair.seeds))});
    }
    if (!table.rows.empty())
      html += folded(both(fmt::format("{} pairs on ", table.rows.size()),
                          fmt::format("{} 对：", table.rows.size())) +
                         code(results.tasks[task].name),
                     to_html(table));
  }
  return html + (number > kMostRows ? left_out(number - kMostRows) : "");
}

std::string runs(const Results& results) {
  std::string html = heading("runs", "Every run", "每次运行");
  html += paragraph("The command that makes each run again, to the same bits.",
                    "重新得到每次运行（逐位相同）的命令。");
  std::size_t number = 0;
  for (std::size_t task = 0; task < results.tasks.size(); ++task) {
    Table table{.id = fmt::format("runs-{}", task),
                .caption = both("Runs and their commands.", "运行及其命令。"),
                .columns = {both("Arm", "方案"), both("Seed", "种子"), both("State", "状态"),
                            both(escape_html(compare::metric_words(results.tasks[task].metric).en),
                                 escape_html(compare::metric_words(results.tasks[task].metric).zh)),
                            both("Seconds", "秒数"), both("Command", "命令")},
                .rows = {},
                .classes = {}};
    const int decimals = std::max(4, task_decimals(results, task));
    for (std::size_t arm = 0; arm < results.arms.size(); ++arm) {
      const compare::ResultCell* cell = results.cell(task, arm);
      if (cell == nullptr) continue;
      for (const compare::ResultRun& run : cell->runs) {
        if (++number > kMostRows) continue;
        const std::string state = run.status == "done"     ? both("done", "完成")
                                  : run.status == "failed" ? "<span class=\"failed\">✕ " +
                                                                 both("failed", "失败") + "</span>"
                                  : run.status == "missing" ? both("not yet", "未运行")
                                                            : escape_html(run.status);
        table.rows.push_back(
            {row_head(code(results.arms[arm].name)), cell_number(std::to_string(run.seed)),
             cell_text(state), cell_number(shown(run.value, decimals)),
             cell_number(figure(run.seconds, 1)),
             cell_text((run.error.empty()
                            ? ""
                            : "<span class=\"failed\">" + escape_html(run.error) + "</span><br>") +
                       "<code class=\"command\">" + escape_html(run.command) + "</code>")});
      }
    }
    if (!table.rows.empty())
      html += folded(both(fmt::format("{} runs on ", table.rows.size()),
                          fmt::format("{} 次运行：", table.rows.size())) +
                         code(results.tasks[task].name),
                     to_html(table));
  }
  return html + (number > kMostRows ? left_out(number - kMostRows) : "");
}

std::string machine(const Results& results) {
  std::string text = "weft " + escape_html(results.version);
  if (!results.cpu.empty()) text += " · " + escape_html(results.cpu);
  if (results.cores > 0)
    text += " · " + both(fmt::format("{} core{}", results.cores, results.cores == 1 ? "" : "s"),
                         fmt::format("{} 核", results.cores));
  if (!results.simd.empty()) text += " · " + escape_html(results.simd);
  if (results.jobs > 0)
    text +=
        " · " + both(fmt::format("{} run{} at a time", results.jobs, results.jobs == 1 ? "" : "s"),
                     fmt::format("同时 {} 次运行", results.jobs));
  if (!results.started.empty())
    text += " · " + both("begun ", "始于 ") + escape_html(results.started);
  return "</main>\n<footer><p>" + text + "</p></footer>\n";
}

}  // namespace weft::report::page
