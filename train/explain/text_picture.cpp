#include "train/explain/text_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/text/utf8.h"

namespace weft::explain {
namespace {

struct CodePointRange {
  char32_t first, last;
};

// Wide and fullwidth characters, roughly as in Unicode's EastAsianWidth.txt.
constexpr CodePointRange kWide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE4F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
constexpr CodePointRange kNoWidth[] = {
    {0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};

template <std::size_t N>
bool within_ranges(const CodePointRange (&ranges)[N], char32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const CodePointRange& r) { return r.first <= c && c <= r.last; });
}

int character_width(char32_t c) {
  return within_ranges(kNoWidth, c) ? 0 : within_ranges(kWide, c) ? 2 : 1;
}

std::vector<double> numbers_of(const NamedMatrix& matrix) {
  return matrix.values.to_vector<double>();
}

int widest(const std::vector<std::string>& texts) {
  int width = 0;
  for (const std::string& text : texts) width = std::max(width, display_width(text));
  return width;
}

Block same_width(Block lines) {
  const int width = widest(lines);
  for (std::string& line : lines) line = padded(line, width);
  return lines;
}

}  // namespace

int display_width(std::string_view utf8) {
  int width = 0;
  while (!utf8.empty()) {
    const data::Utf8Step step = data::next_utf8(utf8);
    width += step.kind == data::Utf8Step::Kind::character ? character_width(step.code_point) : 1;
    utf8.remove_prefix(static_cast<std::size_t>(step.length));
  }
  return width;
}

std::string padded(std::string_view text, int width, bool right) {
  const std::string blanks(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ');
  return right ? blanks + std::string(text) : std::string(text) + blanks;
}

std::string visible(std::string_view character) {
  if (character.empty()) return "";
  const data::Utf8Step step = data::next_utf8(character);
  if (step.kind != data::Utf8Step::Kind::character) {  // a byte that is no character by itself
    return fmt::format("\\x{:02x}",
                       static_cast<unsigned>(static_cast<unsigned char>(character.front())));
  }
  const char32_t c = step.code_point;
  if (c == U' ') return "␣";
  if (c == U'\n') return "⏎";
  if (c == U'\t') return "⇥";
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x2028 && c <= 0x202E) ||
                       (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || (c >= 0x200B && c <= 0x200F);
  return control ? fmt::format("U+{:04X}", static_cast<std::uint32_t>(c)) : std::string(character);
}

NumberFormat::NumberFormat(const NamedMatrix& matrix) : zero_below_(matrix.zero_below) {
  const auto values = numbers_of(matrix);
  const auto exact = [&](double unit) {
    return std::all_of(values.begin(), values.end(),
                       [&](double v) { return std::abs(v - std::round(v / unit) * unit) < 1e-9; });
  };
  decimals_ = exact(1) ? 0 : exact(0.1) ? 1 : exact(0.01) ? 2 : 3;
}

std::string NumberFormat::operator()(double value) const {
  const double size = std::abs(value);
  if (size <= zero_below_) return "0";
  if (size >= 1e5) return fmt::format("{:.2e}", value);
  if (size > 0 && size < 0.5 * std::pow(10, -decimals_)) return fmt::format("{:.0e}", value);
  return fmt::format("{:.{}f}", value, decimals_);
}

Block number_block(const NamedMatrix& matrix) {
  const NumberFormat format(matrix);
  const auto values = numbers_of(matrix);
  const std::size_t columns = matrix.columns.size();
  const int margin = std::max(widest(matrix.rows), 0);
  std::vector<int> widths(columns);
  for (std::size_t c = 0; c < columns; ++c) {
    widths[c] = display_width(matrix.columns[c]);
    for (std::size_t r = 0; r < matrix.rows.size(); ++r)
      widths[c] = std::max(widths[c], display_width(format(values[r * columns + c])));
  }
  Block lines{matrix.title};
  std::string head(static_cast<std::size_t>(margin), ' ');
  for (std::size_t c = 0; c < columns; ++c)
    head += "  " + padded(matrix.columns[c], widths[c], true);
  lines.push_back(head);
  for (std::size_t r = 0; r < matrix.rows.size(); ++r) {
    std::string line = padded(matrix.rows[r], margin);
    for (std::size_t c = 0; c < columns; ++c)
      line += "  " + padded(format(values[r * columns + c]), widths[c], true);
    lines.push_back(line);
  }
  return same_width(std::move(lines));
}

Block heat_block(const NamedMatrix& matrix, std::int64_t group) {
  static constexpr const char* kShades[] = {"░░", "▒▒", "▓▓", "██"};
  const auto values = numbers_of(matrix);
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  const auto columns = static_cast<std::size_t>(matrix.values.size(1)),
             rows = static_cast<std::size_t>(matrix.values.size(0));
  Block lines;
  if (!matrix.title.empty()) lines.push_back(matrix.title);
  for (std::size_t r = 0; r < rows; ++r) {
    if (r > 0 && r % static_cast<std::size_t>(group) == 0) lines.emplace_back();
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      if (c > 0 && c % static_cast<std::size_t>(group) == 0) line += " ";
      const double size = std::abs(values[r * columns + c]);
      line += size <= matrix.zero_below || size == 0
                  ? " ·"
                  : kShades[std::min(3, static_cast<int>(4 * size / largest))];
    }
    lines.push_back(line);
  }
  return same_width(std::move(lines));
}

std::string beside(const std::vector<Block>& blocks, int width) {
  constexpr int kGap = 3;
  std::string text;
  for (std::size_t begin = 0; begin < blocks.size();) {
    std::size_t end = begin, height = 0;
    int used = 0;
    while (end < blocks.size()) {
      const int next = widest(blocks[end]);
      if (end > begin && used + kGap + next > width) break;
      used += (end > begin ? kGap : 0) + next;
      height = std::max(height, blocks[end++].size());
    }
    for (std::size_t line = 0; line < height; ++line) {
      std::string row;
      for (std::size_t b = begin; b < end; ++b)
        row += (b > begin ? std::string(kGap, ' ') : "") +
               padded(line < blocks[b].size() ? blocks[b][line] : "", widest(blocks[b]));
      row.erase(row.find_last_not_of(' ') + 1);
      text += row + "\n";
    }
    text += "\n";
    begin = end;
  }
  return text;
}

std::string wrapped(std::string_view text, int width) {
  std::string result;
  int used = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    const int wide = display_width(word);
    if (used > 0 && used + 1 + wide > width) {
      result += "\n";
      used = 0;
    }
    if (used > 0) result += " ";
    result += word;
    used += (used > 0 ? 1 : 0) + wide;
    begin = end + 1;
  }
  return result + "\n";
}

}  // namespace weft::explain
