// A library to preload: nothing whose path holds WEFT_TEST_FULL_FOR can be written while the file
// that WEFT_TEST_FULL names is there.
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

bool is_meant(int descriptor) {
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = '\0';
  const char* const part = std::getenv("WEFT_TEST_FULL_FOR");
  return part != nullptr && std::strstr(path, part) != nullptr;
}

}  // namespace

extern "C" ssize_t write(int descriptor, const void* data, size_t bytes) {
  static const auto real =
      reinterpret_cast<ssize_t (*)(int, const void*, size_t)>(::dlsym(RTLD_NEXT, "write"));
  const char* const full = std::getenv("WEFT_TEST_FULL");
  if (full != nullptr && is_meant(descriptor) && ::access(full, F_OK) == 0) {
    errno = ENOSPC;
    return -1;
  }
  return real(descriptor, data, bytes);
}
