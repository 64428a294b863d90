// What the pages that weft writes have in common: escaping, and their look in light and dark.
#pragma once

#include <string>

namespace weft::report {

/// `text` as it may stand in an element or in a quoted attribute.
std::string escape_html(const std::string& text);
/// JSON as it may stand inside a script element: no `</` can end it.
std::string for_script(const std::string& json);
/// A page from its first line to the opening of its body, with the common style and `style` after
/// it. Close it with page_end().
std::string page_head(const std::string& title, const std::string& style = "");
/// A page from its first line to its heading, likewise.
std::string page_begin(const std::string& title, const std::string& style = "");
std::string page_end();

}  // namespace weft::report
