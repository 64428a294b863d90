// The project's own sources, read as text.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace weft::structure {

struct SourceFile {
  std::string path;  ///< from the project's root, with slashes
  std::vector<std::string> lines;
};

inline SourceFile read_source(const std::string& path) {
  SourceFile file{path, {}};
  std::ifstream in(std::filesystem::path(WEFT_SOURCE_DIR) / path);
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

/// Every file beneath `folders` with one of the extensions, sorted by path.
inline std::vector<SourceFile> sources(const std::vector<std::string>& folders,
                                       const std::vector<std::string>& extensions = {".h",
                                                                                     ".cpp"}) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    const fs::path root = fs::path(WEFT_SOURCE_DIR) / folder;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() &&
          std::find(extensions.begin(), extensions.end(), extension) != extensions.end())
        paths.push_back(fs::relative(entry.path(), WEFT_SOURCE_DIR).generic_string());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<SourceFile> result;
  for (const std::string& path : paths) result.push_back(read_source(path));
  return result;
}

}  // namespace weft::structure
