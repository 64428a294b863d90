// Names in sentences.
#pragma once

#include <string>

namespace weft::train {

/// "a text", "an embedding".
inline std::string with_article(const std::string& name) {
  const bool vowel = !name.empty() && std::string("aeiou").find(name[0]) != std::string::npos;
  return (vowel ? "an " : "a ") + name;
}

}  // namespace weft::train
