// The verdicts at the top of the report, and the matrix of tasks and arms.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "train/page/html.h"
#include "train/report/compare_parts.h"

namespace weft::report::page {
namespace {

using compare::Verdict;

constexpr int kShades = 9;
constexpr double kLeastScale = 0.1;  // of a figure, from one end of the shades to the other

const char* mark_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "▲";
    case Verdict::worse:
      return "▼";
    case Verdict::equivalent:
      return "≈";
    case Verdict::undecided:
      break;
  }
  return "?";
}

Phrase budget_words(const std::string& equal) {
  if (equal == "steps") return {"equal training steps", "训练步数相等"};
  if (equal == "parameters") return {"equal parameters", "参数量相等"};
  if (equal == "flops") return {"equal training FLOPs", "训练浮点运算量相等"};
  if (equal == "seconds") return {"equal training time", "训练时间相等"};
  return {"unequal budgets", "预算不等"};
}

std::string notice(const std::string& en, const std::string& zh) {
  return "<p class=\"notice\" role=\"note\">" + both(en, zh) + "</p>\n";
}

std::string notices(const Results& results) {
  std::string html;
  if (!results.complete) {
    const std::string done = grouped(static_cast<double>(results.runs_done)),
                      wanted = grouped(static_cast<double>(results.runs_wanted));
    html += notice(
        fmt::format("<b>Not finished:</b> {} of {} runs are done. What follows rests on these "
                    "alone, and verdicts may change.",
                    done, wanted),
        fmt::format(
            "<b>尚未完成：</b>{} 次运行已完成 {} 次。以下内容仅依据已完成的运行，结论可能改变。",
            wanted, done));
  }
  if (results.runs_failed > 0) {
    const std::string failed = grouped(static_cast<double>(results.runs_failed));
    html +=
        notice(fmt::format("<b>{} failed.</b> The matrix marks where; the errors stand with the "
                           "commands at the end.",
                           results.runs_failed == 1 ? "1 run" : failed + " runs"),
               fmt::format("<b>有 {} 次运行失败。</b>矩阵中已标出，错误信息列于文末。", failed));
  }
  if (results.quick)
    html += notice(
        "<b>The short form of the suite</b> (<code>--quick</code>): fewer seeds, tasks or steps "
        "than the whole.",
        "<b>此为精简版</b>（<code>--quick</code>）：种子、任务或步数少于完整版。");
  if (results.equal == "unequal")
    html += notice(
        "<b>The arms had unequal budgets.</b> A difference may come from the budget as well as "
        "from the model.",
        "<b>各方案预算不等。</b>差异既可能来自模型，也可能来自预算。");
  return html;
}

std::string contents(const Results& results) {
  std::string html = "<nav " + both_attribute("aria-label", {"Contents", "目录"}) + ">";
  const auto add = [&](const char* id, const char* en, const char* zh) {
    html += fmt::format("<a href=\"#{}\">{}</a>", id, both(en, zh));
  };
  add("figures", "The figures", "各方案结果");
  if (!results.contrasts.empty()) add("differences", "Paired differences", "配对差值");
  add("curves", "Learning curves", "学习曲线");
  add("costs", "Cost against quality", "代价与质量");
  if (!results.controls.empty()) add("controls", "Controls", "对照检查");
  add("methods", "Methods", "方法");
  add("certificates", "Budget and pairing", "预算与配对");
  if (!results.exploratory.empty()) add("exploratory", "Other pairs", "其余各对");
  add("runs", "Every run", "每次运行");
  return html + "</nav>\n";
}

/// How many verdicts of each kind, and how the controls stand.
std::string tally(const Results& results) {
  std::array<std::int64_t, 4> counts{};
  for (const compare::ResultContrast& contrast : results.contrasts)
    ++counts[static_cast<std::size_t>(contrast.statement.finding.verdict)];
  std::string en, zh;
  for (const Verdict verdict :
       {Verdict::better, Verdict::worse, Verdict::equivalent, Verdict::undecided}) {
    const auto count = counts[static_cast<std::size_t>(verdict)];
    if (count == 0) continue;
    const Phrase word = verdict_word(verdict);
    en += fmt::format("{}{} {}", en.empty() ? "" : ", ", count, word.en);
    zh += fmt::format("{}{} 项{}", zh.empty() ? "" : "，", count, word.zh);
  }
  const auto number = results.contrasts.size();
  en = number == 0 ? "No contrast was declared."
                   : fmt::format("{} declared contrast{}: {}.", number, number == 1 ? "" : "s", en);
  zh = number == 0 ? "没有预设的对比。" : fmt::format("预设对比共 {} 项：{}。", number, zh);
  if (!results.controls.empty()) {
    const auto held = std::count_if(results.controls.begin(), results.controls.end(),
                                    [](const auto& control) { return control.holds; });
    en += fmt::format(" {} of {} controls hold.", held, results.controls.size());
    zh += fmt::format("对照检查共 {} 项，{} 项成立。", results.controls.size(), held);
  }
  return paragraph(en, zh);
}

/// How good a figure is between chance and the ceiling, from 0 to 1; between the worst and the best
/// arm where the suite names none.
double shade_value(const Results& results, std::size_t task, double value) {
  double low = results.tasks[task].chance, high = results.tasks[task].ceiling;
  if (!std::isfinite(low) || !std::isfinite(high) || low == high) {
    low = INFINITY;
    high = -INFINITY;
    for (std::size_t arm = 0; arm < results.arms.size(); ++arm) {
      const compare::ResultCell* cell = results.cell(task, arm);
      if (cell == nullptr || !std::isfinite(cell->mean)) continue;
      low = std::min(low, cell->mean);
      high = std::max(high, cell->mean);
    }
    // Arms that differ by little are not to look like the best and the worst there can be.
    const double middle = (low + high) / 2,
                 least = std::max(kLeastScale * std::abs(middle), 4 * results.tasks[task].margin);
    if (high - low < least) {
      low = middle - least / 2;
      high = middle + least / 2;
    }
    if (results.tasks[task].lower_is_better) std::swap(low, high);
  }
  if (low == high) return 0.5;
  return std::clamp((value - low) / (high - low), 0.0, 1.0);
}

std::string matrix_cell(const Results& results, std::size_t task, std::size_t arm, int decimals) {
  const compare::ResultCell* cell = results.cell(task, arm);
  if (cell == nullptr)
    return "<td class=\"none\">" +
           both("<abbr title=\"not run\">–</abbr>", "<abbr title=\"未运行\">–</abbr>") + "</td>";
  const auto seeds = static_cast<std::int64_t>(results.seeds.size());
  const auto known = std::count_if(cell->values.begin(), cell->values.end(),
                                   [](double value) { return std::isfinite(value); });
  const auto missing = seeds - known - cell->failed;
  std::string html =
      std::isfinite(cell->mean)
          ? fmt::format("<td class=\"q{}\">{}",
                        std::lround(shade_value(results, task, cell->mean) * (kShades - 1)),
                        shown(cell->mean, decimals))
          : std::string("<td class=\"none\">–");
  if (!cell->equal || results.arms[arm].unequal) html += unequal_mark();
  const std::string ends = interval(cell->low, cell->high, decimals);
  if (!ends.empty()) html += "<small>" + ends + "</small>";
  const std::string wide = interval(cell->with_rows.low, cell->with_rows.high, decimals);
  if (!wide.empty()) html += "<small class=\"rows\">" + wide + "</small>";
  html += seed_dots(results, *cell) + solved_note(results, *cell);
  if (cell->failed > 0)
    html += "<small class=\"failed\">" +
            both(fmt::format("✕ {} of {} failed", cell->failed, seeds),
                 fmt::format("✕ {} 次中 {} 次失败", seeds, cell->failed)) +
            "</small>";
  if (missing > 0)
    html += "<small>" +
            both(fmt::format("{} of {} seeds", known, seeds),
                 fmt::format("{} 个种子中的 {} 个", seeds, known)) +
            "</small>";
  return html + "</td>";
}

/// What the names of tasks and arms stand for.
std::string arms(const Results& results) {
  Table table{.id = "arms",
              .caption = both("What the names stand for.", "各名称的含义。"),
              .columns = {both("Name", "名称"), both("What it is", "说明"),
                          both("Metric, or choices", "指标或设置")},
              .rows = {},
              .classes = {}};
  for (const compare::ResultTask& task : results.tasks)
    table.rows.push_back({row_head(both("task ", "任务 ") + code(task.name)),
                          cell_text(both(task.about)), cell_text(code(task.metric))});
  for (const compare::ResultArm& arm : results.arms) {
    std::string choices;
    for (const auto& [name, value] : arm.choices)
      choices += (choices.empty() ? "" : ", ") + escape_html(name) + " = " +
                 escape_html(compare::choice_text(value));
    table.rows.push_back(
        {row_head(both("arm ", "方案 ") + code(arm.name) + (arm.unequal ? unequal_mark() : "")),
         cell_text(both(arm.about)), cell_text("<code>" + choices + "</code>")});
  }
  return folded(both("Tasks and arms", "任务与方案"), to_html(table));
}

}  // namespace

std::string top(const Results& results) {
  const std::string question = both(results.question);
  std::string html = fmt::format(
      "<header>\n<div class=\"bar\"><span>weft compare · {}</span><button id=\"language\" "
      "type=\"button\" lang=\"zh-CN\" "
      "hidden>中文</button></div>\n<h1>{}</h1>\n",
      escape_html(results.suite), question.empty() ? escape_html(results.suite) : question);
  const Phrase budget = budget_words(results.equal);
  const auto several = [](std::size_t count, const char* word) {
    return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
  };
  const std::size_t tasks = results.tasks.size(), arm_count = results.arms.size(),
                    seeds = results.seeds.size();
  std::string facts = both(
      fmt::format("{} × {} × {} · {}", several(tasks, "task"), several(arm_count, "arm"),
                  several(seeds, "seed"), budget.en),
      fmt::format("{} 个任务 × {} 个方案 × {} 个种子 · {}", tasks, arm_count, seeds, budget.zh));
  if (!results.started.empty()) facts += " · " + escape_html(results.started.substr(0, 10));
  if (std::isfinite(results.seconds)) facts += " · " + duration(results.seconds);
  if (!results.cpu.empty()) facts += " · " + escape_html(results.cpu);
  html += "<p class=\"facts\">" + facts + "</p>\n" + notices(results) + contents(results) +
          "</header>\n<main>\n";

  html += heading("verdicts", "Verdicts", "结论") + tally(results) + "<ol class=\"verdicts\">\n";
  for (std::size_t i = 0; i < results.contrasts.size(); ++i) {
    const compare::ResultContrast& contrast = results.contrasts[i];
    const Verdict verdict = contrast.statement.finding.verdict;
    const std::string asked = both(contrast.question);
    html += fmt::format(
        "<li><a class=\"badge {}\" href=\"#contrast-{}\"><span aria-hidden=\"true\">{}</span> "
        "{}</a><div>{}{}</div></li>\n",
        compare::name(verdict), i, mark_of(verdict), both(verdict_word(verdict)),
        asked.empty() ? "" : "<b>" + asked + "</b> ",
        both(compare::verdict_sentence(contrast.statement)));
  }
  html += "</ol>\n";
  std::string failing;
  for (const auto& control : results.controls) {
    if (!control.holds) failing += "<li>" + both(compare::control_sentence(control)) + "</li>\n";
  }
  if (!failing.empty()) {
    html += "<div class=\"notice\">" +
            paragraph(
                "<b>Controls that do not hold, or cannot be judged.</b> They say whether the suite "
                "measures what it "
                "claims to: read the verdicts on these tasks with care.",
                "<b>以下对照检查不成立或无从判断。</"
                "b>对照检查用来确认实验测到的确是所要测的；请谨慎看待相关任务上的结论。") +
            "<ul>\n" + failing + "</ul></div>\n";
  }
  return html;
}

std::string matrix(const Results& results) {
  Table table{.id = "matrix",
              .caption = {},
              .columns = {both("Arm", "方案")},
              .rows = {},
              .classes = "matrix"};
  const std::string confidence = compare::plain(100 * (1 - results.alpha));
  table.caption = both(
      fmt::format(
          "Mean over seeds on test data, with its {} % interval by seeds below; in a second "
          "line, where one test set judged all seeds, that by seeds and test rows.",
          confidence),
      fmt::format(
          "各随机种子在测试数据上的平均值，其下为仅计种子的 {}% 区间；若所有种子共用一个测试集，"
          "再下一行为兼计测试样本的区间。",
          confidence));
  std::vector<int> decimals;
  for (std::size_t task = 0; task < results.tasks.size(); ++task) {
    const Phrase metric = compare::metric_words(results.tasks[task].metric);
    const char* const arrow = results.tasks[task].lower_is_better ? "↓" : "↑";
    table.columns.push_back(
        code(results.tasks[task].name) + "<small>" +
        both(escape_html(metric.en) + " " + arrow, escape_html(metric.zh) + " " + arrow) +
        "</small>");
    decimals.push_back(task_decimals(results, task));
  }
  for (std::size_t arm = 0; arm < results.arms.size(); ++arm) {
    const std::string about = both(results.arms[arm].about);
    std::vector<std::string> row{row_head(code(results.arms[arm].name) +
                                          (results.arms[arm].unequal ? unequal_mark() : "") +
                                          (about.empty() ? "" : "<small>" + about + "</small>"))};
    for (std::size_t task = 0; task < results.tasks.size(); ++task)
      row.push_back(matrix_cell(results, task, arm, decimals[task]));
    table.rows.push_back(std::move(row));
  }
  std::string html = heading("figures", "The figures", "各方案结果") + to_html(table);
  std::string scale;
  for (int shade = 0; shade < kShades; ++shade)
    scale += fmt::format("<i class=\"q{}\"></i>", shade);
  html += "<p class=\"key\">" + both("chance", "随机") +
          " <span class=\"shades\" aria-hidden=\"true\">" + scale + "</span> " +
          both("ceiling", "上限") + " " +
          both(
              "(worst and best arm where the suite names neither). ↑ higher is better, ↓ lower is "
              "better.",
              "（未设定时为最差与最好的方案）。↑ 越高越好，↓ 越低越好。") +
          " " + unequal_mark() + " " +
          both("another budget than the others.", "预算与其他方案不等。") + "</p>\n";
  return html + arms(results) + every_seed(results);
}

}  // namespace weft::report::page
