// Labeled texts: a file of labels and texts in three splits that are always the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/split.h"

namespace weft::data {

struct LabeledText {
  std::int64_t label = 0;
  std::string text;
};

struct LabeledOptions {
  double validation = 0.1;  ///< shares of every class
  double test = 0.1;
  std::int64_t max_classes = 1000;
  bool whole =
      false;  ///< not split: everything is the validation split, however few there are of a class
  bool csv = false;        ///< fields as in RFC 4180; load_labeled() tells it by the file's name
  bool old_rules = false;  ///< as runs before config format 3 read it: the label, a tab, and all
                           ///< the rest is the text
};

/// Copies share nothing; sizes are those of the file.
class LabeledData {
 public:
  /// `text` holds one example a line (data/text/tabbed_lines.h); empty lines count for nothing.
  /// Which column is the label says a header (label, class, category, sentiment, ...; text,
  /// sentence, message, review, ...). Without one it is the first, unless only the second has few
  /// and short values: that is said in notes(). Each class is split by the shares, in an order that
  /// depends on nothing but the texts; equal texts (the SMS collection holds some 400 twice and
  /// more) stay in one split, so that none is judged that was trained on. Throws IoError
  /// `[where:LINE] ...` for a line without a tab, without a label, without a text, or not UTF-8;
  /// for a file without examples, of a single class, with more than max_classes, one whose columns
  /// could both be the label, and with a class too small to be in all three. ConfigError for shares
  /// that cannot be.
  LabeledData(std::string_view text, const LabeledOptions& options, std::string where);

  /// Labels' names, in the order of the alphabet.
  const std::vector<std::string>& classes() const { return classes_; }
  /// Of a split.
  const std::vector<LabeledText>& examples(Split split) const {
    return splits_[static_cast<int>(split)];
  }
  /// Examples of each class.
  std::vector<std::int64_t> counts(Split split) const;
  /// The class with the fewest training examples: what is looked for, and what F1 is of.
  std::int64_t rarest() const;
  /// The number of a class. Throws ConfigError, naming those there are.
  std::int64_t label_of(std::string_view name) const;
  const std::string& source() const { return where_; }  ///< where the texts are from
  /// What whoever trains on them should know, in sentences.
  const std::vector<std::string>& notes() const { return notes_; }
  /// All texts of a split, a line each.
  std::string joined(Split split) const;

 private:
  std::string where_;
  std::vector<std::string> notes_;
  std::vector<std::string> classes_;
  std::vector<LabeledText> splits_[3];
};

/// Loads a file, or a shipped set by name (`sms-spam`). Throws IoError, ConfigError.
LabeledData load_labeled(std::string_view name_or_path, const LabeledOptions& options = {});

/// Whether a file's name says that it holds labeled lines: `.tsv`, `.csv`.
bool is_labeled(std::string_view path);

}  // namespace weft::data
