// What a file that is not UTF-8 seems to be, and the command that mends it.
#include <doctest/doctest.h>

#include <string>

#include "data/text/encoding.h"
#include "data/text/text_dataset.h"
#include "data/text/utf8.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::Scratch;

namespace {

std::string utf16(std::string_view ascii, bool little) {
  std::string text;
  for (const char c : ascii) text += little ? std::string{c, '\0'} : std::string{'\0', c};
  return text;
}

std::string advice(std::string_view text) {
  for (std::size_t byte = 0; byte < text.size();) {
    const auto step = next_utf8(text.substr(byte, 4));
    if (step.kind != Utf8Step::Kind::character) return encoding_advice(text, byte);
    byte += static_cast<std::size_t>(step.length);
  }
  return encoding_advice(text, 0);
}

}  // namespace

TEST_CASE("each encoding is told by its bytes, and the advice is the right one") {
  CHECK(advice("Un caf\xe9 cr\xe8me \xe0 Z\xfcrich, s'il vous pla\xeet") ==
        "it seems to be Latin-1; convert it with iconv -f ISO-8859-1 -t UTF-8");
  CHECK(advice("\x93Quoted\x94 for \x80 5, caf\xe9") ==
        "it seems to be Windows-1252, Latin-1 with more signs; convert it with iconv -f "
        "WINDOWS-1252 -t UTF-8");
  // Two in a row within a word are Latin-1, too, though each pair of them could be GB18030.
  CHECK(advice("Die Gr\xf6\xdf"
               "e der F\xfc\xdf"
               "e, m\xfc\xdfig\n") ==
        "it seems to be Latin-1; convert it with iconv -f ISO-8859-1 -t UTF-8");
  CHECK(advice("gr\xf6\xdf"
               "e,weight\n1,2\n") ==
        "it seems to be Latin-1; convert it with iconv -f ISO-8859-1 -t UTF-8");
  // 春眠不覺曉，處處聞啼鳥。 in GBK.
  CHECK(advice("\xb4\xba\xc3\xdf\xb2\xbb\xd3\x58\x95\xd4\xa3\xac\xcc\x8e\xcc\x8e\xc2\x84\xcc\xe4"
               "\xf8\x42\xa1\xa3\n") ==
        "it seems to be Chinese in GB18030 (or GBK, GB2312); convert it with iconv -f GB18030 -t "
        "UTF-8");
  CHECK(advice("\xff\xfe" + utf16("hello", true)) ==
        "it seems to be UTF-16; convert it with iconv -f UTF-16 -t UTF-8");
  CHECK(advice("\xfe\xff" + utf16("hello", false)) ==
        "it seems to be UTF-16; convert it with iconv -f UTF-16 -t UTF-8");
  CHECK(advice(utf16("hello there", true)) ==
        "it seems to be UTF-16LE; convert it with iconv -f UTF-16LE -t UTF-8");
  CHECK(advice(utf16("hello there", false)) ==
        "it seems to be UTF-16BE; convert it with iconv -f UTF-16BE -t UTF-8");
  // Привет, как дела? in KOI8-R: neither.
  CHECK(contains(advice("\xf0\xd2\xc9\xd7\xc5\xd4, \xcb\xc1\xcb \xc4\xc5\xcc\xc1?"),
                 "iconv -f ENCODING"));
  CHECK(contains(advice("Größe, Maß, Öl, Übung, ärgern\xff"), "nearly all of it is UTF-8"));
}

TEST_CASE(
    "texts in UTF-16 and Latin-1 are refused with that advice, also where every byte could be "
    "UTF-8") {
  const Scratch scratch;
  const auto load = [&](const std::string& bytes) {
    return message_of<IoError>([&] { load_text(scratch.write("text.txt", bytes)); });
  };
  CHECK(contains(load(utf16("To be, or not to be", true)), "iconv -f UTF-16LE -t UTF-8"));
  CHECK(
      contains(load("\xff\xfe" + utf16("To be, or not to be", true)), "iconv -f UTF-16 -t UTF-8"));
  CHECK(contains(load("Un caf\xe9 cr\xe8me br\xfbl\xe9"
                      "e"),
                 "iconv -f ISO-8859-1 -t UTF-8"));
  CHECK(message_of<IoError>([] { check_text_file("a\nb\xe9 c\n", "f"); }) ==
        "[f:2] not UTF-8 at byte 1 of the line: it seems to be Latin-1; convert it with iconv -f "
        "ISO-8859-1 -t UTF-8");
  CHECK(message_of<IoError>([] { check_text_file(std::string_view("abc\nd\0", 6), "f"); }) ==
        "[f:2] a zero byte at byte 1 of the line: this is not a text file");
  check_text_file("caf\xe9", "f", false);
}
