#include "data/text/labeled_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/io/file.h"
#include "core/random.h"
#include "core/storage.h"
#include "data/find_data_set.h"
#include "data/text/tabbed_lines.h"

namespace weft::data {
namespace {

constexpr std::int64_t kMaxLabelledBytes = std::int64_t{1} << 31;
constexpr std::uint64_t kSplitSeed = 1;  // of the fixed order: never the seed of a run

constexpr std::size_t kLongestLabel = 100;  // bytes of a label that is told by what it looks like
constexpr std::size_t kFewestOfLabel = 3;   // lines: one a split

const TextColumns& labeled_columns() {
  static const TextColumns columns{
      "label",
      "text",
      {"labels", "class", "category", "sentiment", "target", "topic", "tag"},
      {"texts", "sentence", "message", "review", "content", "comment", "tweet", "document", "body",
       "sms"}};
  return columns;
}

/// Different values of a side; more than `most`: none of them may be a label.
std::size_t distinct_values(const std::vector<TabbedLine>& lines, std::string TabbedLine::*side,
                            std::size_t most) {
  std::unordered_set<std::string_view> seen;
  for (const TabbedLine& line : lines) {
    if ((line.*side).size() > kLongestLabel) return 0;
    seen.insert(line.*side);
    if (seen.size() > most) return 0;
  }
  return seen.size();
}

/// Puts the label to the left where the lines have it to the right: labels are few and short.
std::string put_label_left(std::vector<TabbedLine>& lines, std::int64_t max_classes,
                           const std::string& where) {
  const std::size_t most =
      std::min(static_cast<std::size_t>(max_classes), lines.size() / kFewestOfLabel);
  const std::size_t left = distinct_values(lines, &TabbedLine::left, most),
                    right = distinct_values(lines, &TabbedLine::right, most);
  if (right == 0) return "";
  if (left > 0 && 4 * left <= right) return "";
  if (left > 0 && left < 4 * right)
    fail<IoError>(where,
                  "it is unclear which column is the label: the first has {} different values, the "
                  "second {}; name them in a first line, label<TAB>text or text<TAB>label",
                  left, right);
  for (TabbedLine& line : lines) std::swap(line.left, line.right);
  return fmt::format(
      "{}: without a header, the second column was taken for the label, as it has {} different "
      "values, and the first for the text",
      where, right);
}

}  // namespace

LabeledData::LabeledData(std::string_view text, const LabeledOptions& options, std::string where)
    : where_(std::move(where)) {
  if (!(options.validation > 0 && options.test > 0 && options.validation + options.test < 1))
    fail<ConfigError>(
        "data",
        "fractions of validation and test must be above 0 and together below 1, got {} and {}",
        options.validation, options.test);
  TextTable table = read_text_columns(text, where_, labeled_columns(),
                                      {.csv = options.csv, .old_rules = options.old_rules});
  notes_ = std::move(table.notes);
  std::vector<TabbedLine>& lines = table.lines;
  if (!table.header && !options.old_rules) {
    if (std::string note = put_label_left(lines, options.max_classes, where_); !note.empty())
      notes_.push_back(std::move(note));
  }

  // Equal texts make one group, of the class that comes first.
  std::map<std::string, std::vector<std::vector<std::size_t>>>
      groups;  // by label, in the order of the file
  std::unordered_map<std::string_view, std::pair<std::string, std::size_t>> group_of;
  std::map<std::string, std::int64_t> sizes;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    groups.try_emplace(lines[i].left);
    const auto [it, is_new] =
        group_of.try_emplace(lines[i].right, lines[i].left, groups[lines[i].left].size());
    auto& of_label = groups[it->second.first];
    if (is_new) of_label.emplace_back();
    of_label[it->second.second].push_back(i);
    ++sizes[it->second.first];
  }
  for (const auto& [label, members] : groups) classes_.push_back(label);
  if (classes_.size() < 2 && !options.whole)
    fail<IoError>(where_, "all examples have the label \"{}\": there is nothing to distinguish",
                  classes_.front());
  if (static_cast<std::int64_t>(classes_.size()) > options.max_classes)
    fail<IoError>(where_,
                  "{} labels are more than {}: is the label before the tab, and the text after it?",
                  classes_.size(), options.max_classes);

  for (const auto& [label, members] : groups) {
    if (members.size() < 3 && !options.whole)
      fail<IoError>(where_,
                    "the label \"{}\" has {} different texts: it needs at least 3, one per split{}",
                    label, members.size(),
                    label == lines.front().left && !table.header
                        ? " (if the first line is a header, call its columns label and text)"
                        : "");
    const Tensor order =
        Generator(kSplitSeed, "split").permutation(static_cast<std::int64_t>(members.size()));
    const double total = static_cast<double>(sizes[label]);
    const std::int64_t wanted[3] = {
        0, std::max<std::int64_t>(1, std::llround(options.validation * total)),
        std::max<std::int64_t>(1, std::llround(options.test * total))};
    std::int64_t filled[3] = {0, 0, 0};
    for (std::int64_t k = 0; k < order.numel(); ++k) {
      const auto& group = members[static_cast<std::size_t>(order.data<std::int64_t>()[k])];
      const int split = options.whole           ? 1
                        : filled[2] < wanted[2] ? 2
                        : filled[1] < wanted[1] ? 1
                                                : 0;
      filled[split] += static_cast<std::int64_t>(group.size());
      for (const std::size_t i : group)
        splits_[split].push_back({label_of(lines[i].left), lines[i].right});
    }
  }
}

std::vector<std::int64_t> LabeledData::counts(Split split) const {
  std::vector<std::int64_t> counts(classes_.size(), 0);
  for (const LabeledText& example : examples(split))
    ++counts[static_cast<std::size_t>(example.label)];
  return counts;
}

std::int64_t LabeledData::rarest() const {
  const auto all = counts(examples(Split::train).empty() ? Split::validation : Split::train);
  return std::min_element(all.begin(), all.end()) - all.begin();
}

std::int64_t LabeledData::label_of(std::string_view name) const {
  const auto it = std::find(classes_.begin(), classes_.end(), name);
  if (it == classes_.end())
    fail<ConfigError>("data", "\"{}\" is not a label of {}: its labels are {}", name, where_,
                      fmt::join(classes_, ", "));
  return it - classes_.begin();
}

std::string LabeledData::joined(Split split) const {
  std::string text;
  for (const LabeledText& example : examples(split)) text += example.text + "\n";
  return text;
}

LabeledData load_labeled(std::string_view name_or_path, const LabeledOptions& options) {
  const auto path = find_data_set(name_or_path);
  LabeledOptions own = options;
  own.csv = is_csv(path);
  return {read_file(path, std::min(kMaxLabelledBytes, memory_limit())), own, path};
}

bool is_labeled(std::string_view path) { return path.ends_with(".tsv") || is_csv(path); }

}  // namespace weft::data
