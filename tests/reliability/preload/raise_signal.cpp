// A library to preload: the signal WEFT_TEST_RAISE comes right after the program has first written
// something that holds WEFT_TEST_RAISE_AT, and that counts whether it is a line for the user or one
// of a file.
#include <dlfcn.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

extern "C" ssize_t write(int descriptor, const void* data, size_t bytes) {
  static const auto real =
      reinterpret_cast<ssize_t (*)(int, const void*, size_t)>(::dlsym(RTLD_NEXT, "write"));
  static bool raised = false;
  const ssize_t written = real(descriptor, data, bytes);
  const char* const at = std::getenv("WEFT_TEST_RAISE_AT");
  const char* const signal = std::getenv("WEFT_TEST_RAISE");
  if (raised || at == nullptr || signal == nullptr) return written;
  if (std::string_view(static_cast<const char*>(data), bytes).find(at) == std::string_view::npos)
    return written;
  raised = true;
  std::raise(std::atoi(signal));
  return written;
}
