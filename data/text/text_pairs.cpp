#include "data/text/text_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/io/file.h"
#include "core/random.h"
#include "core/storage.h"
#include "data/find_data_set.h"
#include "data/text/tabbed_lines.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

constexpr std::int64_t kMostPairBytes = std::int64_t{1} << 31;
constexpr std::uint64_t kPairSplitSeed = 1;  // of the fixed order: never the seed of a run
constexpr std::size_t kPoemLines = 4;        // title, author, and the two couplets

}  // namespace

PairData::PairData(const std::vector<TextPair>& pairs, std::string where, bool whole)
    : where_(std::move(where)) {
  if (whole) {
    if (pairs.empty()) fail<IoError>(where_, "holds no pairs");
    splits_[static_cast<int>(Split::validation)] = pairs;
    return;
  }
  std::map<std::string_view, std::vector<std::size_t>> by_source;
  for (std::size_t i = 0; i < pairs.size(); ++i) by_source[pairs[i].source].push_back(i);
  const auto sources = static_cast<std::int64_t>(by_source.size());
  if (sources < 3)
    fail<IoError>(where_, "holds {} different sources: it needs at least 3, one per split",
                  sources);
  std::vector<const std::vector<std::size_t>*> groups;
  for (const auto& [source, members] : by_source) groups.push_back(&members);
  const std::int64_t tenth = std::max<std::int64_t>(1, sources / 10);
  const Tensor order = Generator(kPairSplitSeed, "split").permutation(sources);
  for (std::int64_t k = 0; k < sources; ++k) {
    const Split split = k < tenth ? Split::test : k < 2 * tenth ? Split::validation : Split::train;
    for (const std::size_t i : *groups[static_cast<std::size_t>(order.data<std::int64_t>()[k])])
      splits_[static_cast<int>(split)].push_back(pairs[i]);
  }
}

std::vector<TextPair> parse_couplets(std::string_view text, const std::string& where) {
  std::vector<TextPair> pairs;
  std::vector<std::string_view> poem;
  std::int64_t number = 0;
  for_each_code_point(text, where, [](char32_t, std::size_t) {});
  const auto finish = [&] {
    if (!poem.empty() && poem.size() != kPoemLines)
      fail<IoError>(
          fmt::format("{}:{}", where, number),
          "a poem is a title, an author and two lines of verse, and this one has {} lines",
          poem.size());
    if (!poem.empty()) pairs.push_back({std::string(poem[2]), std::string(poem[3]), number - 1});
    poem.clear();
  };
  for (text = skip_bom(text); !text.empty();) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty())
      finish();
    else
      poem.push_back(line);
  }
  ++number;
  finish();
  return pairs;
}

TextPairs read_pairs(std::string_view name_or_path, bool old_rules) {
  static const TextColumns columns{"source",
                                   "target",
                                   {"src", "input", "question"},
                                   {"tgt", "trg", "output", "answer", "translation"}};
  TextPairs result;
  result.where = find_data_set(name_or_path);
  const std::string text = read_file(result.where, std::min(kMostPairBytes, memory_limit()));
  if (name_or_path == "tang") {
    result.pairs = parse_couplets(text, result.where);
    return result;
  }
  TextTable table = read_text_columns(text, result.where, columns,
                                      {.csv = is_csv(result.where), .old_rules = old_rules});
  for (TabbedLine& line : table.lines)
    result.pairs.push_back({std::move(line.left), std::move(line.right), line.line});
  result.notes = std::move(table.notes);
  return result;
}

PairData load_pairs(std::string_view name_or_path, bool whole) {
  const TextPairs all = read_pairs(name_or_path);
  return {all.pairs, all.where, whole};
}

}  // namespace weft::data
