#include "data/text/labelled_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/storage.h"
#include "data/find_data_set.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

constexpr std::int64_t kMaxLabelledBytes = std::int64_t{1} << 31;
constexpr std::uint64_t kSplitSeed = 1;  // of the fixed order: never the seed of a run

std::string_view trim_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

struct LabelledLine {
  std::string label;
  std::string text;
};

LabelledLine parse_labelled_line(std::string_view line, const std::string& where) {
  for (std::size_t byte = 0; byte < line.size();) {
    const auto step = next_utf8(line.substr(byte, 4));
    if (step.kind != Utf8Step::Kind::character) fail<IoError>(where, "not UTF-8 at byte {} of the line; convert the file, for example with iconv -t UTF-8", byte);
    byte += static_cast<std::size_t>(step.length);
  }
  const auto tab = line.find('\t');
  if (tab == std::string_view::npos) fail<IoError>(where, "no tab: a line is a label, a tab and a text");
  const auto label = trim_blanks(line.substr(0, tab)), text = trim_blanks(line.substr(tab + 1));
  if (label.empty()) fail<IoError>(where, "no label before the tab");
  if (text.empty()) fail<IoError>(where, "no text after the tab");
  return {std::string(label), std::string(text)};
}

std::vector<LabelledLine> parse_labelled_lines(std::string_view text, const std::string& where) {
  std::vector<LabelledLine> lines;
  std::int64_t number = 0;
  for (text = skip_bom(text); !text.empty();) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (!trim_blanks(line).empty() || line.find('\t') != std::string_view::npos) lines.push_back(parse_labelled_line(line, fmt::format("{}:{}", where, number)));
  }
  if (lines.empty()) fail<IoError>(where, "holds no examples: wants lines of a label, a tab and a text");
  return lines;
}

}  // namespace

LabelledData::LabelledData(std::string_view text, const LabelledOptions& options, std::string where) : where_(std::move(where)) {
  if (!(options.validation > 0 && options.test > 0 && options.validation + options.test < 1))
    fail<ConfigError>("data", "shares of validation and test must be above 0 and together below 1, got {} and {}", options.validation, options.test);
  const std::vector<LabelledLine> lines = parse_labelled_lines(text, where_);

  // Equal texts make one group, of the class that comes first.
  std::map<std::string, std::vector<std::vector<std::size_t>>> groups;  // by label, in the order of the file
  std::unordered_map<std::string_view, std::pair<std::string, std::size_t>> group_of;
  std::map<std::string, std::int64_t> sizes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    groups.try_emplace(lines[i].label);
    const auto [it, is_new] = group_of.try_emplace(lines[i].text, lines[i].label, groups[lines[i].label].size());
    auto& of_label = groups[it->second.first];
    if (is_new) of_label.emplace_back();
    of_label[it->second.second].push_back(i);
    ++sizes[it->second.first];
  }
  for (const auto& [label, members] : groups) classes_.push_back(label);
  if (classes_.size() < 2) fail<IoError>(where_, "all examples have the label \"{}\": there is nothing to tell apart", classes_.front());
  if (static_cast<std::int64_t>(classes_.size()) > options.max_classes)
    fail<IoError>(where_, "{} labels are more than {}: is the label before the tab, and the text after it?", classes_.size(), options.max_classes);

  for (const auto& [label, members] : groups) {
    if (members.size() < 3) fail<IoError>(where_, "the label \"{}\" has {} different texts: it needs at least 3, one a split", label, members.size());
    const Tensor order = Generator(kSplitSeed, "split").permutation(static_cast<std::int64_t>(members.size()));
    const double total = static_cast<double>(sizes[label]);
    const std::int64_t wanted[3] = {0, std::max<std::int64_t>(1, std::llround(options.validation * total)),
                                    std::max<std::int64_t>(1, std::llround(options.test * total))};
    std::int64_t filled[3] = {0, 0, 0};
    for (std::int64_t k = 0; k < order.numel(); ++k) {
      const auto& group = members[static_cast<std::size_t>(order.data<std::int64_t>()[k])];
      const int split = filled[2] < wanted[2] ? 2 : filled[1] < wanted[1] ? 1 : 0;
      filled[split] += static_cast<std::int64_t>(group.size());
      for (const std::size_t i : group) splits_[split].push_back({label_of(lines[i].label), lines[i].text});
    }
  }
}

std::vector<std::int64_t> LabelledData::counts(Split split) const {
  std::vector<std::int64_t> counts(classes_.size(), 0);
  for (const LabelledText& example : examples(split)) ++counts[static_cast<std::size_t>(example.label)];
  return counts;
}

std::int64_t LabelledData::rarest() const {
  const auto all = counts(Split::train);
  return std::min_element(all.begin(), all.end()) - all.begin();
}

std::int64_t LabelledData::label_of(std::string_view name) const {
  const auto it = std::find(classes_.begin(), classes_.end(), name);
  if (it == classes_.end()) fail<ConfigError>("data", "\"{}\" is no label of {}: those are {}", name, where_, fmt::join(classes_, ", "));
  return it - classes_.begin();
}

std::string LabelledData::joined(Split split) const {
  std::string text;
  for (const LabelledText& example : examples(split)) text += example.text + "\n";
  return text;
}

LabelledData load_labelled(std::string_view name_or_path, const LabelledOptions& options) {
  const auto path = find_data_set(name_or_path);
  return {read_file(path, std::min(kMaxLabelledBytes, memory_limit())), options, path};
}

bool is_labelled(std::string_view path) { return path.ends_with(".tsv"); }

}  // namespace weft::data
