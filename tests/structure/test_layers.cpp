// Who may include whom (the table of the design), and how long a file may be.
#include <doctest/doctest.h>

#include <map>
#include <regex>
#include <set>

#include "tests/structure/source_files.h"

using namespace weft::structure;

namespace {

const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"core", {"core"}},
    {"autograd", {"autograd", "core"}},
    {"nn", {"nn", "autograd", "core"}},
    {"optim", {"optim", "autograd", "core"}},
    {"data", {"data", "core"}},
    {"train", {"train", "nn", "optim", "data", "autograd", "core"}},
};

std::vector<std::string> layers() {
  std::vector<std::string> names;
  for (const auto& [name, allowed] : kMayInclude) names.push_back(name);
  return names;
}

/// What is wrong with one #include line of a file, or nothing.
std::string objection(const std::string& path, const std::string& line) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  std::smatch match;
  if (!std::regex_search(line, match, kInclude)) return "";
  const bool quoted = match[1] == "\"";
  const std::string target = match[2], layer = path.substr(0, path.find('/')),
                    first = target.substr(0, target.find('/'));
  if (first == "cblas.h" || target.find("openblas") != std::string::npos)
    return path.starts_with("core/blas.") ? "" : "only core/blas.* may include cblas";
  if (first == "tbb" || first == "oneapi")
    return path.starts_with("core/parallel.") ? "" : "only core/parallel.* may include TBB";
  if (kMayInclude.contains(first)) {
    if (!quoted) return "own headers are included with quotes";
    return kMayInclude.at(layer).contains(first) ? "" : layer + " may not include " + first;
  }
  return quoted && first != "hwy" ? "own headers are named from the project's root" : "";
}

}  // namespace

TEST_CASE("no file includes a layer above or beside its own") {
  int includes = 0;
  for (const SourceFile& file : sources(layers()))
    for (const std::string& line : file.lines) {
      if (line.find("#include") == std::string::npos) continue;
      ++includes;
      CHECK_MESSAGE(objection(file.path, line).empty(), file.path, ": ", line, ": ",
                    objection(file.path, line));
    }
  CHECK(includes > 100);
}

TEST_CASE("the include test sees what it forbids") {
  CHECK(objection("core/tensor.cpp", "#include \"autograd/autograd.h\"") ==
        "core may not include autograd");
  CHECK(objection("nn/linear.h", "#include \"optim/adam.h\"") == "nn may not include optim");
  CHECK(objection("optim/sgd.cpp", "#include \"nn/module.h\"") == "optim may not include nn");
  CHECK(objection("data/loader.cpp", "#include \"autograd/ops.h\"") ==
        "data may not include autograd");
  CHECK(objection("nn/linear.cpp", "#include <tbb/parallel_for.h>") ==
        "only core/parallel.* may include TBB");
  CHECK(objection("core/kernels/dot.cpp", "#include <cblas.h>") ==
        "only core/blas.* may include cblas");
  CHECK(objection("core/kernels/dot.cpp", "#include \"dot.h\"") ==
        "own headers are named from the project's root");
  CHECK(objection("train/trainer.cpp", "#include \"optim/adam.h\"").empty());
  CHECK(objection("core/blas.cpp", "#include <cblas.h>").empty());
}

TEST_CASE("no file is longer than 600 lines") {
  std::vector<std::string> folders = layers();
  folders.insert(folders.end(), {"tests", "cmake", "tools"});
  for (const SourceFile& file : sources(folders, {".h", ".cpp", ".py", ".cmake", ".sh"}))
    CHECK_MESSAGE(file.lines.size() <= 600, file.path, " has ", file.lines.size(), " lines");
}
