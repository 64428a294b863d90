#include <doctest/doctest.h>

#include <string>

#include "data/text/tokenizer.h"
#include "data/text/utf8.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;

TEST_CASE("every code point survives a round trip, and nothing else is accepted") {
  for (char32_t c = 0; c <= 0x110000; ++c) {
    if ((c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF) {
      REQUIRE(next_utf8(to_utf8(c)).kind == Utf8Step::Kind::invalid);
      continue;
    }
    const auto bytes = to_utf8(c);
    const auto step = next_utf8(bytes);
    REQUIRE(step.kind == Utf8Step::Kind::character);
    REQUIRE(step.code_point == c);
    REQUIRE(step.length == static_cast<int>(bytes.size()));
  }
  for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5", "\xFF", "\xE4\x41"}) {
    CHECK(next_utf8(bad).kind == Utf8Step::Kind::invalid);
  }
  for (const char* cut : {"\xE4", "\xE4\xBD", "\xF0\x9F", "\xF0\x9F\x98", "\xC3"})
    CHECK(next_utf8(cut).kind == Utf8Step::Kind::incomplete);
}

TEST_CASE("a text that is not UTF-8 is refused with place and mend") {
  CHECK(message_of<IoError>([] { decode_utf8("one\ntwo\n\xCE\xD2", "poem.txt"); }) ==
        "[poem.txt] not UTF-8 at byte 8 (line 3): it seems to be Chinese in GB18030 (or GBK, "
        "GB2312); convert it with iconv -f GB18030 -t UTF-8 (a text run can also "
        "read bytes: --tokenizer byte)");
  CHECK(contains(message_of<IoError>([] { decode_utf8("ab\xE4\xBD", "cut.txt"); }),
                 "[cut.txt] not UTF-8 at byte 2 (line 1)"));
}

TEST_CASE("a stream shows whole characters only, wherever it is cut") {
  const std::string text = "a\xC3\xA9 \xE5\x8F\xA4\xF0\x9F\x98\x80z";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      Utf8Stream stream;
      std::string shown;
      for (const auto& part :
           {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) {
        const auto out = stream.push(part);
        CHECK_NOTHROW(decode_utf8(out, "shown"));
        shown += out;
      }
      shown += stream.finish();
      REQUIRE(shown == text);
    }
  }
  Utf8Stream stream;
  CHECK(stream.push("\xE5\x8F") == "");
  CHECK(stream.push("\xE5") ==
        "\xEF\xBF\xBD");  // the two bytes before can no longer become a character
  CHECK(stream.finish() == "\xEF\xBF\xBD");
  CHECK(stream.finish() == "");
  CHECK(stream.push("\xFF"
                    "a\x80") ==
        "\xEF\xBF\xBD"
        "a\xEF\xBF\xBD");
}

TEST_CASE("a character tokenizer: sorted by code point, there and back, saved and loaded") {
  const auto tokenizer = CharTokenizer::of_text(
      "\xEF\xBB\xBF"
      "b\xE5\x8F\xA4"
      "a\xF0\x9F\x98\x80"
      "b\n");
  CHECK(tokenizer.vocab_size() == 5);
  CHECK(tokenizer.characters() == std::vector<char32_t>{U'\n', U'a', U'b', 0x53E4, 0x1F600});
  const std::string text = "ab\xF0\x9F\x98\x80\xE5\x8F\xA4";
  const auto ids = tokenizer.encode(text);
  CHECK(ids == std::vector<std::int64_t>{1, 2, 4, 3});
  CHECK(tokenizer.decode(ids) == text);
  CHECK(tokenizer.decode(3) == "\xE5\x8F\xA4");
  CHECK(tokenizer.token_bytes() == std::vector<std::int32_t>{1, 1, 1, 3, 4});
  const auto again = tokenizer_from_json(tokenizer.to_json());
  CHECK(again->name() == "char");
  CHECK(again->to_json() == tokenizer.to_json());
  CHECK(again->encode(text) == ids);
  CHECK(tokenizer.find(U'z') == -1);
  CHECK(tokenizer.find(0x1F601) == -1);

  CHECK(message_of<ConfigError>([&] { tokenizer.encode("ab\n\xE5\x8F\xA4\xC3\xA9", "prompt"); }) ==
        "[prompt] character '\xC3\xA9' (U+00E9) at position 4 (line 2) is not in the vocabulary of "
        "5 characters");
  CHECK(contains(message_of<ConfigError>([&] { tokenizer.encode("\x1B[2J", "prompt"); }),
                 "character U+001B at position 0"));
  CHECK(message_of<IndexError>([&] {
          tokenizer.decode({0, 5});
        }) == "[decode] id 5 at 1 is outside the vocabulary of 5");
  CHECK_THROWS_AS(tokenizer.decode(-1), IndexError);
}

TEST_CASE("a byte tokenizer takes anything") {
  const ByteTokenizer tokenizer;
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const auto ids = tokenizer.encode(all);
  CHECK(ids.front() == 0);
  CHECK(ids.back() == 255);
  CHECK(tokenizer.decode(ids) == all);
  CHECK(tokenizer_from_json(tokenizer.to_json())->name() == "byte");
  CHECK_THROWS_AS(tokenizer.decode(256), IndexError);
}

TEST_CASE("a saved tokenizer that is none is refused") {
  for (const char* bad :
       {"", "{", "[]", "{}", "{\"type\": 3}", "{\"type\":\"bpe\"}", "{\"type\":\"char\"}",
        "{\"type\":\"char\",\"characters\":[1]}", "{\"type\":\"char\",\"characters\":\"\"}",
        "{\"type\":\"char\",\"characters\":\"ba\"}", "{\"type\":\"char\",\"characters\":\"aa\"}"}) {
    CHECK_THROWS_AS(tokenizer_from_json(bad, "run/tokenizer.json"), ConfigError);
  }
}
