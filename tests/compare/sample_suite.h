// A suite that says everything, and what parse_suite() says of one that is a little different.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tests/core/error_text.h"
#include "train/compare/suite.h"

namespace weft::compare::sample {

inline const std::string kSuite = R"(name = "heads"
question = { en = "Do more heads help?", zh = "头多有用吗？" }
kind = "text"
seeds = 8
margin = 0.01
lr_factors = [0.5, 1, 2]

[budget]
equal = "parameters"
reference = "one"

[base]
preset = "text-best"
steps = 50
width = 30
heads = 1

[[task]]
name = "shakespeare"
about = "characters"
metric = "test_loss"
chance = 4.2
ceiling = 1.4
set = { data = "shakespeare" }

[[task]]
name = "tang"
metric = "test_bits_per_byte"
margin = 0.2
set.data = "tang"
set.steps = 60

[[arm]]
name = "one"
about = "one head"

[[arm]]
name = "four"
set = { heads = 4, lr = 3e-3 }

[[arm]]
name = "wide"
unequal = true
tasks = ["tang"]
[arm.set]
width = 64

[[contrast]]
task = "shakespeare"
a = "four"
b = "one"
question = "Are four better than one?"
expect = "better"
expectation = { en = "Vaswani et al. 2017" }

[[contrast]]
task = "tang"
a = "wide"
b = "one"
question = "Is wide better?"

[[control]]
arms = ["one"]
tasks = ["shakespeare"]
expect = "ceiling"
within = 0.5

[quick]
seeds = [3, 4, 5, 6, 7, 8]
tasks = ["shakespeare"]
arms = ["one", "four"]
set = { steps = 5 }
)";

/// kSuite with the one place that says `from` saying `to`.
inline std::string changed(const std::string& from, const std::string& to) {
  std::string text = kSuite;
  const auto place = text.find(from);
  REQUIRE_MESSAGE(place != std::string::npos, "not in the suite: " << from);
  return text.replace(place, from.size(), to);
}

inline std::string suite_error(const std::string& text) {
  return weft::test::error_text<ConfigError>([&] { parse_suite(text, "s.toml"); });
}
inline std::string error_of(const std::string& from, const std::string& to) {
  return suite_error(changed(from, to));
}

inline Suite good() { return parse_suite(kSuite, "s.toml"); }

}  // namespace weft::compare::sample
