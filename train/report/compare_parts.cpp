#include "train/report/compare_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/page/html.h"

namespace weft::report::page {
namespace {

/// Escaped text, with figures held to their units; what stands between two backticks becomes code.
std::string with_code(const std::string& text) {
  std::string escaped = escape_html(text);
  for (const auto& [breaks, holds] :
       {std::pair{"p = ", "p&nbsp;=&nbsp;"}, {"p &lt; ", "p&nbsp;&lt;&nbsp;"}, {" %", "&nbsp;%"}}) {
    for (std::size_t i = 0; (i = escaped.find(breaks, i)) != std::string::npos;
         i += std::string(holds).size())
      escaped.replace(i, std::string(breaks).size(), holds);
  }
  std::string html;
  std::size_t at = 0;
  while (true) {
    const std::size_t open = escaped.find('`', at);
    const std::size_t close = open == std::string::npos ? open : escaped.find('`', open + 1);
    if (close == std::string::npos) return html + escaped.substr(at);
    html += escaped.substr(at, open - at) + "<code>" + escaped.substr(open + 1, close - open - 1) +
            "</code>";
    at = close + 1;
  }
}

}  // namespace

std::string both(const std::string& en, const std::string& zh) {
  if (en == zh) return en;
  return fmt::format("<span lang=\"en\">{}</span><span lang=\"zh-CN\">{}</span>", en, zh);
}

std::string both(const Phrase& phrase) { return both(with_code(phrase.en), with_code(phrase.zh)); }

std::string code(const std::string& name) { return "<code>" + escape_html(name) + "</code>"; }

std::string both_attribute(const std::string& name, const Phrase& phrase) {
  return fmt::format("{0}=\"{1}\" data-en-{0}=\"{1}\" data-zh-{0}=\"{2}\"", name,
                     escape_html(phrase.en), escape_html(phrase.zh));
}

std::string paragraph(const std::string& en, const std::string& zh, const std::string& classes) {
  return fmt::format("<p{}>{}</p>\n", classes.empty() ? "" : fmt::format(" class=\"{}\"", classes),
                     both(en, zh));
}

std::string heading(const std::string& id, const std::string& en, const std::string& zh) {
  return fmt::format("<h2 id=\"{}\">{}</h2>\n", id, both(en, zh));
}

std::string grouped(double count) {
  if (!std::isfinite(count)) return "\u2013";
  std::string digits = fmt::format("{:.0f}", std::abs(count));
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return (count < 0 ? "\u2212" : "") + digits;
}

std::string in_units(double count) {
  if (!std::isfinite(count)) return "\u2013";
  const char* const units[] = {"",        "\u202fk", "\u202fM", "\u202fG",
                               "\u202fT", "\u202fP", "\u202fE"};
  std::size_t unit = 0;
  double value = count;
  while (std::abs(value) >= 999.5 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}", value, units[unit]);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return "\u2013";
  if (seconds < 59.95)
    return both(fmt::format("{:.1f} s", seconds), fmt::format("{:.1f} 秒", seconds));
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0)
    return both(fmt::format("{} h {} min", hours, minutes),
                fmt::format("{} 小时 {} 分", hours, minutes));
  return both(fmt::format("{} min {} s", minutes, whole % 60),
              fmt::format("{} 分 {} 秒", minutes, whole % 60));
}

std::string shown(double value, int decimals) {
  if (!std::isfinite(value)) return "\u2013";
  return fmt::format("<data value=\"{}\">{}</data>", value, compare::figure(value, decimals));
}

std::string interval(double low, double high, int decimals) {
  if (!std::isfinite(low) || !std::isfinite(high)) return "";
  return fmt::format("[{}, {}]", shown(low, decimals), shown(high, decimals));
}

std::string unequal_mark() {
  return "<abbr class=\"unequal\" " +
         both_attribute("title", {"another budget than the others", "预算与其他方案不等"}) +
         ">≠</abbr>";
}

std::string to_html(const Table& table) {
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-labelledby=\"{0}-caption\">\n<table id=\"{0}\"{1}>\n<caption "
      "id=\"{0}-caption\">{2}</caption>\n<thead><tr>",
      table.id, table.classes.empty() ? "" : " class=\"" + table.classes + "\"", table.caption);
  for (const std::string& column : table.columns) html += "<th scope=\"col\">" + column + "</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (const std::string& cell : row) html += cell;
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

std::string cell_text(const std::string& html) { return "<td>" + html + "</td>"; }
std::string cell_number(const std::string& html) { return "<td class=\"n\">" + html + "</td>"; }
std::string row_head(const std::string& html) { return "<th scope=\"row\">" + html + "</th>"; }

std::string folded(const std::string& summary, const std::string& body) {
  return "<details><summary>" + summary + "</summary>\n" + body + "</details>\n";
}

Phrase verdict_word(compare::Verdict verdict) {
  switch (verdict) {
    case compare::Verdict::better:
      return {"better", "更优"};
    case compare::Verdict::worse:
      return {"worse", "更差"};
    case compare::Verdict::equivalent:
      return {"equivalent", "相当"};
    case compare::Verdict::undecided:
      break;
  }
  return {"undecided", "未定"};
}

int task_decimals(const Results& results, std::size_t task) {
  double greatest = 0, narrowest = INFINITY;
  for (std::size_t arm = 0; arm < results.arms.size(); ++arm) {
    const compare::ResultCell* cell = results.cell(task, arm);
    if (cell == nullptr || !std::isfinite(cell->mean)) continue;
    greatest = std::max(greatest, std::abs(cell->mean));
    if (std::isfinite(cell->low) && cell->high > cell->low)
      narrowest = std::min(narrowest, (cell->high - cell->low) / 2);
  }
  // Three digits for a share; two of the narrowest interval's for what is larger.
  return greatest <= 1.5 ? std::clamp(compare::decimals_for(greatest / 10), 3, 6)
                         : std::min(4, compare::decimals_for(narrowest));
}

}  // namespace weft::report::page
