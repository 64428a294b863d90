// Texts that are written into JSON, which knows UTF-8 alone.
#pragma once

#include <string_view>

namespace weft::train {

/// Throws ConfigError `[where] WHAT is not UTF-8: ...`, with its other bytes shown as \xE9. A path
/// of other bytes could be opened now, but config.json could not say where to find it again.
void require_utf8(std::string_view what, std::string_view text, std::string_view where);

}  // namespace weft::train
