#include "train/compare/expression.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/error.h"
#include "core/math.h"
#include "data/table/delimited.h"

namespace weft::compare {
namespace {

using Node = std::function<double(const ValueOf&)>;

constexpr int kDeepest = 100;  // parentheses within each other

/// expression: term (+|- term)*; term: factor (*|/ factor)*; factor: -factor, number, name,
/// function(expression, ...), (expression).
class Parser {
 public:
  Parser(const std::string& text, const std::string& where, std::vector<std::string>& names)
      : text_(text), where_(where), names_(names) {}

  Node whole() {
    Node node = expression(0);
    if (peek() != '\0') fail_here("an operator or the end");
    return node;
  }

 private:
  [[noreturn]] void fail_here(const std::string& wanted) {
    fail<ConfigError>(where_, "`{}`: {} is expected at `{}`", text_, wanted,
                      at_ < text_.size() ? text_.substr(at_) : "the end");
  }
  char peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  Node expression(int depth) {
    Node node = term(depth);
    while (true) {
      if (take('+')) {
        node = [a = node, b = term(depth)](const ValueOf& v) { return a(v) + b(v); };
      } else if (take('-')) {
        node = [a = node, b = term(depth)](const ValueOf& v) { return a(v) - b(v); };
      } else {
        return node;
      }
    }
  }
  Node term(int depth) {
    Node node = factor(depth);
    while (true) {
      if (take('*')) {
        node = [a = node, b = factor(depth)](const ValueOf& v) { return a(v) * b(v); };
      } else if (take('/')) {
        node = [a = node, b = factor(depth)](const ValueOf& v) { return a(v) / b(v); };
      } else {
        return node;
      }
    }
  }
  Node factor(int depth) {
    if (depth > kDeepest)
      fail<ConfigError>(where_, "`{}` has more than {} parts within each other", text_, kDeepest);
    if (take('-')) return [a = factor(depth + 1)](const ValueOf& v) { return -a(v); };
    if (take('(')) {
      Node node = expression(depth + 1);
      if (!take(')')) fail_here("`)`");
      return node;
    }
    const char first = peek();
    if (std::isdigit(static_cast<unsigned char>(first)) != 0 || first == '.') return number();
    if (std::isalpha(static_cast<unsigned char>(first)) != 0 || first == '_') return named(depth);
    fail_here("a number, a name or `(`");
  }
  Node number() {
    std::size_t end = at_;
    while (end < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '.' ||
            ((text_[end] == '-' || text_[end] == '+') &&
             (text_[end - 1] == 'e' || text_[end - 1] == 'E'))))
      ++end;
    const auto value = data::field_number(text_.substr(at_, end - at_));
    if (!value) fail_here("a number");
    at_ = end;
    return [value = *value](const ValueOf&) { return value; };
  }
  Node named(int depth) {
    std::size_t end = at_;
    while (end < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '_'))
      ++end;
    const std::size_t begin = at_;
    const std::string name = text_.substr(at_, end - at_);
    at_ = end;
    if (!take('(')) {
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
      return [name](const ValueOf& v) { return v(name); };
    }
    std::vector<Node> of{expression(depth + 1)};
    while (take(',')) of.push_back(expression(depth + 1));
    if (!take(')')) fail_here("`)`");
    const bool two = name == "min" || name == "max";
    const bool one = name == "log" || name == "exp" || name == "sqrt" || name == "abs";
    if (!one && !two) {
      at_ = begin;
      fail_here("log, exp, sqrt, abs, min or max before `(`");
    }
    if (of.size() != (two ? 2u : 1u))
      fail<ConfigError>(where_, "`{}`: {} takes {}, got {}", text_, name,
                        two ? "two values" : "one value", of.size());
    const Node a = of[0];
    if (name == "min") return [a, b = of[1]](const ValueOf& v) { return std::min(a(v), b(v)); };
    if (name == "max") return [a, b = of[1]](const ValueOf& v) { return std::max(a(v), b(v)); };
    if (name == "log") return [a](const ValueOf& v) { return math::log(a(v)); };
    if (name == "exp") return [a](const ValueOf& v) { return math::exp(a(v)); };
    if (name == "sqrt") return [a](const ValueOf& v) { return std::sqrt(a(v)); };
    return [a](const ValueOf& v) { return std::abs(a(v)); };
  }

  const std::string& text_;
  const std::string& where_;
  std::vector<std::string>& names_;
  std::size_t at_ = 0;
};

}  // namespace

Expression::Expression(const std::string& text, const std::string& where)
    : root_(Parser(text, where, names_).whole()) {}

}  // namespace weft::compare
