// What a text that is not UTF-8 seems to be, and how it becomes UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace weft::data {

/// A sentence for messages: "it seems to be Latin-1; convert it with iconv -f ISO-8859-1 -t UTF-8".
/// UTF-16 and UTF-32 are told by their byte order mark or by where their zero bytes stand, GB18030
/// and Latin-1 by what decodes: in Chinese text nearly all bytes above 127 stand in pairs, in
/// Latin-1 alone between letters. `bad` is the first byte that is not UTF-8.
std::string encoding_advice(std::string_view text, std::size_t bad);

/// Whether a text is UTF-16 by its byte order mark or its zero bytes: what looks like one even
/// where every byte of it could be UTF-8.
bool seems_utf16(std::string_view text);

/// Throws IoError `[where:LINE] ...` for a text with a zero byte and, if wanted, one not in UTF-8.
void check_text_file(std::string_view text, const std::string& where, bool utf8 = true);

}  // namespace weft::data
