// Labelled texts: a file of `label<TAB>text` lines in three splits that are always the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/split.h"

namespace weft::data {

struct LabelledText {
  std::int64_t label = 0;
  std::string text;
};

struct LabelledOptions {
  double validation = 0.1;  ///< shares of every class
  double test = 0.1;
  std::int64_t max_classes = 1000;
};

/// Copies share nothing; sizes are those of the file.
class LabelledData {
 public:
  /// `text` holds one example a line; empty lines count for nothing. Each class is split by the shares, in an order that depends on nothing but the
  /// texts; equal texts (the SMS collection holds some 400 twice and more) stay in one split, so that none is judged that was trained on.
  /// Throws IoError `[where:LINE] ...` for a line without a tab, without a label, without a text, or not UTF-8; for a file without examples, of a single
  /// class, with more than max_classes, and with a class too small to be in all three. ConfigError for shares that cannot be.
  LabelledData(std::string_view text, const LabelledOptions& options, std::string where);

  /// Labels' names, in the order of the alphabet.
  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<LabelledText>& examples(Split split) const { return splits_[static_cast<int>(split)]; }
  /// Examples of each class.
  std::vector<std::int64_t> counts(Split split) const;
  /// The class with the fewest training examples: what is looked for, and what F1 is of.
  std::int64_t rarest() const;
  /// The number of a class. Throws ConfigError, naming those there are.
  std::int64_t label_of(std::string_view name) const;
  const std::string& source() const { return where_; }
  /// All texts of a split, a line each.
  std::string joined(Split split) const;

 private:
  std::string where_;
  std::vector<std::string> classes_;
  std::vector<LabelledText> splits_[3];
};

/// Loads a file, or a shipped set by name (`sms-spam`). Throws IoError, ConfigError.
LabelledData load_labelled(std::string_view name_or_path, const LabelledOptions& options = {});

/// Whether a file's name says that it holds labelled lines: `.tsv`.
bool is_labelled(std::string_view path);

}  // namespace weft::data
