#include "train/config/utf8_text.h"

#include <fmt/format.h>

#include <string>

#include "core/error.h"
#include "data/text/utf8.h"

namespace weft::train {

void require_utf8(std::string_view what, std::string_view text, std::string_view where) {
  std::string shown;
  bool whole = true;
  for (std::size_t byte = 0; byte < text.size();) {
    const auto step = data::next_utf8(text.substr(byte, 4));
    const std::string_view part = text.substr(byte, static_cast<std::size_t>(step.length));
    if (step.kind == data::Utf8Step::Kind::character) {
      shown += part;
    } else {
      whole = false;
      for (const char c : part) shown += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    }
    byte += part.size();
  }
  if (whole) return;
  fail<ConfigError>(where,
                    "{} is not UTF-8: {}; what is written about a run could not name it: rename "
                    "it, or give it a link with another name",
                    what, shown);
}

}  // namespace weft::train
