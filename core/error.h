// Errors: one form for every message, and one type for every kind of mistake.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

/// Base of everything weft throws on purpose. The text has the form `[where] rule: values; how to
/// mend it`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ShapeError : public Error {
  using Error::Error;
};  ///< sizes that do not fit together
class DTypeError : public Error {
  using Error::Error;
};  ///< an element type an op does not take
class IndexError : public Error {
  using Error::Error;
};  ///< an index or dimension out of range
class IoError : public Error {
  using Error::Error;
};  ///< a file that is missing, torn, hostile or unwritable
class DiskFullError : public IoError {
  using IoError::IoError;
};  ///< a file that was not written because there is no room
class ConfigError : public Error {
  using Error::Error;
};  ///< an option or combination of options that cannot be
class NumericError : public Error {
  using Error::Error;
};  ///< NaN, infinity, or an argument outside its domain
class MemoryError : public Error {
  using Error::Error;
};  ///< more memory than there is
class GraphError : public Error {
  using Error::Error;
};  ///< autograd used in a way that has no gradient

/// Throws `E` with the text `[where] message`. `where` names an op, a module or a file.
template <class E, class... Args>
[[noreturn]] void fail(std::string_view where, fmt::format_string<Args...> format, Args&&... args) {
  throw E(fmt::format("[{}] {}", where, fmt::format(format, std::forward<Args>(args)...)));
}

}  // namespace weft
