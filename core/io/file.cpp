#include "core/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/io/file_calls.h"
#include "core/leaving.h"
#include "core/phase.h"

namespace weft {
namespace {

constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;  // Linux moves at most 2 GiB a call

std::string reason(int error) { return std::generic_category().message(error); }

/// Closes a descriptor at the end of a scope.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

}  // namespace

std::string read_file(const std::string& path, std::int64_t limit) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (file.value < 0 || ::fstat(file.value, &status) != 0)
    fail<IoError>(path, "cannot be opened: {}", reason(errno));
  if (!S_ISREG(status.st_mode)) fail<IoError>(path, "is not a regular file");
  if (status.st_size > limit)
    fail<IoError>(path, "holds {} bytes, more than the limit of {}", status.st_size, limit);
  const Phase phase("reading {}", path);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count =
        ::read(file.value, text.data() + done, std::min(text.size() - done, kLargestTransfer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail<IoError>(path, "cannot be read: {}", reason(errno));
    if (count == 0) break;  // it shrank meanwhile
    done += static_cast<std::size_t>(count);
  }
  text.resize(done);
  return text;
}

bool is_disk_full(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

void fail_for_room(const std::string& path, std::string_view what, int error) {
  if (error == EFBIG)
    fail<FileLimitError>(path, "{}: it would be larger than `ulimit -f` allows; raise that limit",
                         what);
  fail<DiskFullError>(path, "{}: {}; make room", what, reason(error));
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  static std::atomic<int> next{0};
  temporary_ = fmt::format("{}.{}.{}.part", path_, ::getpid(), next++);
  half_written_ = std::make_unique<leaving::File>(temporary_);
  descriptor_ = file_calls::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_here("cannot be written");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail_here(std::string_view what) const {
  const int error = errno;
  if (is_disk_full(error)) fail_for_room(path_, what, error);
  fail<IoError>(path_, "{}: {}", what, reason(error));
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t count = file_calls::write(descriptor_, next, std::min(bytes, kLargestTransfer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_here("cannot be written");
    next += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

void AtomicFile::commit() {
  if (file_calls::sync(descriptor_) != 0) fail_here("cannot be written");
  const int closed = file_calls::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail_here("cannot be written");
  if (file_calls::rename(temporary_.c_str(), path_.c_str()) != 0) fail_here("cannot be named");
  temporary_.clear();
  half_written_.reset();
  // The name itself is on the disk only when its folder is.
  const auto slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path_.substr(0, slash);
  const Descriptor held{file_calls::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)};
  if (held.value < 0 || file_calls::sync(held.value) != 0)
    fail_here("is written, but its folder cannot be synced");
}

void write_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace weft
