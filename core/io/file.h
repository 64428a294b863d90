// Files read whole, and written whole or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"

namespace weft {

namespace leaving {
class File;
}

/// The whole of a regular file. Throws IoError where it is missing, unreadable, no regular file, or
/// above `limit` bytes.
std::string read_file(const std::string& path, std::int64_t limit = std::int64_t{1} << 40);

/// Whether an errno says that there is no room: the disk is full, or the user's share of it, or the
/// file as large as `ulimit -f` lets it be.
bool is_disk_full(int error);

/// A file that was not written because it would be larger than `ulimit -f` allows. What is done of
/// a full disk is done of it too.
class FileLimitError : public DiskFullError {
  using DiskFullError::DiskFullError;
};
/// Throws FileLimitError or DiskFullError for an errno of which is_disk_full() holds: `[path] what:
/// why; how to mend it`.
[[noreturn]] void fail_for_room(const std::string& path, std::string_view what, int error);

/// A file that appears under its name at commit() and not before: until then the bytes go to a
/// neighbor with another name, which the destructor removes (and leaving::leave). A crash or a
/// full disk leaves what was there. Throws IoError, DiskFullError.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);                        ///< adds bytes
  void write(std::string_view text) { write(text.data(), text.size()); }  ///< adds a text
  /// Makes sure of the bytes on the disk, then gives the file its name.
  void commit();

 private:
  [[noreturn]] void fail_here(std::string_view what) const;

  std::string path_;
  std::string temporary_;
  std::unique_ptr<leaving::File> half_written_;
  int descriptor_ = -1;
};

/// Writes `text` to `path`, whole or not at all. Throws IoError.
void write_file(const std::string& path, std::string_view text);

}  // namespace weft
