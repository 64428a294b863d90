// The documents: README.md is short, every folder has one of its own, links lead somewhere, and the
// version is the same wherever it stands.
#include <doctest/doctest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "tests/structure/source_files.h"

using namespace weft::structure;

namespace {

namespace fs = std::filesystem;

std::string all_text(const SourceFile& file) {
  std::string text;
  for (const std::string& line : file.lines) text += line + "\n";
  return text;
}

std::vector<SourceFile> documents() {
  std::vector<SourceFile> all =
      sources({"core", "autograd", "nn", "optim", "data", "train", "tests", "docs"}, {".md"});
  for (const char* name : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"})
    all.push_back(read_source(name));
  return all;
}

/// The links of a document to files that are not there. Blocks of code hold no links.
std::vector<std::string> broken_links(const SourceFile& document) {
  static const std::regex kLink(R"(\]\(([^)\s]+)\))");
  std::vector<std::string> broken;
  bool code = false;
  for (const std::string& line : document.lines) {
    if (line.starts_with("```")) code = !code;
    if (code) continue;
    for (std::sregex_iterator it(line.begin(), line.end(), kLink), end; it != end; ++it) {
      std::string target = (*it)[1];
      if (target.find("://") != std::string::npos || target.starts_with("#")) continue;
      target = target.substr(0, target.find('#'));
      const fs::path path = fs::path(WEFT_SOURCE_DIR) / fs::path(document.path).parent_path();
      if (!fs::exists(path / target)) broken.push_back(target);
    }
  }
  return broken;
}

/// The first match of a pattern's group in a file, or nothing.
std::string first_match(const char* path, const char* pattern) {
  const std::string text = all_text(read_source(path));
  std::smatch match;
  return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : "";
}

}  // namespace

TEST_CASE("README.md has at most 120 lines, and none of other READMEs is a book") {
  const SourceFile page = read_source("README.md");
  REQUIRE(page.lines.size() > 50);
  CHECK(page.lines.size() <= 120);
  CHECK(all_text(page).find("train/report/demo.png") != std::string::npos);
}

TEST_CASE("every folder says what lives there, and how to add to it") {
  std::set<std::string> folders = {"core",  "core/io",     "core/kernels", "autograd",
                                   "nn",    "nn/models",   "optim",        "data",
                                   "train", "train/tasks", "tests"};
  for (const auto& entry : fs::directory_iterator(fs::path(WEFT_SOURCE_DIR) / "train"))
    if (entry.is_directory()) folders.insert("train/" + entry.path().filename().string());
  CHECK(folders.size() >= 21);
  for (const std::string& folder : folders) {
    const std::string text = all_text(read_source(folder + "/README.md"));
    CHECK_MESSAGE(text.size() > 300, folder, " has no README.md of a page");
    const bool says_how = text.find("To add") != std::string::npos ||
                          text.find("Adding") != std::string::npos || folder == "train";
    CHECK_MESSAGE(says_how, folder, "/README.md does not say how to add to it");
  }
}

TEST_CASE("every relative link of the documents leads to a file") {
  std::size_t links = 0;
  for (const SourceFile& document : documents()) {
    const std::string text = all_text(document);
    for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at + 1))
      ++links;
    for (const std::string& target : broken_links(document))
      CHECK_MESSAGE(false, document.path, ": ", target);
  }
  CHECK(links > 30);
  CHECK(broken_links({"train/README.md",
                      {"[a](config/README.md) [b](nowhere.md) [c](https://example.org)", "```",
                       "[d](code.md)", "```", "[e](../README.md#use)"}}) ==
        std::vector<std::string>{"nowhere.md"});
}

TEST_CASE("the version is that of the project wherever it stands") {
  const std::string version =
      first_match("CMakeLists.txt", R"(project\(weft VERSION (\d+\.\d+\.\d+))");
  REQUIRE_FALSE(version.empty());
  CHECK(first_match("CITATION.cff", R"(\nversion: (\S+)\n)") == version);
  CHECK(first_match("CHANGELOG.md", R"(\n## \[(\d[^\]]*)\])") == version);
}
