// Own metrics of suites: expressions and what they are made of.
#include "train/compare/expression.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/compare/sample_suite.h"

namespace weft::compare {
namespace {

double value_of(const std::string& text) {
  return Expression(text, "t").evaluate([](const std::string& name) {
    return name == "a" ? 3.0 : name == "b_2" ? 0.5 : std::nan("");
  });
}

std::string error_of(const std::string& text) {
  try {
    Expression(text, "t.toml:4");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("expressions have the values of arithmetic") {
  CHECK(value_of("1 + 2 * a - 4 / 8") == 6.5);
  CHECK(value_of("(1 + 2) * a") == 9);
  CHECK(value_of("2 - 3 - 4") == -5);
  CHECK(value_of("8 / 4 / 2") == 1);
  CHECK(value_of("-a * -(b_2 + 1e1)") == 31.5);
  CHECK(value_of("2.5e-1") == 0.25);
  CHECK(value_of("min(a, b_2) + max(a,b_2)") == 3.5);
  CHECK(value_of("sqrt(a * a) + abs(0 - 2) + exp(0) + log(1)") == 6);
  CHECK(std::isnan(value_of("unknown + 1")));
  CHECK(Expression("a + b_2 * a - log(c)", "t").names() ==
        std::vector<std::string>{"a", "b_2", "c"});
}

TEST_CASE("what is no expression is refused with its place") {
  CHECK(error_of("1 +") == "[t.toml:4] `1 +`: a number, a name or `(` is expected at `the end`");
  CHECK(error_of("a b") == "[t.toml:4] `a b`: an operator or the end is expected at `b`");
  CHECK(error_of("(a") == "[t.toml:4] `(a`: `)` is expected at `the end`");
  CHECK(error_of("1x") == "[t.toml:4] `1x`: a number is expected at `1x`");
  CHECK(error_of("sin(a)") ==
        "[t.toml:4] `sin(a)`: log, exp, sqrt, abs, min or max before `(` is expected at `sin(a)`");
  CHECK(error_of("min(a)") == "[t.toml:4] `min(a)`: min takes two values, got 1");
  CHECK(error_of(std::string(500, '(')).find("has more than 100 parts within each other") !=
        std::string::npos);
  CHECK(error_of("") != "");
}

TEST_CASE("an own metric is of what runs of the kind measure") {
  const auto with = [](const std::string& value, const std::string& name = "mine") {
    std::string text = sample::kSuite;
    text.replace(text.find("metric = \"test_loss\""), 20, "metric = \"mine\"");
    text.insert(text.find("[[task]]"), "[[metric]]\nname = \"" + name + "\"\nvalue = \"" + value +
                                           "\"\nbetter = \"higher\"\n\n");
    return text;
  };
  const Suite suite = parse_suite(with("1 / (test_loss * log(params))"), "s.toml");
  CHECK(suite.tasks[0].metric.name == "mine");
  CHECK_FALSE(suite.tasks[0].metric.lower_is_better);
  const auto message = [&](const std::string& text) {
    try {
      parse_suite(text, "s.toml");
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message(with("1 - test_accuracy"))
            .find("the metric mine uses test_accuracy, which no text run "
                  "measures") != std::string::npos);
  CHECK(message(with("1 -")).find("is expected at") != std::string::npos);
  CHECK(message(with("test_loss", "test_loss")).find("is measured: choose") != std::string::npos);
}

}  // namespace weft::compare
