#include "train/compare/shipped.h"

namespace weft::compare {

extern const EmbeddedFile kShippedSuites[];  // written by the build; the last has no name

std::span<const EmbeddedFile> shipped_suites() {
  static const std::size_t count = [] {
    std::size_t n = 0;
    while (kShippedSuites[n].name != nullptr) ++n;
    return n;
  }();
  return {kShippedSuites, count};
}

}  // namespace weft::compare
