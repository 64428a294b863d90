// Files that appear whole or not at all, and reading that a hostile file cannot blow up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace weft::files {

namespace fs = std::filesystem;

/// Writes a file beside its final name and moves it there when it is complete: a reader sees the old file or the new
/// one, never half of one, whatever kills the writer. Without commit() the old file stays as it was.
/// Throws IoError naming the file and the reason (full disk, no permission, ...).
class WholeFile {
 public:
  explicit WholeFile(fs::path path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Flushes to the disk and gives the file its name.
  void commit();

 private:
  fs::path path_;
  fs::path partial_;
  int descriptor_ = -1;
};

/// The same in one call.
void write_whole(const fs::path& path, std::string_view text);

/// The whole of a regular file. Throws IoError for a missing file, a folder or device, or more than `most_bytes`.
std::string read_text(const fs::path& path, std::int64_t most_bytes = std::int64_t{1} << 28);

/// A regular file opened for reading at any place.
class InputFile {
 public:
  explicit InputFile(fs::path path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::int64_t size() const { return size_; }
  /// Throws IoError when fewer than `bytes` bytes are there.
  void read_at(std::int64_t offset, void* data, std::size_t bytes) const;

 private:
  fs::path path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

/// Adds whole lines at the end of a file; each is on its way to the disk when append() returns.
class LineWriter {
 public:
  explicit LineWriter(fs::path path);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// One line, written by a single call, so that who reads meanwhile never sees half of one.
  void append(std::string line);

 private:
  fs::path path_;
  int descriptor_ = -1;
};

/// Holds a folder against a second writer (another process or another run here) while it lives; the system lets go when the process dies.
/// Throws IoError when somebody else holds it.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace weft::files
