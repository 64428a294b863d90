// The system calls that write files, so that a test can make any of them fail. Not for users.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>

namespace weft::file_calls {

/// As the calls of the same names.
int open(const char* path, int flags, mode_t mode);
ssize_t write(int descriptor, const void* data, std::size_t bytes);
int sync(int descriptor);  ///< fsync; what file systems that cannot sync say is no error
int close(int descriptor);
int rename(const char* from, const char* to);

/// Asked before every call, with its name; what it returns becomes the call's errno, 0 lets it
/// through. A write that fails with ENOSPC writes half, as a disk that fills up does. An empty one
/// takes it away. For tests, on one thread at a time.
using Fault = std::function<int(const char* call)>;
void set_fault(Fault fault);

}  // namespace weft::file_calls
