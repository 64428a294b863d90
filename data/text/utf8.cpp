#include "data/text/utf8.h"

#include <algorithm>

#include "data/text/encoding.h"

namespace weft::data {

// Table 3-7 of the Unicode Standard, "Well-Formed UTF-8 Byte Sequences": the lead byte gives the
// length and the range of the second byte; all others are 80..BF.
Utf8Step next_utf8(std::string_view bytes) {
  using Kind = Utf8Step::Kind;
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = byte_at(0);
  if (lead < 0x80) return {Kind::character, lead, 1};
  int length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  char32_t code_point = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    code_point = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    code_point = lead & 0x0FU;
    if (lead == 0xE0) low = 0xA0;   // shorter forms exist
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    code_point = lead & 0x07U;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;  // above U+10FFFF
  } else {
    return {Kind::invalid, 0, 1};
  }
  for (int i = 1; i < length; ++i) {
    if (static_cast<std::size_t>(i) >= bytes.size()) return {Kind::incomplete, 0, i};
    const unsigned char next = byte_at(static_cast<std::size_t>(i));
    if (next < low || next > high) return {Kind::invalid, 0, i};
    low = 0x80;
    high = 0xBF;
    code_point = (code_point << 6) | (next & 0x3FU);
  }
  return {Kind::character, code_point, length};
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto put = [&](char32_t value) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(value)));
  };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

std::string to_utf8(char32_t code_point) {
  std::string out;
  append_utf8(out, code_point);
  return out;
}

void fail_utf8(std::string_view text, std::size_t byte, std::string_view where) {
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n');
  fail<IoError>(
      where,
      "not UTF-8 at byte {} (line {}): {} (a text run can also read bytes: --tokenizer byte)", byte,
      line, encoding_advice(text, byte));
}

std::vector<char32_t> decode_utf8(std::string_view text, std::string_view where) {
  std::vector<char32_t> code_points;
  code_points.reserve(text.size());
  for_each_code_point(text, where,
                      [&](char32_t code_point, std::size_t) { code_points.push_back(code_point); });
  return code_points;
}

std::string_view skip_bom(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

std::string Utf8Stream::push(std::string_view bytes) {
  pending_.append(bytes);
  std::string out;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const auto step = next_utf8(rest);
    if (step.kind == Utf8Step::Kind::incomplete) break;
    if (step.kind == Utf8Step::Kind::character) {
      out.append(rest.substr(0, static_cast<std::size_t>(step.length)));
    } else {
      append_utf8(out, 0xFFFD);
    }
    rest.remove_prefix(static_cast<std::size_t>(step.length));
  }
  pending_ = std::string(rest);
  return out;
}

std::string Utf8Stream::finish() {
  const bool cut = !pending_.empty();
  pending_.clear();
  return cut ? to_utf8(0xFFFD) : std::string();
}

}  // namespace weft::data
