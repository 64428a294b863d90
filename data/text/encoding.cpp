#include "data/text/encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

constexpr std::size_t kSample = 1 << 16;

unsigned char byte_of(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

std::string convert(std::string_view what, std::string_view encoding) {
  return fmt::format("it seems to be {}; convert it with iconv -f {} -t UTF-8", what, encoding);
}

/// The name of a Unicode encoding of wider units, by its mark or its zero bytes; empty for none.
std::string_view wide_encoding(std::string_view text) {
  if (text.starts_with(std::string_view("\xff\xfe\0\0", 4))) return "UTF-32";
  if (text.starts_with(std::string_view("\0\0\xfe\xff", 4))) return "UTF-32";
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return "UTF-16";
  const std::string_view sample = text.substr(0, kSample);
  double zeros[2] = {0, 0};
  for (std::size_t i = 0; i < sample.size(); ++i) zeros[i % 2] += sample[i] == '\0' ? 1 : 0;
  const double units = static_cast<double>(sample.size()) / 2;
  if (zeros[0] + zeros[1] < 3) return "";  // some stray byte
  if (zeros[1] > 0.2 * units && zeros[0] < 0.02 * units) return "UTF-16LE";
  if (zeros[0] > 0.2 * units && zeros[1] < 0.02 * units) return "UTF-16BE";
  return "";
}

/// How the bytes above 127 of a text decode.
struct HighBytes {
  double gb_pairs = 0;   ///< of two high bytes, as nearly all Chinese characters are in GB18030
  double gb_errors = 0;  ///< a lead byte without a trail that it may have
  /// Between two bytes of ASCII, as accented letters stand in Latin-1; or two within a word of
  /// ASCII letters, as in "Größe".
  double alone = 0;
  double all = 0;
  double utf8_whole = 0;  ///< characters of several bytes that are right in UTF-8
  double utf8_errors = 0;
  bool windows = false;  ///< 0x80 to 0x9f: controls in ISO-8859-1, signs in Windows-1252
};

HighBytes look_at(std::string_view text) {
  HighBytes seen;
  const auto high = [&](std::size_t i) { return i < text.size() && byte_of(text, i) >= 0x80; };
  const auto letter = [&](std::size_t i) {
    const int small = i < text.size() ? byte_of(text, i) | 0x20 : 0;
    return small >= 'a' && small <= 'z';
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!high(i)) continue;
    ++seen.all;
    if (i == 0 || !high(i - 1)) {
      seen.alone += !high(i + 1) ? 1 : 0;
      seen.alone += i > 0 && letter(i - 1) && high(i + 1) && letter(i + 2) ? 2 : 0;
    }
    seen.windows = seen.windows || byte_of(text, i) < 0xa0;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!high(i)) continue;
    const unsigned char lead = byte_of(text, i);
    if (i + 1 >= text.size()) break;
    const unsigned char trail = byte_of(text, i + 1);
    if (lead == 0x80 || lead == 0xff || trail == 0x7f || trail == 0xff) {
      ++seen.gb_errors;
    } else if (trail >= 0x30 && trail <= 0x39 && high(i + 2)) {
      i += 3;
    } else if (trail >= 0x40) {
      seen.gb_pairs += trail >= 0x80 ? 1 : 0;
      ++i;
    } else {
      ++seen.gb_errors;
    }
  }
  for (std::size_t i = 0; i < text.size();) {
    const auto step = next_utf8(text.substr(i, 4));
    seen.utf8_errors += step.kind == Utf8Step::Kind::invalid ? 1 : 0;
    seen.utf8_whole += step.kind == Utf8Step::Kind::character && step.length > 1 ? 1 : 0;
    i += static_cast<std::size_t>(step.length);
  }
  return seen;
}

}  // namespace

bool seems_utf16(std::string_view text) { return wide_encoding(text).starts_with("UTF-16"); }

std::string encoding_advice(std::string_view text, std::size_t bad) {
  if (const auto wide = wide_encoding(text); !wide.empty()) return convert(wide, wide);
  const std::size_t begin = bad > kSample ? bad - kSample : 0;
  const HighBytes seen = look_at(text.substr(begin, 4 * kSample));
  if (seen.utf8_whole > 4 * seen.utf8_errors) {
    return "nearly all of it is UTF-8: it may have been cut or put together wrongly; "
           "iconv -c -f UTF-8 -t UTF-8 leaves out what cannot be read";
  }
  if (seen.alone > 0.5 * seen.all) {
    return seen.windows ? convert("Windows-1252, Latin-1 with more signs", "WINDOWS-1252")
                        : convert("Latin-1", "ISO-8859-1");
  }
  if (seen.gb_errors == 0 && 2 * seen.gb_pairs > 0.6 * seen.all)
    return convert("Chinese in GB18030 (or GBK, GB2312)", "GB18030");
  return "its encoding could not be determined; convert it with iconv -f ENCODING -t UTF-8";
}

void check_text_file(std::string_view text, const std::string& where, bool utf8) {
  const auto line_of = [&](std::size_t byte) {
    return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n');
  };
  const auto byte_of_line = [&](std::size_t byte) {
    const auto before = text.substr(0, byte).rfind('\n');
    return before == std::string_view::npos ? byte : byte - before - 1;
  };
  if (const auto wide = wide_encoding(text); !wide.empty())
    fail<IoError>(fmt::format("{}:1", where), "not UTF-8: {}", convert(wide, wide));
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    fail<IoError>(fmt::format("{}:{}", where, line_of(zero)),
                  "a zero byte at byte {} of the line: this is not a text file",
                  byte_of_line(zero));
  }
  for (std::size_t byte = 0; utf8 && byte < text.size();) {
    std::uint64_t eight = 0;  // ASCII goes by eight at a time
    if (byte + 8 <= text.size()) {
      std::memcpy(&eight, text.data() + byte, 8);
      if ((eight & 0x8080808080808080ULL) == 0) {
        byte += 8;
        continue;
      }
    }
    const auto step = next_utf8(text.substr(byte, 4));
    if (step.kind != Utf8Step::Kind::character) {
      fail<IoError>(fmt::format("{}:{}", where, line_of(byte)),
                    "not UTF-8 at byte {} of the line: {}", byte_of_line(byte),
                    encoding_advice(text, byte));
    }
    byte += static_cast<std::size_t>(step.length);
  }
}

}  // namespace weft::data
