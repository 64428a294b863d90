// Every module and model of nn has a sample, so that its gradients are checked.
#include <doctest/doctest.h>

#include <regex>
#include <set>

#include "autograd/sample.h"
#include "tests/structure/source_files.h"

using namespace weft::structure;

TEST_CASE("every module has a sample") {
  static const std::regex kClass(R"(^class (\w+) : public (Module|Norm|Model) \{)");
  const std::set<std::string> without{"Norm", "Model", "ModuleList"};  // abstract, or without a forward of its own
  std::set<std::string> sampled, declared;
  for (const auto& entry : weft::samples::all())
    if (entry.kind != weft::samples::Kind::op) sampled.insert(entry.name);
  for (const SourceFile& file : sources({"nn"}, {".h"}))
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, kClass) || without.contains(match[1])) continue;
      declared.insert(match[1]);
      CHECK_MESSAGE(sampled.contains(match[1]), file.path, ": ", match[1].str(), " has no sample");
    }
  CHECK(declared.size() >= 14);
  for (const std::string& name : sampled) CHECK_MESSAGE(declared.contains(name), "the sample ", name, " names no class of nn/");
}
