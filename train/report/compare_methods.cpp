// What was done, as a paper says it, made from what was done; and what to cite.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/compare/intervals.h"
#include "train/page/html.h"
#include "train/report/compare_parts.h"

namespace weft::report::page {
namespace {

using compare::plain;

struct Source {
  const char* key;
  const char* entry;
};

constexpr Source kFisher = {
    "fisher1935",
    "@book{fisher1935,\n  author = {R. A. Fisher},\n  title = {The Design of Experiments},\n  "
    "publisher = {Oliver and Boyd},\n  year = {1935}\n}"};
constexpr Source kHolm = {
    "holm1979",
    "@article{holm1979,\n  author = {Sture Holm},\n  title = {A Simple Sequentially Rejective "
    "Multiple Test Procedure},\n  journal = {Scandinavian Journal of Statistics},\n  volume = "
    "{6},\n  pages = {65--70},\n  year = {1979}\n}"};
constexpr Source kHartigan = {
    "hartigan1969",
    "@article{hartigan1969,\n  author = {J. A. Hartigan},\n  title = {Using Subsample Values as "
    "Typical Values},\n  journal = {Journal of the American Statistical Association},\n  volume = "
    "{64},\n  pages = {1303--1317},\n  year = {1969}\n}"};
constexpr Source kSchuirmann = {
    "schuirmann1987",
    "@article{schuirmann1987,\n  author = {Donald J. Schuirmann},\n  title = {A Comparison of the "
    "Two One-Sided Tests Procedure and the Power Approach for Assessing the Equivalence of Average "
    "Bioavailability},\n  journal = {Journal of Pharmacokinetics and Biopharmaceutics},\n  volume "
    "= {15},\n  pages = {657--680},\n  year = {1987}\n}"};
constexpr Source kSatterthwaite = {
    "satterthwaite1946",
    "@article{satterthwaite1946,\n  author = {F. E. Satterthwaite},\n  title = {An Approximate "
    "Distribution of Estimates of Variance Components},\n  journal = {Biometrics Bulletin},\n  "
    "volume = {2},\n  pages = {110--114},\n  year = {1946}\n}"};
constexpr Source kLanDeMets = {
    "landemets1983",
    "@article{landemets1983,\n  author = {K. K. Gordon Lan and David L. DeMets},\n  title = "
    "{Discrete Sequential Boundaries for Clinical Trials},\n  journal = {Biometrika},\n  volume = "
    "{70},\n  pages = {659--663},\n  year = {1983}\n}"};

std::string budget_clause(const Results& results, bool zh) {
  const std::string tolerance = plain(100 * results.tolerance);
  if (results.equal == "steps") return zh ? "训练步数相等" : "the same number of optimizer steps";
  if (results.equal == "parameters")
    return zh ? fmt::format("参数量相等（误差不超过 {}%）", tolerance)
              : fmt::format("the same number of parameters within {} %", tolerance);
  if (results.equal == "flops")
    return zh ? fmt::format("训练浮点运算量相等（误差不超过 {}%）", tolerance)
              : fmt::format("the same training FLOPs within {} %", tolerance);
  if (results.equal == "seconds")
    return zh ? fmt::format("训练秒数相等（{} 秒，误差不超过 {}%）", plain(results.amount),
                            tolerance)
              : fmt::format("{} seconds of training within {} %", plain(results.amount), tolerance);
  return zh ? "预算不等" : "budgets that were declared unequal";
}

}  // namespace

std::string methods(const Results& results) {
  std::vector<Source> sources{kFisher, kHolm, kHartigan};
  const auto any_task = [&](const auto& f) {
    return std::any_of(results.tasks.begin(), results.tasks.end(), f);
  };
  const std::size_t seeds = results.seeds.size();
  std::string en = fmt::format(
                  "We compared {} arms on {} task{} with {} paired seeds each, weft {}, with {}: "
                  "seed k showed every arm the same batches in the same order. ",
                  results.arms.size(), results.tasks.size(), results.tasks.size() == 1 ? "" : "s",
                  seeds, escape_html(results.version), budget_clause(results, false)),
              zh = fmt::format(
                  "我们以 weft {} 比较了 {} 个方案，共 {} 个任务，每个任务 {} 个配对种子，{}：第 k "
                  "个种子向各方案展示相同顺序的相同批次。",
                  escape_html(results.version), results.arms.size(), results.tasks.size(), seeds,
                  budget_clause(results, true));
  if (results.lr_factors.size() > 1) {
    const std::size_t tuning = std::max<std::size_t>(1, results.tuning_seeds.size());
    en += fmt::format(
        "Learning rates were chosen on validation data from at least {} factors of each arm's own, "
        "by the mean over {} seed{} of their own; arms of a task tried the same factors. ",
        results.lr_factors.size(), tuning, tuning == 1 ? "" : "s");
    zh += fmt::format(
        "学习率依据验证数据选定：在各方案自身设定值的至少 {} 个倍数中，取 {} "
        "个专用种子上的平均值最佳者；同一任务的各方案尝试相同的倍数。",
        results.lr_factors.size(), tuning);
  }
  en += fmt::format(
      "Figures are of test data that nothing was chosen by. {} contrast{} declared in advance; "
      "each "
      "was judged by a two-sided sign-flip test of the paired differences (Fisher 1935) at alpha = "
      "{} with Holm's correction (Holm 1979), with the interval that this test leaves (Hartigan "
      "1969). ",
      results.contrasts.size(), results.contrasts.size() == 1 ? " was" : "s were",
      plain(results.alpha));
  zh += fmt::format(
      "各项结果均来自未参与任何选择的测试数据。预先声明了 {} "
      "项对比，每项对配对差值作双侧符号翻转检验"
      "（Fisher 1935），alpha = {}，经 Holm 校正（Holm 1979），区间由该检验反演得到（Hartigan "
      "1969）。",
      results.contrasts.size(), plain(results.alpha));
  if (any_task([](const auto& task) { return task.margin > 0; })) {
    sources.push_back(kSchuirmann);
    en +=
        "Equivalence within the stated margin was judged by two one-sided tests (Schuirmann "
        "1987). ";
    zh += "给定界限内的等效性由两个单侧检验判定（Schuirmann 1987）。";
  }
  if (any_task([](const auto& task) { return task.test_rows > 0; })) {
    sources.push_back(kSatterthwaite);
    en +=
        "Second intervals count seeds and test rows as crossed random effects (Satterthwaite "
        "1946), over jackknife pseudo-values of the rows. ";
    zh += "第二个区间把种子与测试样本视为交叉随机效应（Satterthwaite 1946），基于样本的刀切伪值。";
  }
  if (results.looks.size() > 1) {
    sources.push_back(kLanDeMets);
    std::string looks;
    for (const std::int64_t look : results.looks)
      looks += (looks.empty() ? "" : ", ") + std::to_string(look);
    en += fmt::format("Looks at {} seeds were declared and shared alpha (Lan and DeMets 1983). ",
                      looks);
    zh +=
        fmt::format("预先声明在 {} 个种子时查看结果，并分配 alpha（Lan 与 DeMets 1983）。", looks);
  }
  en += fmt::format("{} of {} runs failed.", grouped(static_cast<double>(results.runs_failed)),
                    grouped(static_cast<double>(results.runs_wanted)));
  zh += fmt::format("{} 次运行中有 {} 次失败。", grouped(static_cast<double>(results.runs_wanted)),
                    grouped(static_cast<double>(results.runs_failed)));
  if (!results.suite_hash.empty()) {
    en += " Suite " + code(results.suite_hash) + ".";
    zh += "实验文件哈希 " + code(results.suite_hash) + "。";
  }
  std::string bibtex = fmt::format(
      "@software{{weft,\n  author = {{The weft authors}},\n  title = {{weft: training small "
      "transformers on a CPU, and comparing them honestly}},\n  version = {{{}}},\n  year = "
      "{{{}}}\n}}",
      results.version, results.started.size() >= 4 ? results.started.substr(0, 4) : "2026");
  for (const Source& source : sources) bibtex += std::string("\n") + source.entry;
  return heading("methods", "Methods", "方法") + paragraph(en, zh) +
         "<pre class=\"bibtex\" tabindex=\"0\">" + escape_html(bibtex) + "</pre>\n";
}

}  // namespace weft::report::page
