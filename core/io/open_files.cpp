#include "core/io/open_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/io/file.h"
#include "core/io/file_calls.h"

namespace weft::files {
namespace {

[[noreturn]] void fail_errno(const fs::path& path, const char* doing) {
  const int code = errno;
  fail<IoError>(path.string(), "cannot {}: {}", doing, std::strerror(code));
}

/// Opens a regular file. O_NONBLOCK: opening a named pipe must not wait for somebody to write into
/// it.
int open_regular(const fs::path& path, std::int64_t& size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail_errno(path, "open");
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    ::close(descriptor);
    fail_errno(path, "look at the file");
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor);
    fail<IoError>(path.string(), "is not a regular file{}",
                  S_ISDIR(status.st_mode) ? " but a folder" : "");
  }
  size = status.st_size;
  return descriptor;
}

/// Opens a folder and locks it; below 0 where it cannot be opened. `error`: 0 where it is ours now,
/// EWOULDBLOCK where somebody else has it.
int lock_folder(const fs::path& folder, int& error) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  error = descriptor < 0 || ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
  return descriptor;
}

}  // namespace

fs::path own_program() {
  std::error_code error;
  const auto path = fs::read_symlink("/proc/self/exe", error);
  if (error) fail<IoError>("files", "cannot find the running program: {}", error.message());
  return path;
}

bool is_half_written(const fs::path& file, std::initializer_list<std::string_view> names) {
  const std::string found = file.filename().string();
  return found.ends_with(".part") &&
         std::any_of(names.begin(), names.end(), [&](std::string_view name) {
           return found.starts_with(std::string(name) + '.');
         });
}

InputFile::InputFile(fs::path path) : path_(std::move(path)) {
  descriptor_ = open_regular(path_, size_);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read_at(std::int64_t offset, void* data, std::size_t bytes) const {
  char* next = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor_, next, bytes, offset);
    if (got < 0) {
      if (errno == EINTR) continue;
      fail_errno(path_, "read");
    }
    if (got == 0)
      fail<IoError>(path_.string(), "ends too early: {} more bytes are needed at offset {}", bytes,
                    offset);
    next += got;
    offset += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

LineWriter::LineWriter(fs::path path) : path_(std::move(path)) {
  descriptor_ = file_calls::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail_errno(path_, "write");
}

LineWriter::~LineWriter() { ::close(descriptor_); }

void LineWriter::append(const std::string& line) {
  kept_ += line;
  kept_ += '\n';
  write_kept();
}

void LineWriter::flush() {
  if (!write_kept()) fail_for_room(path_.string(), "cannot be written", full_);
}

/// As much as there is room for; the rest of a line follows it when there is more. False when the
/// disk is full.
bool LineWriter::write_kept() {
  while (!kept_.empty()) {
    const ssize_t written = file_calls::write(descriptor_, kept_.data(), kept_.size());
    if (written >= 0) {
      kept_.erase(0, static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    full_ = errno;
    if (is_disk_full(full_)) return false;
    fail_errno(path_, "write");
  }
  return true;
}

FolderLock::FolderLock(const fs::path& folder) {
  int error = 0;
  descriptor_ = lock_folder(folder, error);
  if (descriptor_ < 0) fail_errno(folder, "open");
  if (error != 0) {
    ::close(descriptor_);
    if (error == EWOULDBLOCK)
      fail<IoError>(
          folder.string(),
          "another program is training into this folder; wait for it, or choose another --out");
    descriptor_ = -1;  // a file system without locks: go on without
  }
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool is_held(const fs::path& folder) {
  int error = 0;
  const int descriptor = lock_folder(folder, error);
  if (descriptor < 0) return false;
  ::close(descriptor);
  return error == EWOULDBLOCK;
}

}  // namespace weft::files
