// <weft/weft.h> is the whole library, and options of two sizes are Size2.
//
// A header of core, autograd, nn, optim or data is public unless it lies in a folder `kernels` or
// `samples`, or its opening comment says "Not for users" or "Private to". Public ones must be
// reached from train/weft.h, private ones may not: what it reaches is installed, and no more
// (core/cmake/install.cmake).
#include <doctest/doctest.h>

#include <map>
#include <regex>
#include <set>

#include "tests/structure/source_files.h"

using namespace weft::structure;

namespace {

/// What stands above `#pragma once`, in one line.
std::string opening_comment(const SourceFile& header) {
  std::string text;
  for (const std::string& line : header.lines) {
    if (!line.starts_with("//")) break;
    text += line.substr(2);
  }
  return text;
}

bool is_public(const SourceFile& header) {
  if (header.path.find("/kernels/") != std::string::npos) return false;
  if (header.path.find("/samples/") != std::string::npos) return false;
  const std::string opening = opening_comment(header);
  return opening.find("Not for users") == std::string::npos &&
         opening.find("Private to") == std::string::npos;
}

std::set<std::string> reached_from(const std::string& root,
                                   const std::map<std::string, SourceFile>& headers) {
  static const std::regex kInclude(R"re(^#include "([^"]+)")re");
  std::set<std::string> reached;
  std::vector<std::string> open{root};
  while (!open.empty()) {
    const std::string path = open.back();
    open.pop_back();
    if (!headers.contains(path) || !reached.insert(path).second) continue;
    for (const std::string& line : headers.at(path).lines)
      if (std::smatch match; std::regex_search(line, match, kInclude)) open.push_back(match[1]);
  }
  return reached;
}

/// Public headers that `root` does not reach.
std::vector<std::string> missing_from(const std::string& root,
                                      const std::map<std::string, SourceFile>& headers) {
  const std::set<std::string> reached = reached_from(root, headers);
  std::vector<std::string> missing;
  for (const auto& [path, header] : headers)
    if (!path.starts_with("train/") && is_public(header) && !reached.contains(path))
      missing.push_back(path);
  return missing;
}

/// Private headers that `root` reaches.
std::vector<std::string> private_reached(const std::string& root,
                                         const std::map<std::string, SourceFile>& headers) {
  std::vector<std::string> found;
  for (const std::string& path : reached_from(root, headers))
    if (!is_public(headers.at(path)) && path != root) found.push_back(path);
  return found;
}

/// Members of options that a single number would set half of.
std::vector<std::string> half_set(const SourceFile& header) {
  static const std::regex kPair(
      R"(^\s+(std::array<(std::)?int64_t, 2>|std::pair<(std::)?int64_t, (std::)?int64_t>|(std::)?int64_t\s+\w+\[2\]))");
  std::vector<std::string> found;
  for (const std::string& line : header.lines)
    if (std::regex_search(line, kPair)) found.push_back(header.path + ": " + line);
  return found;
}

}  // namespace

TEST_CASE("weft.h reaches every public header") {
  std::map<std::string, SourceFile> headers;
  for (SourceFile& header : sources({"core", "autograd", "nn", "optim", "data", "train"}, {".h"})) {
    std::string path = header.path;
    headers.emplace(std::move(path), std::move(header));
  }
  REQUIRE(headers.size() > 100);
  for (const std::string& path : missing_from("train/weft.h", headers))
    CHECK_MESSAGE(false, path,
                  " is public, but weft.h does not include it: include it there (or in nn.h, "
                  "ops.h, data.h), or say \"Not for users\" in its opening comment");
  for (const std::string path :
       {"nn/models/detr.h", "nn/models/faster_rcnn.h", "nn/boxes.h", "core/io/npy.h"})
    CHECK(is_public(headers.at(path)));
  CHECK(reached_from("train/weft.h", headers).size() > 80);
  for (const std::string& path : private_reached("train/weft.h", headers))
    CHECK_MESSAGE(false, path, " is private, but weft.h reaches it, so that it would be installed");
}

TEST_CASE("a public header that nothing includes is found, a private one is not asked for") {
  const std::map<std::string, SourceFile> headers = {
      {"train/weft.h", {"train/weft.h", {"// All.", "#include \"nn/a.h\""}}},
      {"nn/a.h", {"nn/a.h", {"// A."}}},
      {"nn/b.h", {"nn/b.h", {"// B."}}},
      {"nn/c.h", {"nn/c.h", {"// C. Not for", "// users."}}},
      {"core/kernels/d.h", {"core/kernels/d.h", {"// D."}}}};
  CHECK(missing_from("train/weft.h", headers) == std::vector<std::string>{"nn/b.h"});
  CHECK(private_reached("train/weft.h", headers).empty());
}

TEST_CASE("a private header that a public one includes is found") {
  const std::map<std::string, SourceFile> headers = {
      {"train/weft.h", {"train/weft.h", {"// All.", "#include \"nn/a.h\""}}},
      {"nn/a.h", {"nn/a.h", {"// A.", "#include \"nn/c.h\""}}},
      {"nn/c.h", {"nn/c.h", {"// C. Not for users."}}}};
  CHECK(private_reached("train/weft.h", headers) == std::vector<std::string>{"nn/c.h"});
}

TEST_CASE("no option of ops and modules is a pair that one number sets by half") {
  for (const SourceFile& header : sources({"autograd/ops", "nn", "data"}, {".h"}))
    for (const std::string& line : half_set(header))
      CHECK_MESSAGE(false, line, ": use Size2 (core/size2.h)");
  CHECK(half_set({"x.h",
                  {"struct O {", "  std::array<std::int64_t, 2> stride{1, 1};",
                   "  std::int64_t kernel[2];", "  Size2 padding = 0;"}})
            .size() == 2);
}
