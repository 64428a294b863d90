#include "train/report/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace weft::report {
namespace {

using compare::Results;

struct Cell {
  std::string exact;  ///< for CSV
  std::string shown;  ///< for LaTeX, escaped already
};

struct Rows {
  std::string name;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (std::string("&%$#_{}").find(c) != std::string::npos) result += '\\';
    result += c == '~'    ? "\\textasciitilde{}"
              : c == '^'  ? "\\textasciicircum{}"
              : c == '\\' ? "\\textbackslash{}"
                          : std::string(1, c);
  }
  return result;
}

Cell word(const std::string& text) { return {text, "\\texttt{" + escaped(text) + "}"}; }
Cell number(double value, int decimals) {
  if (!std::isfinite(value)) return {"", "--"};
  return {fmt::format("{}", value), fmt::format("${:.{}f}$", value, decimals)};
}
Cell whole(double value) { return number(value, 0); }

Rows figures(const Results& results) {
  Rows all{"figures",
           {"task", "arm", "metric", "split", "seeds", "mean", "low", "high", "low_with_rows",
            "high_with_rows"},
           {}};
  for (const compare::ResultCell& cell : results.cells) {
    const compare::ResultTask& task = results.tasks[cell.task];
    double seeds = 0;
    for (const double value : cell.values) seeds += std::isfinite(value) ? 1 : 0;
    const int decimals = compare::decimals_for((cell.high - cell.low) / 2);
    all.rows.push_back({word(task.name), word(results.arms[cell.arm].name), word(task.metric),
                        word(task.metric.starts_with("val_") ? "validation" : "test"), whole(seeds),
                        number(cell.mean, decimals), number(cell.low, decimals),
                        number(cell.high, decimals), number(cell.with_rows.low, decimals),
                        number(cell.with_rows.high, decimals)});
  }
  return all;
}

Rows differences(const Results& results) {
  Rows all{"differences",
           {"task", "a", "b", "verdict", "difference", "low", "high", "low_with_rows",
            "high_with_rows", "p", "p_adjusted", "seeds"},
           {}};
  for (const compare::ResultContrast& contrast : results.contrasts) {
    const compare::Statement& s = contrast.statement;
    const auto& found = s.finding.difference;
    const int decimals = compare::decimals_for(s);
    all.rows.push_back({word(s.task), word(s.a), word(s.b),
                        word(std::string(compare::name(s.finding.verdict))),
                        number(found.mean, decimals), number(found.interval.low, decimals),
                        number(found.interval.high, decimals), number(s.with_rows.low, decimals),
                        number(s.with_rows.high, decimals), number(s.finding.p, 4),
                        number(s.finding.p_adjusted, 4), whole(static_cast<double>(found.seeds))});
  }
  return all;
}

Rows costs(const Results& results) {
  Rows all{"costs",
           {"task", "arm", "parameters", "width", "steps", "lr", "training_flops", "seconds",
            "peak_mib"},
           {}};
  for (const compare::ResultCell& cell : results.cells)
    all.rows.push_back(
        {word(results.tasks[cell.task].name),
         word(results.arms[cell.arm].name),
         whole(cell.parameters),
         whole(cell.width),
         whole(cell.steps),
         {std::isfinite(cell.lr) ? fmt::format("{}", cell.lr) : "",
          std::isfinite(cell.lr) ? fmt::format("${:.3g}$", cell.lr) : "--"},
         {fmt::format("{}", cell.training_flops), fmt::format("${:.3g}$", cell.training_flops)},
         number(cell.seconds, 1),
         number(cell.peak_mib, 0)});
  return all;
}

std::string csv(const Rows& rows) {
  std::string text = fmt::format("{}\r\n", fmt::join(rows.columns, ","));
  for (const auto& row : rows.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += (i > 0 ? "," : "") + row[i].exact;
    text += "\r\n";
  }
  return text;
}

std::string latex(const Rows& rows) {
  std::string text = "\\begin{tabular}{";
  for (const Cell& cell : rows.rows.empty() ? std::vector<Cell>() : rows.rows.front())
    text += cell.shown.starts_with("\\texttt") ? 'l' : 'r';
  text += "}\n\\toprule\n";
  for (std::size_t i = 0; i < rows.columns.size(); ++i)
    text += (i > 0 ? " & " : "") + escaped(rows.columns[i]);
  text += " \\\\\n\\midrule\n";
  for (const auto& row : rows.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += (i > 0 ? " & " : "") + row[i].shown;
    text += " \\\\\n";
  }
  return text + "\\bottomrule\n\\end{tabular}\n";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> tables(const Results& results) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const Rows& rows : {figures(results), differences(results), costs(results)}) {
    files.emplace_back(rows.name + ".csv", csv(rows));
    files.emplace_back(rows.name + ".tex", latex(rows));
  }
  return files;
}

}  // namespace weft::report
