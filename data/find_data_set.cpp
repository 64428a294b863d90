#include "data/find_data_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "core/error.h"

namespace weft::data {
namespace fs = std::filesystem;
namespace {

struct ShippedSet {
  std::string_view name;
  std::string_view file;
};

constexpr std::array kShippedSets = {ShippedSet{"shakespeare", "tinyshakespeare.txt"},
                                     ShippedSet{"tang", "tang-quatrains.txt"},
                                     ShippedSet{"mnist", "mnist"},
                                     ShippedSet{"sms-spam", "sms-spam.tsv"},
                                     ShippedSet{"wine", "winequality-white.csv"},
                                     ShippedSet{"adult", "adult.csv"}};

bool exists_here(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Whether a user has meant a file or folder, not the name of a set: it has a folder before it or
/// an ending.
bool looks_like_path(const std::string& given) {
  return given.find('/') != std::string::npos || fs::path(given).has_extension() || given == "." ||
         given == "..";
}

}  // namespace

std::vector<std::string> data_set_folders() {
  std::vector<std::string> folders;
  const auto add = [&](const fs::path& path) {
    auto text = path.lexically_normal().string();
    if (std::find(folders.begin(), folders.end(), text) == folders.end())
      folders.push_back(std::move(text));
  };
  if (const char* from_environment = std::getenv("WEFT_DATA");
      from_environment != nullptr && *from_environment != '\0')
    add(from_environment);
  add("data/sets");
  std::error_code error;
  const auto program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const auto folder = program.parent_path();
    // build/release/weft, build/release/tests/test_data, build/weft; then bin/weft of an installed
    // package.
    for (const auto* place :
         {"../../data/sets", "../../../data/sets", "../data/sets", "../share/weft/data"})
      add(folder / place);
  }
  return folders;
}

std::vector<std::string> shipped_data_sets() {
  std::vector<std::string> names;
  for (const auto& set : kShippedSets) names.emplace_back(set.name);
  return names;
}

std::string find_data_set(std::string_view name_or_path) {
  if (name_or_path.empty())
    fail<ConfigError>("data", "no data set given: name a file, or one of {}",
                      fmt::join(shipped_data_sets(), ", "));
  const std::string given(name_or_path);
  if (given.find('\0') != std::string::npos) fail<ConfigError>("data", "a path with a zero byte");
  const auto named = std::find_if(kShippedSets.begin(), kShippedSets.end(),
                                  [&](const auto& set) { return set.name == name_or_path; });
  if (named == kShippedSets.end() && exists_here(given)) return given;
  std::string_view file = named == kShippedSets.end() ? std::string_view() : named->file;
  for (const auto& set : kShippedSets) {
    if (set.file == name_or_path) file = set.file;
  }
  if (file.empty() && looks_like_path(given)) {
    const fs::path folder = fs::path(given).parent_path();
    if (!folder.empty() && !exists_here(folder))
      fail<IoError>(given,
                    "no such file or folder, nor {}: was it moved or deleted? restore it, or give "
                    "its new path",
                    folder.string());
    fail<IoError>(
        given, "no such file or folder: was it moved or deleted? restore it, or give its new path");
  }
  if (file.empty()) {
    fail<IoError>(given,
                  "no such file or folder, and no data set that ships has this name; those are {}",
                  fmt::join(shipped_data_sets(), ", "));
  }
  const auto folders = data_set_folders();
  for (const auto& folder : folders) {
    auto path = (fs::path(folder) / file).string();
    if (exists_here(path)) return path;
  }
  fail<IoError>(given, "{} is in none of {}: set WEFT_DATA to the folder that holds it", file,
                fmt::join(folders, ", "));
}

}  // namespace weft::data
