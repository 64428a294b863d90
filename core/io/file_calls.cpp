#include "core/io/file_calls.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace weft::file_calls {
namespace {

Fault& planted_fault() {
  static Fault fault;
  return fault;
}

/// Whether this call is to fail; errno is set.
bool fails(const char* call) {
  const Fault& fault = planted_fault();
  if (!fault) return false;
  const int error = fault(call);
  if (error != 0) errno = error;
  return error != 0;
}

}  // namespace

int open(const char* path, int flags, mode_t mode) {
  return fails("open") ? -1 : ::open(path, flags, mode);
}

ssize_t write(int descriptor, const void* data, std::size_t bytes) {
  if (!fails("write")) return ::write(descriptor, data, bytes);
  // A disk that fills up takes a part first.
  return bytes > 1 && errno == ENOSPC ? ::write(descriptor, data, bytes / 2) : -1;
}

int sync(int descriptor) {
  if (fails("sync")) return -1;
  if (::fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP)
    return 0;  // the bytes are still the file system's to keep
  return -1;
}

int close(int descriptor) {
  const int closed = ::close(descriptor);
  return fails("close") ? -1 : closed;
}

int rename(const char* from, const char* to) {
  return fails("rename") ? -1 : std::rename(from, to);
}

void set_fault(Fault fault) { planted_fault() = std::move(fault); }

}  // namespace weft::file_calls
