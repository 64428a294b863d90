#include "train/page/html.h"

#include <fmt/format.h>

#include "train/page/embedded.h"

namespace weft::report {

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string for_script(const std::string& json) {
  std::string out;
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

std::string page_head(const std::string& title, const std::string& style) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">\n"
      "<title>{}</title>\n<style>{}{}</style></head>\n<body>\n",
      escape_html(title), kCommonStyle, style);
}

std::string page_begin(const std::string& title, const std::string& style) {
  return page_head(title, style) + fmt::format("<h1>{}</h1>\n", escape_html(title));
}

std::string page_end() { return "</body></html>\n"; }

}  // namespace weft::report
