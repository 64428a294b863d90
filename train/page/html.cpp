#include "train/page/html.h"

#include <fmt/format.h>

namespace weft::report {
namespace {

constexpr const char* kCommonStyle = R"css(
:root { color-scheme: light dark; --ink: #1d2430; --paper: #ffffff; --dim: #6b7482; --line: #e3e7ee; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --paper: #14181f; --dim: #98a2b3; --line: #2b3340; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p { color: var(--dim); } pre { border: 1px solid var(--line); border-radius: 6px; padding: 1rem; overflow-x: auto; white-space: pre-wrap; }
)css";

}  // namespace

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
