#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "data/find_data_set.h"
#include "data/text/text_dataset.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::Scratch;
using weft_test::shipped;

TEST_CASE("the shipped texts are what their README says") {
  const auto shakespeare = load_text(shipped("tinyshakespeare.txt"));
  CHECK(shakespeare.vocab_size() == 65);
  CHECK(shakespeare.size(Split::train) == 1'003'854);
  CHECK(shakespeare.size(Split::validation) == 111'540);
  CHECK(shakespeare.size(Split::test) == 0);
  CHECK(shakespeare.bytes_per_token(Split::validation) == 1.0);
  CHECK(shakespeare.ids(Split::train).dtype() == DType::u8);
  const auto start = raw::slice(shakespeare.ids(Split::train), 0, 0, 14).to_vector<std::int64_t>();
  CHECK(shakespeare.tokenizer().decode(start) == "First Citizen:");

  const auto tang = load_text(shipped("tang-quatrains.txt"));
  CHECK(tang.vocab_size() == 3526);
  CHECK(tang.size(Split::train) + tang.size(Split::validation) == 482'435);
  CHECK(tang.ids(Split::train).dtype() == DType::i32);
  CHECK(tang.bytes_per_token(Split::validation) > 2.5);
  CHECK(tang.bytes_per_token(Split::validation) < 3.0);

  const auto bytes = load_text(shipped("tang-quatrains.txt"), {.tokenizer = "byte"});
  CHECK(bytes.vocab_size() == 256);
  CHECK(bytes.size(Split::train) + bytes.size(Split::validation) ==
        static_cast<std::int64_t>(std::filesystem::file_size(shipped("tang-quatrains.txt"))));
}

TEST_CASE("training batches: crops of the text, the same for a seed and a number") {
  const auto text = load_text(shipped("tinyshakespeare.txt"));
  std::uint64_t hash = 0;
  int count = 0;
  for (auto [inputs, targets] :
       text.train_batches({.batch = 5, .block_size = 7, .steps = 20, .seed = 3})) {
    REQUIRE(inputs.shape() == Shape{5, 7});
    REQUIRE(targets.shape() == Shape{5, 7});
    REQUIRE(inputs.dtype() == DType::i64);
    for (std::int64_t b = 0; b < 5; ++b) {
      for (std::int64_t t = 0; t + 1 < 7; ++t) REQUIRE(targets.at({b, t}) == inputs.at({b, t + 1}));
    }
    hash = batch_hash(inputs, targets, hash);
    ++count;
  }
  CHECK(count == 20);

  const TextBatchOptions options{.batch = 5, .block_size = 7, .steps = 20, .seed = 3};
  std::uint64_t again = 0;
  for (std::int64_t k = 0; k < 20; ++k) {
    const auto batch = text.train_batch(k, options);
    again = batch_hash(batch.inputs, batch.targets, again);
  }
  CHECK(again == hash);

  // Going on at step 8 gives the batches that an undisturbed run saw from there.
  auto resumed = options;
  resumed.first_step = 8;
  const auto rest = text.train_batches(resumed);
  REQUIRE(rest.size() == 12);
  CHECK(rest[0].inputs.to_vector<int>() == text.train_batch(8, options).inputs.to_vector<int>());

  for (const int threads : {0, 1, 2, 8}) {
    auto threaded = options;
    threaded.prefetch = {.threads = threads, .ahead = 4};
    std::uint64_t value = 0;
    for (const auto& batch : text.train_batches(threaded))
      value = batch_hash(batch.inputs, batch.targets, value);
    CHECK(value == hash);
  }
  auto other = options;
  other.seed = 4;
  CHECK(text.train_batch(0, other).inputs.to_vector<int>() !=
        text.train_batch(0, options).inputs.to_vector<int>());
}

TEST_CASE("crops reach every place of the text, the last one too") {
  const TextData text("abcdefghij", {.train_fraction = 1}, "letters");
  std::set<double> starts;
  for (std::int64_t k = 0; k < 100; ++k) {
    const auto batch = text.train_batch(k, {.batch = 4, .block_size = 6});
    for (std::int64_t b = 0; b < 4; ++b) {
      starts.insert(batch.inputs.at({b, 0}));
      REQUIRE(batch.targets.at({b, 5}) == batch.inputs.at({b, 0}) + 6);
    }
  }
  CHECK(starts == std::set<double>{0, 1, 2, 3});
  // Exactly one place.
  CHECK(text.train_batch(0, {.batch = 1, .block_size = 9}).inputs.at({0, 0}) == 0);
}

TEST_CASE("a range outlives the data it was made from") {
  std::int64_t rows = 0;
  for (auto [inputs, targets] : TextData("to be or not to be", {}, "here")
                                    .train_batches({.batch = 2, .block_size = 4, .steps = 3})) {
    rows += inputs.size(0) + targets.size(0);
  }
  CHECK(rows == 12);
}

TEST_CASE("evaluation predicts every token but the first exactly once") {
  std::string letters;
  for (int i = 0; i < 103; ++i) letters.push_back(static_cast<char>('0' + i % 70));
  const TextData text(letters, {.tokenizer = "byte", .train_fraction = 0}, "letters");
  for (const std::int64_t block : {1, 7, 17, 51, 101, 102, 103, 200}) {
    for (const std::int64_t batch : {1, 2, 4, 1000}) {
      const auto batches = text.eval_batches(Split::validation, batch, block);
      std::string seen;
      std::int64_t made = 0;
      for (const auto& [inputs, targets] : batches) {
        ++made;
        REQUIRE(inputs.size(1) == block);
        REQUIRE(inputs.size(0) <= batch);
        REQUIRE(std::abs(inputs.size(0) - batches[0].inputs.size(0)) <= 1);
        for (std::int64_t b = 0; b < inputs.size(0); ++b) {
          for (std::int64_t t = 0; t < block; ++t) {
            const auto target = targets.at({b, t});
            if (target == static_cast<double>(kIgnoreIndex)) continue;
            REQUIRE(inputs.at({b, t}) == static_cast<double>(letters[seen.size()]));
            seen.push_back(static_cast<char>(target));
          }
        }
      }
      REQUIRE(made == batches.size());
      REQUIRE(seen == letters.substr(1));
    }
  }
  CHECK(text.eval_tokens(Split::validation) == 102);
}

TEST_CASE("bytes per token count the tokens that are predicted") {
  const TextData text(
      "\xE5\x8F\xA4"
      "ab\xC3\xA9",
      {.train_fraction = 1}, "mixed");  // 3 1 1 2 bytes
  CHECK(text.bytes_per_token(Split::train) == doctest::Approx(4.0 / 3));
}

TEST_CASE("a run's tokenizer reads another text") {
  const TextData first("abc", {}, "first");
  const TextData second("cabcab", {.with_tokenizer = first.shared_tokenizer()}, "second");
  CHECK(second.vocab_size() == 3);
  CHECK(contains(message_of<ConfigError>([&] {
                   TextData("abx", {.with_tokenizer = first.shared_tokenizer()}, "third.txt");
                 }),
                 "[third.txt] character 'x' (U+0078) at position 2"));
}

TEST_CASE("bad text files and options") {
  const Scratch scratch;
  const auto missing = scratch.path("no-such.txt");
  CHECK(
      contains(message_of<IoError>([&] { load_text(missing); }), "[" + missing + "] no such file"));
  CHECK(contains(message_of<IoError>([&] { load_text(scratch.folder()); }), "not a regular file"));
  const auto empty = scratch.write("empty.txt", "");
  CHECK(message_of<IoError>([&] { load_text(empty); }) ==
        "[" + empty + "] empty: there is nothing to train on");
  CHECK(contains(message_of<IoError>([&] { load_text(scratch.write("bom.txt", "\xEF\xBB\xBF")); }),
                 "empty"));
  const auto gb = scratch.write("gb.txt", "line\n\xB0\xA1\xB0\xA2");
  CHECK(contains(message_of<IoError>([&] { load_text(gb); }),
                 "[" + gb + "] not UTF-8 at byte 5 (line 2)"));
  CHECK(load_text(gb, {.tokenizer = "byte"}).size(Split::train) == 8);
  const auto fifo = scratch.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(contains(message_of<IoError>([&] { load_text(fifo); }), "not a regular file"));

  const auto small = scratch.write("small.txt", "twelve chars");
  const auto text = load_text(small);
  CHECK(message_of<ConfigError>([&] { text.train_batches({.block_size = 64}); }) ==
        "[data] context 64 needs at least 65 characters in the train split, " + small +
            " has 10 there: take a shorter context or a longer text");
  CHECK_THROWS_AS(text.check_block_size(Split::validation, 2), ConfigError);
  CHECK_NOTHROW(text.check_block_size(Split::validation, 1));
  CHECK_THROWS_AS(text.eval_batches(Split::test, 1, 1), ConfigError);
  CHECK_THROWS_AS(text.train_batches({.batch = 0, .block_size = 4}), ConfigError);
  CHECK_THROWS_AS(text.train_batches({.batch = 1, .block_size = 0}), ConfigError);
  CHECK_THROWS_AS(text.train_batches({.batch = std::int64_t{1} << 60, .block_size = 4}),
                  ConfigError);
  CHECK_THROWS_AS(text.train_batches({.batch = 1, .block_size = INT64_MAX}), ConfigError);
  CHECK_THROWS_AS(text.train_batches({.batch = 1, .block_size = 4, .steps = -1}), ConfigError);
  CHECK_THROWS_AS(text.train_batch(-1, {.batch = 1, .block_size = 4}), IndexError);
  CHECK(contains(message_of<ConfigError>([&] { load_text(small, {.tokenizer = "syllable"}); }),
                 "unknown tokenizer 'syllable': char, byte, bpe or unigram"));
  for (const double fraction : {-0.1, 1.1, std::nan("")})
    CHECK_THROWS_AS(load_text(small, {.train_fraction = fraction}), ConfigError);
}

TEST_CASE("a test split is the end of what validates, and shares nothing with it") {
  const TextData text("abcdefghijklmnopqrst", {.train_fraction = 0.5, .test_share = 0.4},
                      "letters");
  CHECK(text.size(Split::train) == 10);
  CHECK(text.size(Split::validation) == 6);
  CHECK(text.size(Split::test) == 4);
  CHECK(text.ids(Split::test).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{16, 17, 18, 19});
  CHECK(text.ids(Split::validation).to_vector<std::int64_t>().back() == 15);
  CHECK(text.bytes_per_token(Split::test) == 1);
  CHECK(TextData("abc", {}, "letters").size(Split::test) == 0);
  CHECK_THROWS_AS(TextData("abc", {.test_share = 1}, "letters"), ConfigError);
}

TEST_CASE("data sets are found by name") {
  const Scratch scratch;
  REQUIRE(::setenv("WEFT_DATA", shipped("").c_str(), 1) == 0);  // wherever this program was built
  CHECK(std::filesystem::equivalent(find_data_set("shakespeare"), shipped("tinyshakespeare.txt")));
  CHECK(std::filesystem::equivalent(find_data_set("tinyshakespeare.txt"),
                                    shipped("tinyshakespeare.txt")));
  CHECK(std::filesystem::is_directory(find_data_set("mnist")));
  const auto text = scratch.write("tinyshakespeare.txt", "mine");
  CHECK(find_data_set(text) == text);
  REQUIRE(::setenv("WEFT_DATA", scratch.folder().c_str(), 1) == 0);
  CHECK(find_data_set("shakespeare") == text);
  ::unsetenv("WEFT_DATA");
  const auto message = message_of<IoError>([] { find_data_set("hamlet"); });
  CHECK(contains(message,
                 "[hamlet] no such file or folder, and no data set that ships has this name"));
  CHECK(contains(message, "shakespeare, tang, mnist"));
  // What looks like a path is not answered with the names of sets.
  for (const std::string& gone :
       {std::string("hamlet.txt"), scratch.path("hamlet"), std::string("./mnist")}) {
    const auto text_of_path = message_of<IoError>([&] { find_data_set(gone); });
    CHECK(
        text_of_path ==
        "[" + gone +
            "] no such file or folder: was it moved or deleted? restore it, or give its new path");
  }
  CHECK(contains(message_of<IoError>([&] { find_data_set(scratch.path("no/hamlet")); }),
                 "no such file or folder, nor " + scratch.path("no")));
  CHECK_THROWS_AS(find_data_set(""), ConfigError);
}
