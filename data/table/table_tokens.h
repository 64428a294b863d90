// A table as sequences of tokens: each row's features in order, and its last column as what is to
// be told.
#pragma once

#include <string>
#include <string_view>

#include "data/synthetic/token_data.h"
#include "data/table/csv.h"

namespace weft::data {

struct TableTokens {
  std::int64_t validation = 0;  ///< rows of the splits; 0: a fifth of all
  std::int64_t test = 0;
  std::int64_t train = 0;  ///< 0: all that are left
  bool binary = false;     ///< the target becomes 1 where it is at least `at_least`, else 0, to be
                           ///< told apart; else it is a number to be met
  double at_least = 0;
  bool standardize = false;
  bool old_rules = false;  ///< numbers become 32-bit floats before anything is computed from them,
                           ///< as runs before config format 3 had it
};

/// Rows (N, F + 1) become (N, F, 1): each column is a token of one feature, as Gorishniy et al.
/// 2021 (arXiv 2106.11959) read a table. (A row as one token of all its features would leave
/// attention a single token, over which softmax is 1, whatever it holds; models that want it so
/// flatten the tokens themselves.) Which rows are in which split is one fixed permutation, of no
/// seed. Features become 32-bit floats last of all, after they were standardized; targets that are
/// numbers stay 64-bit floats. Throws ConfigError for splits that leave no training rows, a table
/// without features, training rows (more than one) whose targets are all one number, and at_least
/// that leaves one class there; IoError for numbers beyond f32. The result's notes() name columns
/// that hold one value in all training rows, and those that lose their digits.
TokenData table_tokens(const CsvTable& table, const TableTokens& options, std::string source);
TokenData table_tokens(const Tensor& values, const TableTokens& options, std::string source);

/// The same from a file of separated values (data/table/csv.h), or the shipped set `wine`.
TokenData load_table_tokens(std::string_view name_or_path, const TableTokens& options);

}  // namespace weft::data
