// Who may include whom (the table of the design), and how long and how wide a file may be.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "tests/structure/source_files.h"

using namespace weft::structure;

namespace {

/// The walls of the house. A folder that has no line of its own belongs to the one above it; a
/// folder may include itself, and those named here.
const std::set<std::string> kOfATask = {"train/tasks/common", "train/loop", "train/config",
                                        "train/metrics",      "data",       "nn",
                                        "autograd",           "core",       "core/io"};

const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"core", {}},
    {"core/io", {"core"}},
    {"autograd", {"core"}},
    {"nn", {"autograd", "core"}},
    {"optim", {"autograd", "core"}},
    {"data", {"core", "core/io"}},
    {"train", {"*"}},  // weft.h, the header of the whole library
    {"train/config", {"data", "nn", "core", "core/io"}},
    {"train/loop", {"train/config", "optim", "data", "nn", "autograd", "core", "core/io"}},
    {"train/metrics", {"train/loop", "nn", "core"}},
    {"train/tasks/common",
     {"train/loop", "train/config", "data", "nn", "autograd", "core", "core/io"}},
    {"train/tasks/bert", kOfATask},
    {"train/tasks/classify", kOfATask},
    {"train/tasks/detect", kOfATask},
    {"train/tasks/embedding", kOfATask},
    {"train/tasks/recommend", kOfATask},
    {"train/tasks/sequence", kOfATask},
    {"train/tasks/table", kOfATask},
    {"train/tasks/text", kOfATask},
    {"train/tasks/tokens", kOfATask},
    {"train/tasks/translate", kOfATask},
    {"train/tasks/vision", kOfATask},
    {"train/tasks", {"train/tasks/*", "train/loop", "train/config", "core", "core/io"}},
    {"train/compare",
     {"train/tasks", "train/tasks/common", "train/loop", "train/config", "train/metrics", "data",
      "core", "core/io"}},
    {"train/page", {"core", "core/io"}},
    {"train/explain",
     {"train/tasks/common", "train/page", "train/metrics", "train/config", "data", "nn", "autograd",
      "core", "core/io"}},
    {"train/bench", {"train/page", "nn", "optim", "autograd", "core", "core/io"}},
    {"train/report", {"train/compare", "train/page", "core", "core/io"}},
    {"train/cli",
     {"train/tasks/common", "train/compare", "train/report", "train/explain", "train/bench",
      "train/page", "train/loop", "train/config", "data", "nn", "autograd", "core", "core/io"}},
};

std::vector<std::string> layers() { return {"core", "autograd", "nn", "optim", "data", "train"}; }

/// The line of the table that a file's folder belongs to.
std::string wall_of(const std::string& path) {
  std::string folder = path;
  do folder.resize(std::max<std::size_t>(folder.rfind('/'), 0));
  while (!kMayInclude.contains(folder) && folder.find('/') != std::string::npos);
  return folder;
}

bool may_include(const std::string& from, const std::string& to) {
  const std::set<std::string>& allowed = kMayInclude.at(from);
  return from == to || allowed.contains("*") || allowed.contains(to) ||
         allowed.contains(to.substr(0, to.rfind('/')) + "/*");
}

/// Numbers of the lines with more than 100 characters, without those of raw strings (which neither
/// clang-format nor anybody else can break).
std::vector<std::size_t> too_wide(const SourceFile& file) {
  static const std::regex kRawBegins(R"re(\bR"(\w*)\()re");
  std::vector<std::size_t> found;
  std::string raw_end;  // of the raw string that a line begins in
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    std::smatch match;
    const bool begins = raw_end.empty() && std::regex_search(line, match, kRawBegins);
    const bool raw = begins || !raw_end.empty();
    if (begins) raw_end = ")" + match[1].str() + "\"";
    const std::size_t from =
        begins ? static_cast<std::size_t>(match.position() + match.length()) : 0;
    if (!raw_end.empty() && line.find(raw_end, from) != std::string::npos) raw_end.clear();
    const auto characters = std::count_if(line.begin(), line.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
    if (!raw && characters > 100) found.push_back(i + 1);
  }
  return found;
}

/// What is wrong with one #include line of a file, or nothing.
std::string objection(const std::string& path, const std::string& line) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  std::smatch match;
  if (!std::regex_search(line, match, kInclude)) return "";
  const bool quoted = match[1] == "\"";
  const std::string target = match[2], first = target.substr(0, target.find('/'));
  if (first == "cblas.h" || target.find("openblas") != std::string::npos)
    return path.starts_with("core/blas.") ? "" : "only core/blas.* may include cblas";
  if (first == "tbb" || first == "oneapi")
    return path.starts_with("core/parallel.") ? "" : "only core/parallel.* may include TBB";
  // Heavy headers: seconds of each compilation that reads them.
  if (first == "boost")
    return path == "train/compare/distributions.cpp"
               ? ""
               : "only train/compare/distributions.cpp may include Boost";
  if (first == "toml++")
    return path == "train/compare/suite_file.cpp" || path == "train/config/config_sources.cpp"
               ? ""
               : "only the readers of suites and of configurations may include toml++";
  if (first == "CLI")
    return path.starts_with("train/cli/") ? "" : "only train/cli may include CLI11";
  if (target == "nlohmann/json.hpp" && path.ends_with(".h") && !path.starts_with("train/cli/") &&
      path != "train/loop/figures_json.h")
    return "a header names JSON by nlohmann/json_fwd.hpp";
  if (kMayInclude.contains(first)) {
    if (!quoted) return "own headers are included with quotes";
    const std::string from = wall_of(path), to = wall_of(target);
    return may_include(from, to) ? "" : from + " may not include " + to;
  }
  return quoted && first != "hwy" ? "own headers are named from the project's root" : "";
}

}  // namespace

TEST_CASE("every folder that the table names is there, and every folder of train is in it") {
  namespace fs = std::filesystem;
  const fs::path root = WEFT_SOURCE_DIR;
  for (const auto& [name, allowed] : kMayInclude) {
    CHECK_MESSAGE(fs::is_directory(root / name), name);
    for (const std::string& other : allowed)
      CHECK_MESSAGE((other.ends_with("*") || kMayInclude.contains(other)), name, ": ", other);
  }
  for (const char* parent : {"train", "train/tasks"})
    for (const auto& entry : fs::directory_iterator(root / parent))
      if (entry.is_directory() && entry.path().filename() != "suites")
        CHECK_MESSAGE(kMayInclude.contains(fs::relative(entry.path(), root).generic_string()),
                      entry.path().string());
}

TEST_CASE("core/README.md shows the table") {
  const SourceFile page = read_source("core/README.md");
  for (const auto& [name, allowed] : kMayInclude) {
    if (name == "train") continue;
    const bool kind = name.starts_with("train/tasks/") && name != "train/tasks/common";
    std::string row = "| `" + (kind ? "train/tasks/KIND" : name) + "` | ";
    if (allowed.empty()) row += "nothing";
    for (const std::string& other : allowed)
      row += (row.ends_with("| ") ? "`" : ", `") + other + "`";
    row += " |";
    CHECK_MESSAGE(std::find(page.lines.begin(), page.lines.end(), row) != page.lines.end(),
                  "write into the table of core/README.md: ", row);
  }
}

TEST_CASE("no arrows of the table go in a circle") {
  std::map<std::string, std::set<std::string>> left;
  for (const auto& [from, allowed] : kMayInclude)
    if (from != "train")
      for (const auto& [to, unused] : kMayInclude)
        if (from != to && to != "train" && may_include(from, to)) left[from].insert(to);
  // A folder that leads to none that is left is taken away, until none can be.
  for (bool again = true; again;) {
    again = false;
    for (auto it = left.begin(); it != left.end();) {
      std::erase_if(it->second, [&](const std::string& to) { return !left.contains(to); });
      again |= it->second.empty();
      it = it->second.empty() ? left.erase(it) : std::next(it);
    }
  }
  for (const auto& [from, to] : left) FAIL_CHECK(from, " is on a circle, or leads into one");
}

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
  CHECK(objection("train/tasks/text/text_task.h", "#include \"train/tasks/bert/fill_in.h\"") ==
        "train/tasks/text may not include train/tasks/bert");
  CHECK(objection("train/tasks/text/text_task.h", "#include \"train/tasks/kinds.h\"") ==
        "train/tasks/text may not include train/tasks");
  CHECK(objection("train/page/html.h", "#include \"train/compare/suite.h\"") ==
        "train/page may not include train/compare");
  CHECK(objection("core/error.h", "#include \"core/io/file.h\"") == "core may not include core/io");
  CHECK(objection("nn/linear.h", "#include \"optim/adam.h\"") == "nn may not include optim");
  CHECK(objection("optim/sgd.cpp", "#include \"nn/module.h\"") == "optim may not include nn");
  CHECK(objection("data/loader.cpp", "#include \"autograd/ops.h\"") ==
        "data may not include autograd");
  CHECK(objection("nn/linear.cpp", "#include <tbb/parallel_for.h>") ==
        "only core/parallel.* may include TBB");
  CHECK(objection("train/compare/power.cpp", "#include <boost/math/tools/roots.hpp>") ==
        "only train/compare/distributions.cpp may include Boost");
  CHECK(objection("train/loop/trainer.cpp", "#include <toml++/toml.h>") ==
        "only the readers of suites and of configurations may include toml++");
  CHECK(objection("train/bench/plan.cpp", "#include <CLI/CLI.hpp>") ==
        "only train/cli may include CLI11");
  CHECK(objection("train/loop/trainer.h", "#include <nlohmann/json.hpp>") ==
        "a header names JSON by nlohmann/json_fwd.hpp");
  CHECK(objection("core/kernels/dot.cpp", "#include <cblas.h>") ==
        "only core/blas.* may include cblas");
  CHECK(objection("core/kernels/dot.cpp", "#include \"dot.h\"") ==
        "own headers are named from the project's root");
  CHECK(objection("train/loop/trainer.cpp", "#include \"optim/adam.h\"").empty());
  CHECK(objection("core/blas.cpp", "#include <cblas.h>").empty());
}

TEST_CASE("no file is longer than 450 lines") {
  std::vector<std::string> folders = layers();
  folders.push_back("tests");
  const auto files =
      sources(folders, {".h", ".cpp", ".py", ".js", ".css", ".cmake", ".sh", ".txt"});
  CHECK(files.size() > 800);
  for (const SourceFile& file : files) {
    if (file.path.starts_with("data/sets/") || file.path.starts_with("tests/golden/files/") ||
        file.path == "tests/bits/hashes.txt")
      continue;
    CHECK_MESSAGE(file.lines.size() <= 450, file.path, " has ", file.lines.size(), " lines");
  }
}

TEST_CASE("no line is wider than 100 columns, but for raw strings") {
  std::vector<std::string> folders = layers();
  folders.push_back("tests");
  for (const SourceFile& file : sources(folders, {".h", ".cpp", ".js", ".css"})) {
    const std::vector<std::size_t> wide = too_wide(file);
    for (const std::size_t number : wide) FAIL_CHECK(file.path, ":", number, " is too wide");
  }
}

TEST_CASE("the test of columns counts characters, and passes over raw strings alone") {
  const std::string long_word(101, 'x');
  CHECK(too_wide({"a.cpp", {"int a;", long_word, "int b;"}}) == std::vector<std::size_t>{2});
  std::string chinese;
  for (int i = 0; i < 100; ++i) chinese += "中";
  CHECK(too_wide({"a.cpp", {chinese}}).empty());
  CHECK(too_wide({"a.cpp", {chinese + "中"}}) == std::vector<std::size_t>{1});
  CHECK(too_wide({"a.cpp", {"f(R\"(" + long_word, long_word, ")\");", long_word}}) ==
        std::vector<std::size_t>{4});
}
