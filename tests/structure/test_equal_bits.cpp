// What would make results depend on the machine does not reach them: the C library's functions,
// whose variants differ by CPU; multiply-adds that fuse on some instruction sets only; sums over as
// many lanes as a vector happens to have; distributions and sums that the standard leaves open.
#include <doctest/doctest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include "tests/structure/source_files.h"

using namespace weft::structure;

namespace {

/// What parameters, metrics and samples are made by.
const std::vector<std::string> kFolders{"core",       "autograd",      "nn",
                                        "optim",      "data",          "train/config",
                                        "train/loop", "train/metrics", "train/tasks"};

struct Rule {
  const char* pattern;
  const char* instead;
  std::vector<std::string> allowed;  ///< files that may
};

const Rule kRules[] = {
    {R"((\bstd|^|[^:\w])::(exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|)"
     R"(tanh|erf|erfc|tgamma|lgamma|cbrt|hypot|fma)f?\()",
     "core/math.h has it with the same bits everywhere",
     {"core/math.cpp", "core/math.h", "core/kernels/fused-inl.h", "core/kernels/bf16.h",
      "autograd/gradcheck.cpp"}},  // a step's size, which no run has
    {R"(\bhn::(MulAdd|NegMulAdd|MulSub|NegMulSub)\b)",
     "core/kernels/fused-inl.h rounds once on every instruction set",
     {"core/kernels/fused-inl.h"}},
    {R"(\bhn::(SumOfLanes|ReduceSum|ApproximateReciprocal|ApproximateReciprocalSqrt)\b)",
     "core/kernels/rows-inl.h adds in one order",
     {}},
    {R"(\bstd::(normal|uniform_real|uniform_int|bernoulli|discrete|exponential)_distribution\b|)"
     R"(\bstd::(shuffle|sample|generate_canonical|reduce|transform_reduce)\b)",
     "the standard leaves open what it does: core/random.h, or a loop",
     {}},
};

bool is_reference(const std::string& path) { return path.find("/samples/") != std::string::npos; }

/// What breaks a rule, as "path:line: ...".
std::vector<std::string> violations(const std::vector<SourceFile>& files) {
  std::vector<std::string> found;
  for (const Rule& rule : kRules) {
    const std::regex pattern(rule.pattern);
    for (const SourceFile& file : files) {
      if (is_reference(file.path) ||
          std::find(rule.allowed.begin(), rule.allowed.end(), file.path) != rule.allowed.end())
        continue;
      for (std::size_t i = 0; i < file.lines.size(); ++i) {
        const std::string code = file.lines[i].substr(0, file.lines[i].find("//"));
        std::smatch match;
        if (std::regex_search(code, match, pattern))
          found.push_back(file.path + ":" + std::to_string(i + 1) + ": " + match.str() + ": " +
                          rule.instead);
      }
    }
  }
  return found;
}

}  // namespace

TEST_CASE("nothing that results are made by depends on the machine") {
  const auto files = sources(kFolders);
  REQUIRE(files.size() > 100);
  for (const std::string& violation : violations(files)) FAIL_CHECK(violation);
}

TEST_CASE("the rules find what they are for, and the allowed files exist") {
  const std::vector<SourceFile> bad{
      {"core/kernels/bad.cpp",
       {"y = std::exp(x);", "v = hn::MulAdd(a, b, c);", "s = hn::SumOfLanes(d, v);",
        "std::shuffle(a, b, g);", "float z = ::powf(x, y);", "// std::exp(x) in a comment"}}};
  CHECK(violations(bad).size() == 5);
  for (const Rule& rule : kRules)
    for (const std::string& file : rule.allowed) CHECK(!read_source(file).lines.empty());
}
