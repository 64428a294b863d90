// Differences, learning curves, costs and controls of the report.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/page/html.h"
#include "train/report/compare_parts.h"

namespace weft::report::page {
namespace {

using compare::figure;
using compare::plain;

std::string canvas(const std::string& id, const std::string& kind, std::size_t number,
                   const Phrase& label) {
  return fmt::format(
      "<div class=\"chart {0}\"><canvas id=\"{1}\" data-chart=\"{0}\" data-number=\"{2}\" "
      "role=\"img\" {3}></canvas></div>\n",
      kind, id, number, both_attribute("aria-label", label));
}

/// What a screen reader says of a plot of differences.
Phrase said(const compare::ResultContrast& contrast, int decimals) {
  const auto& [seeds, mean, deviation, ends] = contrast.statement.finding.difference;
  const std::string &a = contrast.statement.a, &b = contrast.statement.b;
  return {
      fmt::format("Differences {} minus {} for {} seeds: mean {}, interval {} to {}", a, b, seeds,
                  figure(mean, decimals), figure(ends.low, decimals), figure(ends.high, decimals)),
      fmt::format("{} 减 {} 在 {} 个种子上的差值：平均 {}，区间 {} 至 {}", a, b, seeds,
                  figure(mean, decimals), figure(ends.low, decimals), figure(ends.high, decimals))};
}

std::string fact(const std::string& name, const std::string& value) {
  return "<div><dt>" + name + "</dt><dd>" + value + "</dd></div>";
}

std::string contrast_figure(const Results& results, std::size_t number) {
  const compare::ResultContrast& contrast = results.contrasts[number];
  const compare::Statement& statement = contrast.statement;
  const compare::Finding& finding = statement.finding;
  const auto& ends = finding.difference.interval;
  const int decimals = compare::decimals_for(statement);
  const Phrase metric = compare::metric_words(statement.metric);
  const std::string a = code(statement.a), b = code(statement.b);
  std::string html = fmt::format(
      "<figure id=\"contrast-{}\" class=\"contrast\">\n<figcaption>{}{}</figcaption>\n", number,
      both(fmt::format("{} − {} on {}, {}", a, b, code(statement.task), escape_html(metric.en)),
           fmt::format("{}：{} − {}，{}", code(statement.task), a, b, escape_html(metric.zh))),
      statement.unequal ? unequal_mark() : "");
  const auto& left = statement.lower_is_better ? a : b;
  const auto& right = statement.lower_is_better ? b : a;
  html += "<p class=\"sides\"><span>← " + both(left + " better", left + " 更优") + "</span><span>" +
          both(right + " better", right + " 更优") + " →</span></p>\n";
  html +=
      canvas(fmt::format("difference-{}", number), "difference", number, said(contrast, decimals));
  html += "<dl class=\"facts\">";
  html += fact(both("mean", "平均"), shown(finding.difference.mean, decimals));
  html += fact(both(plain(100 * (1 - results.alpha)) + " % interval by seeds",
                    plain(100 * (1 - results.alpha)) + "% 区间（种子）"),
               interval(ends.low, ends.high, decimals));
  if (const auto& wide = statement.with_rows; std::isfinite(wide.low))
    html += fact(both(fmt::format("with {} test rows", statement.test_rows),
                      fmt::format("兼计 {} 个测试样本", statement.test_rows)),
                 interval(wide.low, wide.high, decimals));
  html += fact(both("p, adjusted", "p（校正后）"),
               escape_html(fmt::format("{:.2g}, {:.2g}", finding.p, finding.p_adjusted)));
  if (statement.margin > 0) {
    html += fact(both("margin", "等效界限"), "±" + plain(statement.margin));
    html += fact(both("equivalence p", "等效性 p"),
                 fmt::format("{:.2g}", finding.p_equivalence_adjusted));
  }
  html += fact(both("detectable", "最小可检出差异"), std::isfinite(finding.detectable)
                                                         ? figure(finding.detectable, decimals)
                                                         : both("none", "无"));
  for (const std::string* name : {&statement.a, &statement.b})
    for (std::size_t arm = 0; arm < results.arms.size(); ++arm) {
      const compare::ResultCell* const cell =
          results.arms[arm].name == *name ? results.cell(contrast.task, arm) : nullptr;
      if (cell == nullptr) continue;
      const double seconds =
          std::isfinite(cell->train_seconds) ? cell->train_seconds : cell->seconds;
      html += fact(both("spent by ", "实际花费：") + code(*name),
                   both(fmt::format("{} parameters, {} FLOPs, {} s", in_units(cell->parameters),
                                    in_units(cell->training_flops), figure(seconds, 1)),
                        fmt::format("参数 {}，浮点运算 {}，{} 秒", in_units(cell->parameters),
                                    in_units(cell->training_flops), figure(seconds, 1))));
    }
  html += "</dl>\n";
  if (statement.expected || !contrast.expectation.en.empty()) {
    const Phrase expected = statement.expected ? verdict_word(*statement.expected) : Phrase{"", ""};
    html += paragraph(fmt::format("Expected{}{}. {}", expected.en.empty() ? "" : ": ", expected.en,
                                  both(contrast.expectation)),
                      fmt::format("预期{}{}。{}", expected.zh.empty() ? "" : "：", expected.zh,
                                  both(contrast.expectation)),
                      "dim");
  }
  Table table{.id = fmt::format("differences-{}", number),
              .caption = both("Difference of each seed.", "每个种子的差值。"),
              .columns = {both("Seed", "种子"), both("Difference", "差值")},
              .rows = {},
              .classes = {}};
  for (std::size_t k = 0; k < contrast.differences.size() && k < results.seeds.size(); ++k)
    table.rows.push_back({row_head(std::to_string(results.seeds[k])),
                          cell_number(shown(contrast.differences[k], decimals))});
  if (!table.rows.empty()) html += folded(both("Seed by seed", "逐个种子"), to_html(table));
  return html + "</figure>\n";
}

constexpr struct {
  const char* key;
  const char* en;
  const char* zh;
} kCosts[] = {{"parameters", "parameters", "参数量"},
              {"training_flops", "training FLOPs", "训练浮点运算量"},
              {"forward_flops", "FLOPs of one forward", "单次前向浮点运算量"},
              {"seconds", "seconds of training", "训练秒数"},
              {"peak_mib", "peak memory, MiB", "内存峰值（MiB）"}};

std::string option(const std::string& value, const Phrase& text, bool chosen = false) {
  return fmt::format("<option value=\"{}\"{} data-en-text=\"{}\" data-zh-text=\"{}\">{}</option>",
                     escape_html(value), chosen ? " selected" : "", escape_html(text.en),
                     escape_html(text.zh), escape_html(text.en));
}

}  // namespace

std::string differences(const Results& results) {
  if (results.contrasts.empty()) return "";
  std::string html = heading("differences", "Paired differences", "配对差值");
  html += paragraph(
      "Each dot is one seed: both arms saw the same batches in the same order. The diamond is the "
      "mean with its interval; the solid line is no "
      "difference; within the "
      "shaded band, the margin, a difference is as good as none.",
      "每个圆点是一个种子：双方看到的批次及其顺序完全相同。菱形为平均值及其区间；实线表示没有差异；"
      "阴影带为等效界限，落在其中的差异视同没有。");
  html += "<div class=\"grid\">\n";
  for (std::size_t i = 0; i < results.contrasts.size(); ++i) html += contrast_figure(results, i);
  return html + "</div>\n";
}

std::string curves(const Results& results) {
  std::string html = heading("curves", "Learning curves", "学习曲线");
  std::string figures;
  for (std::size_t task = 0; task < results.tasks.size(); ++task) {
    const bool any = std::any_of(results.cells.begin(), results.cells.end(),
                                 [&](const compare::ResultCell& cell) {
                                   return cell.task == task && !cell.curve.steps.empty();
                                 });
    if (!any) continue;
    const std::string& name = results.tasks[task].name;
    figures += "<figure>\n<figcaption>" + code(name) + "</figcaption>\n" +
               canvas(fmt::format("curve-{}", task), "curve", task,
                      {"Learning curves on " + name, name + " 上的学习曲线"}) +
               "</figure>\n";
  }
  if (figures.empty()) return html + paragraph("No run has recorded one yet.", "尚无任何记录。");
  html += paragraph(
      "Lines are means over seeds, bands reach from the least to the greatest. Choose arms in the "
      "list; the choice holds for the costs below, too.",
      "曲线为各种子的平均值，色带从最小值到最大值。可在列表中选择方案，下方的代价图同样适用。");
  return html + "<div id=\"arm-keys\" class=\"keys\" role=\"group\" " +
         both_attribute("aria-label", {"Arms shown", "显示的方案"}) +
         "></div>\n<div class=\"grid\">\n" + figures + "</div>\n";
}

std::string costs(const Results& results) {
  std::string html = heading("costs", "Cost against quality", "代价与质量");
  std::string tasks, axes;
  const std::size_t first = results.contrasts.empty() ? 0 : results.contrasts[0].task;
  for (std::size_t task = 0; task < results.tasks.size(); ++task)
    tasks += option(std::to_string(task), {results.tasks[task].name, results.tasks[task].name},
                    task == first);
  for (const auto& cost : kCosts) axes += option(cost.key, {cost.en, cost.zh});
  html += "<p class=\"choices\"><label>" + both("Task", "任务") + " <select id=\"cost-task\">" +
          tasks + "</select></label> <label>" + both("Cost", "代价") +
          " <select id=\"cost-axis\">" + axes + "</select></label></p>\n";
  html += canvas("cost", "cost", 0,
                 {"Quality of each arm over its cost; the figures are in the tables below",
                  "各方案的质量与代价；数据见下表"});
  for (std::size_t task = 0; task < results.tasks.size(); ++task) {
    const Phrase metric = compare::metric_words(results.tasks[task].metric);
    Table table{
        .id = fmt::format("costs-{}", task),
        .caption = both("What each arm cost; means over seeds.", "各方案的代价，取各种子平均值。"),
        .columns = {both("Arm", "方案"), both(escape_html(metric.en), escape_html(metric.zh)),
                    both("Parameters", "参数量"), both("Width", "宽度"), both("Steps", "步数"),
                    both("Learning rate", "学习率"), both("Forward FLOPs", "前向浮点运算量"),
                    both("Training FLOPs", "训练浮点运算量"), both("Seconds", "秒数"),
                    both("Peak MiB", "内存峰值 MiB")},
        .rows = {},
        .classes = {}};
    for (std::size_t arm = 0; arm < results.arms.size(); ++arm) {
      const compare::ResultCell* cell = results.cell(task, arm);
      if (cell == nullptr) continue;
      table.rows.push_back(
          {row_head(code(results.arms[arm].name) +
                    (cell->equal && !results.arms[arm].unequal ? "" : unequal_mark())),
           cell_number(shown(cell->mean, task_decimals(results, task))),
           cell_number(grouped(cell->parameters)), cell_number(grouped(cell->width)),
           cell_number(grouped(cell->steps)), cell_number(plain(cell->lr)),
           cell_number(in_units(cell->forward_flops)), cell_number(in_units(cell->training_flops)),
           cell_number(figure(cell->seconds, 1)), cell_number(figure(cell->peak_mib, 0))});
    }
    html += folded(both("Costs on ", "代价：") + code(results.tasks[task].name), to_html(table));
  }
  return html;
}

std::string controls(const Results& results) {
  if (results.controls.empty()) return "";
  std::string html = heading("controls", "Controls", "对照检查");
  html += paragraph("What must hold if the suite measures what it claims to.",
                    "若实验测到的确是所要测的，以下各项必须成立。");
  Table table{
      .id = "control-table",
      .caption = both("Controls, declared in advance.", "预先声明的对照检查。"),
      .columns = {both("Task", "任务"), both("Arm", "方案"), both("Must be at", "应处于"),
                  both("Within", "容差"), both("Measured", "实测"), both("Outcome", "结果")},
      .rows = {},
      .classes = {}};
  for (const auto& control : results.controls) {
    const std::string outcome =
        control.holds ? "<span class=\"holds\">✓ " + both("holds", "成立") + "</span>"
        : compare::is_judged(control)
            ? "<span class=\"failed\">✕ " + both("fails", "不成立") + "</span>"
            : "<span class=\"failed\">" + both("cannot be judged", "无从判断") + "</span>";
    const Phrase place =
        control.expect == compare::Expect::chance
            ? Phrase{fmt::format("chance ({})", plain(control.limit)),
                     fmt::format("随机水平（{}）", plain(control.limit))}
        : control.expect == compare::Expect::ceiling
            ? Phrase{fmt::format("the ceiling ({})", plain(control.limit)),
                     fmt::format("上限（{}）", plain(control.limit))}
            : Phrase{"no difference from " + control.against, "与 " + control.against + " 无差异"};
    table.rows.push_back({row_head(code(control.task)), cell_text(code(control.arm)),
                          cell_text(both(escape_html(place.en), escape_html(place.zh))),
                          cell_number("±" + plain(control.within)),
                          cell_number(shown(control.mean, 3)), cell_text(outcome)});
  }
  return html + to_html(table);
}

}  // namespace weft::report::page
