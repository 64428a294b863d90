// Pairs of texts: what a model reads, and what it is to write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/split.h"

namespace weft::data {

struct TextPair {
  std::string source;
  std::string target;
  std::int64_t line = 0;  ///< of the file, from 1
};

/// Three splits that are always the same, 80, 10 and 10 % of the sources; equal sources stay in one
/// split, so that none is judged that was trained on.
class PairData {
 public:
  /// Throws IoError `[where] ...` where there are fewer than three different sources.
  /// With `whole` they are not split: all are the validation split, however few.
  PairData(const std::vector<TextPair>& pairs, std::string where, bool whole = false);

  /// The pairs of a split.
  const std::vector<TextPair>& pairs(Split split) const { return splits_[static_cast<int>(split)]; }
  const std::string& source() const { return where_; }  ///< where the pairs are from

 private:
  std::string where_;
  std::vector<TextPair> splits_[3];
};

/// Quatrains, each a title, an author, and two lines of verse, with blank lines between poems: the
/// second line of verse is to be written to the first. Throws IoError `[where:LINE] ...` for a poem
/// of more or fewer lines, and for text that is not UTF-8.
std::vector<TextPair> parse_couplets(std::string_view text, const std::string& where);

/// The pairs of a file, and what there is to say of it.
struct TextPairs {
  std::vector<TextPair> pairs;
  std::string where;
  std::vector<std::string> notes;  ///< columns that were left out
};

/// `tang`, the shipped quatrains, or a file of lines of a source, a tab and a target
/// (data/text/tabbed_lines.h; a `.csv` file: separated and quoted as in RFC 4180). A header of
/// source and target, src and tgt, input and output, question and answer says where they stand;
/// further columns, such as the license in files of Tatoeba and Anki, are left out with a note.
/// `old_rules`: as runs before config format 3 read it, where they were part of the target. Throws
/// IoError.
TextPairs read_pairs(std::string_view name_or_path, bool old_rules = false);
/// Reads pairs by the name of a set that ships, or from a file. Throws IoError.
PairData load_pairs(std::string_view name_or_path, bool whole = false);

}  // namespace weft::data
