// An own metric of a suite: an expression over what runs measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace weft::compare {

/// Value of a name in an expression.
using ValueOf = std::function<double(const std::string& name)>;

/// `(1 - test_accuracy) / log(peak_mib)`: numbers, names, + - * / and parentheses, and the
/// functions log (natural), exp, sqrt, abs, min and max. Throws ConfigError, `[where] ...`, with
/// the place of what cannot be read.
class Expression {
 public:
  Expression(const std::string& text, const std::string& where);

  double evaluate(const ValueOf& value_of) const { return root_(value_of); }
  /// The names in it, each once, in their order.
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;  // that reading fills in: before the root
  std::function<double(const ValueOf&)> root_;
};

}  // namespace weft::compare
