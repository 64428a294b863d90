// What a call says when it throws: for tests that hold a message to its exact text.
#pragma once

#include <string>
#include <typeinfo>

#include "core/error.h"

namespace weft::test {

/// The text of the `E` that `f` throws; another text where it throws something else or nothing.
template <class E, class F>
std::string error_text(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another exception: ") + typeid(error).name() + ": " + error.what();
  }
  return "no exception";
}

}  // namespace weft::test
