// Files that grow or are read in parts; whole files are core/io/file.h. Not for users.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

namespace weft::files {

namespace fs = std::filesystem;

/// The file of the program that is running. Throws IoError.
fs::path own_program();

/// Whether a write_file() of one of `names` that was killed has left this file.
bool is_half_written(const fs::path& file, std::initializer_list<std::string_view> names);

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
/// While the disk is full lines are kept in memory, and written in their order as soon as there is
/// room.
class LineWriter {
 public:
  explicit LineWriter(fs::path path);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// One line, written by a single call, so that who reads meanwhile never sees half of one.
  /// Throws IoError, but not for a full disk or a file that is as large as `ulimit -f` allows.
  void append(const std::string& line);
  /// What is kept. Throws DiskFullError when there is still no room for it.
  void flush();
  bool keeps_lines() const { return !kept_.empty(); }

 private:
  bool write_kept();

  fs::path path_;
  int descriptor_ = -1;
  std::string kept_;  ///< what is not in the file yet
  int full_ = 0;      ///< the errno that said so
};

/// Holds a folder against a second writer (another process or another run here) while it lives; the
/// system lets go when the process dies. Throws IoError when somebody else holds it.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Whether somebody holds it now.
bool is_held(const fs::path& folder);

}  // namespace weft::files
