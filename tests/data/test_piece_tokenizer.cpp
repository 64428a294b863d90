// Pieces of words: every text comes back, what is saved is the same, and what cannot be is refused.
#include "data/text/piece_tokenizer.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/io/file.h"
#include "data/text/text_dataset.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::Scratch;
using weft_test::shipped;

namespace {

std::string shakespeare() { return read_file(shipped("tinyshakespeare.txt")); }

}  // namespace

TEST_CASE(
    "every text comes back as it was, in fewer tokens where it is like what was learned from") {
  const std::string text = shakespeare();
  for (const char* model : {"bpe", "unigram"}) {
    CAPTURE(std::string(model));
    const auto pieces =
        PieceTokenizer::of_text(text.substr(0, 300000), {.model = model, .vocab_size = 600});
    CHECK(pieces->vocab_size() == 600);
    for (const std::string& one :
         {text, std::string(), std::string("\n"), std::string("a\n\n  b\t c \n"),
          std::string(" leading and trailing "), std::string("水果 🍎\r\nnaïve\x01"),
          std::string(50000, 'x'), std::string("no\nend")}) {
      const auto ids = pieces->encode(one);
      CHECK(pieces->decode(ids) == one);
      const auto bytes = pieces->token_bytes();
      std::size_t sum = 0;
      for (const std::int64_t id : ids)
        sum += static_cast<std::size_t>(bytes[static_cast<std::size_t>(id)]);
      CHECK(sum == one.size());
    }
    CHECK(pieces->encode(text).size() < text.size() * 11 / 20);
    const auto again = tokenizer_from_json(pieces->to_json());
    CHECK(again->name() == "piece");
    CHECK(again->encode("To be, or not to be") == pieces->encode("To be, or not to be"));
    CHECK(again->to_json() == pieces->to_json());
  }
}

TEST_CASE("pieces are learned from the training part alone, and the same every time") {
  const std::string text = shakespeare().substr(0, 100000);
  const TextOptions options{.tokenizer = "bpe", .vocab_size = 400};
  const TextData one(text, options, "a"), two(text, options, "b");
  CHECK(one.tokenizer().to_json() == two.tokenizer().to_json());
  // Another end, which validates, changes no piece.
  const TextData other(text.substr(0, 90000) + std::string(10000, 'q'), options, "c");
  CHECK(other.tokenizer().to_json() == one.tokenizer().to_json());
  CHECK(one.size(Split::train) + one.size(Split::validation) ==
        std::ssize(one.tokenizer().encode(text)));
  CHECK(one.bytes_per_token(Split::train) > 1.5);
}

TEST_CASE("a model of another program is used, and what is none is refused") {
  const Scratch scratch;
  const auto made = PieceTokenizer::of_text(shakespeare().substr(0, 50000), {.vocab_size = 350});
  const std::string file = scratch.write("tokenizer.model", made->model());
  const TextData data(shakespeare().substr(0, 20000), {.tokenizer = "bpe", .tokenizer_file = file},
                      "text");
  CHECK(data.vocab_size() == 350);
  for (const std::string& bytes : {std::string(), std::string("not a model"),
                                   made->model().substr(0, made->model().size() / 2)})
    CHECK_THROWS_AS(PieceTokenizer::of_model(bytes, "x.model"), ConfigError);
  CHECK(message_of<ConfigError>([] {
          tokenizer_from_json(R"({"type":"piece","model":"zz"})", "t");
        }) == "[t] the model of a piece tokenizer must be hexadecimal digits");
}

TEST_CASE("vocabularies that cannot be learned are refused with a reason") {
  CHECK(contains(message_of<ConfigError>([] {
                   PieceTokenizer::of_text("a few words and no more", {.vocab_size = 5000}, "t");
                 }),
                 "[t] no 5000 pieces can be learned from it: Vocabulary size too high (5000)"));
  CHECK(contains(
      message_of<ConfigError>([] { PieceTokenizer::of_text("abc", {.vocab_size = 258}, "t"); }),
      "[t] a vocabulary of 258 pieces is too small: 256 bytes, one unknown and 3 characters "
      "want at least 260"));
  CHECK(contains(message_of<ConfigError>(
                     [] { PieceTokenizer::of_text("a \xe2\x96\x81 b", {.vocab_size = 300}, "t"); }),
                 "[t] byte 2 begins the character U+2581"));
  CHECK_THROWS_AS(PieceTokenizer::of_text("\xff\xfe", {}, "t"), IoError);
}
