// UTF-8: strict reading of files, and a stream that never shows half a character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace weft::data {

/// One step of strict decoding (RFC 3629: no overlong forms, no surrogates, nothing above
/// U+10FFFF).
struct Utf8Step {
  enum class Kind : std::uint8_t { character, incomplete, invalid } kind;
  char32_t code_point = 0;  ///< of a character
  int length = 0;           ///< bytes read; for invalid and incomplete ones the longest well-formed
                            ///< beginning, at least 1
};

/// Reads the character at the start of `bytes`, which must not be empty. `incomplete`: the text
/// ends inside a character.
Utf8Step next_utf8(std::string_view bytes);

void append_utf8(std::string& out, char32_t code_point);  ///< adds one code point
std::string to_utf8(char32_t code_point);                 ///< one code point as UTF-8

/// Throws the error of a text that is not UTF-8 at `byte`.
[[noreturn]] void fail_utf8(std::string_view text, std::size_t byte, std::string_view where);

/// Calls `f(code_point, byte)` for every character of `text`, in order. Throws IoError as
/// decode_utf8().
template <class F>
void for_each_code_point(std::string_view text, std::string_view where, F&& f) {
  for (std::size_t byte = 0; byte < text.size();) {
    const auto step = next_utf8(text.substr(byte, 4));
    if (step.kind != Utf8Step::Kind::character) fail_utf8(text, byte, where);
    f(step.code_point, byte);
    byte += static_cast<std::size_t>(step.length);
  }
}

/// The code points of `text`. Throws IoError, `[where] not UTF-8 at byte 1234 (line 7): ...` with
/// the mend.
std::vector<char32_t> decode_utf8(std::string_view text, std::string_view where);

/// `text` without a byte order mark at its start.
std::string_view skip_bom(std::string_view text);

/// Turns a stream of bytes, cut anywhere, into whole characters. Bytes that can be part of no
/// character come out as U+FFFD, one for each longest well-formed beginning (the practice of the
/// Unicode Standard, section 3.9).
class Utf8Stream {
 public:
  /// Takes some bytes; returns the characters that are now complete.
  std::string push(std::string_view bytes);
  /// The end: an unfinished character comes out as U+FFFD.
  std::string finish();

 private:
  std::string pending_;  ///< at most three bytes
};

}  // namespace weft::data
