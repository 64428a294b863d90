// The installed package: a user's project finds it, builds against it, and trains; the examples of
// the documents compile against it.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "core/io/file.h"
#include "tests/cli/run_program.h"
#include "tests/structure/source_files.h"

using namespace weft;
using test::Outcome;
using test::Running;
using test::TempFolder;

namespace {

Outcome run(const TempFolder& folder, const std::vector<std::string>& words) {
  Outcome outcome = Running(words, folder).wait();
  CAPTURE(outcome.out);
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  return outcome;
}

/// The blocks of C++ that stand in a document, each a program or declarations.
std::vector<std::string> examples_of(const structure::SourceFile& document) {
  std::vector<std::string> examples;
  bool inside = false;
  for (const std::string& line : document.lines) {
    if (inside && line.starts_with("```"))
      inside = false;
    else if (inside)
      examples.back() += line + "\n";
    else if (line.starts_with("```cpp")) {
      inside = true;
      examples.emplace_back();
    }
  }
  return examples;
}

/// Writes them as files of C++; how many there were.
int write_examples(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::vector<structure::SourceFile> documents =
      structure::sources({"core", "autograd", "nn", "optim", "data", "train", "tests"}, {".md"});
  documents.push_back(structure::read_source("README.md"));
  int count = 0;
  for (const structure::SourceFile& document : documents)
    for (const std::string& example : examples_of(document)) {
      const std::string include = "#include <weft/weft.h>\n";
      write_file((folder / ("example_" + std::to_string(count++) + ".cpp")).string(),
                 "// From " + document.path + ".\n" +
                     (example.starts_with("#include <weft/weft.h>") ? "" : include) + example);
    }
  return count;
}

}  // namespace

TEST_CASE("cmake --install, find_package(weft), #include <weft/weft.h>") {
  const TempFolder folder;
  const std::string source = std::string(WEFT_SOURCE_DIR);
  const std::string prefix = (folder / "prefix").string();
  const std::string build = (folder / "build").string();
  run(folder, {"cmake", "--install", WEFT_BINARY_DIR, "--prefix", prefix});
  std::string flags = "-O1";
#if defined(__SANITIZE_ADDRESS__)
  flags += " -fsanitize=address,undefined";
#elif defined(__SANITIZE_THREAD__)
  flags += " -fsanitize=thread";
#endif
  CHECK(write_examples(folder / "examples") >= 3);
  run(folder, {"cmake", "-S", source + "/tests/consumer", "-B", build, "-G", "Ninja",
               "-DCMAKE_PREFIX_PATH=" + prefix, "-DCMAKE_CXX_FLAGS=" + flags,
               "-DWEFT_EXAMPLES=" + (folder / "examples").string()});
  run(folder, {"cmake", "--build", build});
  const Outcome outcome =
      run(folder, {build + "/consumer", source + "/data/sets/tinyshakespeare.txt", "20"});
  CHECK(outcome.out.rfind("loss ", 0) == 0);
  // Public headers and no others are there.
  int headers = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(prefix + "/include")) {
    if (entry.path().extension() != ".h") continue;
    ++headers;
    const std::string text = read_file(entry.path().string()),
                      opening = text.substr(0, text.find("#pragma once"));
    CHECK_MESSAGE(
        (opening.find("Not for users") == std::string::npos || entry.path().filename() == "weft.h"),
        entry.path().string());
  }
  CHECK(headers > 100);
  for (const char* absent : {"core/kernels", "nn/samples", "train/cli", "train/compare"})
    CHECK_MESSAGE(!std::filesystem::exists(prefix + "/include/weft/" + absent), absent);
  // The installed program finds the data that were installed with it.
  const Outcome info = run(folder, {prefix + "/bin/weft", "info", "--json"});
  CHECK(nlohmann::json::parse(info.out)["version"].is_string());
}
