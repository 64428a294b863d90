#include "train/cli/compare_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/cli/progress.h"
#include "train/cli/terminal.h"

namespace weft::cli {
namespace {

constexpr auto kTableLineEvery = std::chrono::seconds(15);
constexpr std::size_t kNarrowest = 8;  // of a column of the table

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 1) + "~";
}

std::string cell_text(const std::vector<double>& values) {
  if (values.empty()) return "";
  double sum = 0;
  for (const double value : values) sum += value;
  return fmt::format("{:.3f}", sum / static_cast<double>(values.size()));
}

std::string share_bar(double share, int wide, bool unicode) {
  std::string bar;
  const int full = static_cast<int>(share * wide);
  for (int i = 0; i < wide; ++i) bar += i < full ? (unicode ? "█" : "#") : (unicode ? "░" : ".");
  return bar;
}

}  // namespace

std::string progress_line(const compare::CompareProgress& progress) {
  std::string text = fmt::format("{} of {} runs", progress.done, progress.wanted);
  if (progress.running > 0) text += fmt::format(", {} running", progress.running);
  if (progress.failed > 0) text += fmt::format(", {} failed", progress.failed);
  if (progress.done < progress.wanted)
    text += fmt::format(", {} left", clock_text(progress.seconds_left));
  if (!progress.held.empty())
    text += fmt::format(", waiting for {}, which another program trains", progress.held.string());
  return text;
}

std::string means_table(const compare::CompareProgress& progress, int columns, int rows) {
  const compare::Suite& suite = progress.plan->suite;
  std::size_t first = 4;
  for (const auto& arm : suite.arms)
    first = std::max(first, std::min<std::size_t>(arm.name.size(), 22));
  std::vector<std::size_t> widths;
  std::size_t used = first;
  for (const auto& task : suite.tasks) {
    const std::size_t wide = std::clamp<std::size_t>(task.name.size(), kNarrowest, 14);
    if (used + 2 + wide >= static_cast<std::size_t>(std::max(0, columns))) break;
    widths.push_back(wide);
    used += 2 + wide;
  }
  if (widths.empty() || rows < 3) return "";
  std::string text = std::string(first, ' ');
  for (std::size_t t = 0; t < widths.size(); ++t)
    text += fmt::format("  {:>{}}", shortened(suite.tasks[t].name, widths[t]), widths[t]);
  text += "\n";
  for (std::size_t a = 0; a < suite.arms.size(); ++a) {
    if (static_cast<int>(a) + 2 >= rows && a + 1 < suite.arms.size())
      return text + fmt::format("... {} more\n", suite.arms.size() - a);
    text += fmt::format("{:<{}}", shortened(suite.arms[a].name, first), first);
    for (std::size_t t = 0; t < widths.size(); ++t) {
      const auto index = progress.plan->find(suite.tasks[t].name, suite.arms[a].name);
      text += fmt::format("  {:>{}}", index ? cell_text(progress.values[*index]) : "-", widths[t]);
    }
    text += "\n";
  }
  return text;
}

CompareTable::CompareTable(std::string title)
    : title_(std::move(title)), terminal_(is_terminal()) {}

CompareTable::~CompareTable() { clear(); }

void CompareTable::clear() {
  if (lines_ > 0) put_terminal(fmt::format("\r\x1b[{}A\x1b[J", lines_));
  lines_ = 0;
}

void CompareTable::show(const compare::CompareProgress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_) {
    const bool last = progress.done == progress.wanted && last_done_ != progress.done;
    if (!last && now - last_line_ < kTableLineEvery) return;
    last_line_ = now;
    last_done_ = progress.done;
    put_terminal(fmt::format("{}: {}\n", title_, progress_line(progress)));
    return;
  }
  const int columns = terminal_columns();
  const double share = progress.wanted > 0 ? static_cast<double>(progress.done) /
                                                 static_cast<double>(progress.wanted)
                                           : 1;
  std::string line = progress_line(progress);
  const int room = columns - 1 - static_cast<int>(title_.size() + line.size()) - 4;
  if (room < 0)
    line = shortened(
        line,
        static_cast<std::size_t>(std::max(
            1, columns - 3 - static_cast<int>(title_.size()))));  // a line that breaks would smear
  std::string text = title_ + "  " +
                     (room >= 8 ? share_bar(share, std::min(room, 30), speaks_utf8()) + "  " : "") +
                     line + "\n";
  text += means_table(progress, columns, terminal_rows() - 2);
  // One write, line over line: a terminal shows no blank in between.
  std::string drawn = lines_ > 0 ? fmt::format("\r\x1b[{}A", lines_) : "";
  for (const char c : text) drawn += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
  put_terminal(drawn + "\x1b[J");
  lines_ = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace weft::cli
