// Word pieces, labeled lines, masks, pairs of words.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/text/labeled_text.h"
#include "data/text/sequences.h"
#include "data/text/skip_gram.h"
#include "data/text/word_tokenizer.h"
#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;
using weft_test::shipped;

TEST_CASE("words: apostrophes inside, signs and Chinese characters alone, capital letters small") {
  CHECK(split_words("Don't PAY £1000, o'er 'tis the dogs' 春眠!", true, "t") ==
        std::vector<std::string>{"don't", "pay", "£", "1000", ",", "o'er", "'", "tis", "the",
                                 "dogs", "'", "春", "眠", "!"});
  CHECK(split_words("Ärger", true, "t") == std::vector<std::string>{"ärger"});
  CHECK(split_words("ÄB", false, "t") == std::vector<std::string>{"ÄB"});
  CHECK(contains(message_of<IoError>([] { split_words("a\xff", true, "file"); }),
                 "[file] not UTF-8"));
}

TEST_CASE("word pieces: the most frequent neighbors are joined, and the longest match is used") {
  const auto tokenizer = WordTokenizer::of_text(
      "low low low low low lower lower newest newest newest newest newest newest widest widest "
      "widest",
      {.vocab_size = kSpecialIds + 24});
  // Counted by hand: the pairs of the paper's own example (Sennrich et al. 2016, section 3.2): es,
  // est, lo, low, ...
  CHECK(tokenizer->find("##est") >= 0);
  CHECK(tokenizer->find("low") >= 0);
  const auto ids = tokenizer->encode("lowest");
  REQUIRE(ids.size() == 2);
  CHECK(tokenizer->token(ids[0]) == "low");
  CHECK(tokenizer->token(ids[1]) == "##est");
  CHECK(tokenizer->continues(ids[1]));
  CHECK(tokenizer->decode(tokenizer->encode("low newest lowest")) == "low newest lowest");
  CHECK(tokenizer->encode("x") == std::vector<std::int64_t>{kUnknownId});
  const auto again = tokenizer_from_json(tokenizer->to_json());
  CHECK(again->name() == "word");
  CHECK(again->encode("lowest widest x") == tokenizer->encode("lowest widest x"));
  CHECK(again->token_bytes()[static_cast<std::size_t>(ids[0])] == 4);  // "low" and a blank
  CHECK(again->token_bytes()[static_cast<std::size_t>(ids[1])] == 3);
}

TEST_CASE("whole words: rare ones are unknown") {
  const auto tokenizer = WordTokenizer::of_text("a a a b b c", {.min_count = 2, .pieces = false});
  CHECK(tokenizer->vocab_size() == kSpecialIds + 2);
  CHECK(tokenizer->encode("a b c") == std::vector<std::int64_t>{5, 6, kUnknownId});
  CHECK(message_of<ConfigError>([] {
          WordTokenizer::of_text("a b", {.min_count = 5, .pieces = false}, "f");
        }) == "[f] no word occurs 5 times: lower min_count");
  CHECK(message_of<ConfigError>([] { WordTokenizer::of_text(" \n", {}, "f"); }) ==
        "[f] holds no words");
  CHECK(message_of<ConfigError>([] {
          WordTokenizer({"a", "a"}, true, true, "f");
        }) == "[f] token 6, \"a\", is given twice");
  CHECK(contains(message_of<ConfigError>([] {
                   tokenizer_from_json(
                       R"({"type":"word","lowercase":true,"pieces":true,"tokens":[1]})", "f");
                 }),
                 "[f] token 5 of the vocabulary is not a string"));
  CHECK(contains(message_of<ConfigError>([] { tokenizer_from_json(R"({"type":"word"})", "f"); }),
                 "needs \"lowercase\""));
}

TEST_CASE("labeled lines: torn ones are named") {
  const auto load = [](const std::string& text) {
    return message_of<IoError>([&] { LabeledData(text, {}, "f.tsv"); });
  };
  CHECK(load("ham\tone\nspam two\n") == "[f.tsv:2] no tab: a line is a label, a tab and a text");
  CHECK(load("ham\tone\n\n\ttwo\n") == "[f.tsv:3] no label before the tab");
  CHECK(load("ham\t \n") == "[f.tsv:1] no text after the tab");
  CHECK(load("ham\ta\xff\n") ==
        "[f.tsv:1] not UTF-8 at byte 5 of the line: it seems to be Latin-1; convert it with iconv "
        "-f ISO-8859-1 -t UTF-8");
  CHECK(load("") == "[f.tsv] holds no examples: expects lines of a label, a tab and a text");
  CHECK(load("ham\tone\nham\ttwo") ==
        "[f.tsv] all examples have the label \"ham\": there is nothing to distinguish");
  CHECK(load("ham\ta\nham\tb\nham\tc\nspam\td") ==
        "[f.tsv] the label \"spam\" has 1 different texts: it needs at least 3, one per split");
  CHECK(load("class\tone\nham\ta\nham\tb\nham\tc\n")
            .ends_with(
                "one per split (if the first line is a header, call its columns label and text)"));
}

TEST_CASE("labeled lines: which column is the label, and what becomes of others") {
  std::string left, right, header, three;
  for (int i = 0; i < 12; ++i) {
    const std::string label = i % 3 == 0 ? "neg" : "pos",
                      text = "a film, \"number " + std::to_string(i) + "\"";
    left += label + "\t" + text + "\n";
    right += text + "\t" + label + "\n";
    header += std::to_string(i) + "\t" + text + "\t" + label + "\n";
    three += label + "\t" + text + "\tCC-BY " + std::to_string(i) + "\n";
  }
  const auto examples = [](const LabeledData& data) {
    std::map<std::string, std::string> all;
    for (const Split split : {Split::train, Split::validation, Split::test})
      for (const LabeledText& one : data.examples(split))
        all[one.text] = data.classes()[static_cast<std::size_t>(one.label)];
    return all;
  };
  const LabeledData plain(left, {}, "f"), imdb(right, {}, "f"),
      named("id\treview\tsentiment\n" + header, {}, "f"), license(three, {}, "f");
  CHECK(plain.notes().empty());
  CHECK(examples(plain).at("a film, \"number 3\"") == "neg");
  CHECK(examples(imdb) == examples(plain));
  REQUIRE(imdb.notes().size() == 1);
  CHECK(contains(imdb.notes()[0],
                 "the second column was taken for the label, as it has 2 different values"));
  CHECK(examples(named) == examples(plain));
  CHECK(named.notes() ==
        std::vector<std::string>{"f: left out the column `id`; what is read is label, text"});
  CHECK(examples(license) == examples(plain));
  CHECK(contains(license.notes().at(0), "left out: column 3 (`CC-BY 0`)"));
  CHECK(
      examples(LabeledData(three, {.old_rules = true}, "f")).at("a film, \"number 3\"\tCC-BY 3") ==
      "neg");
  // What both columns could be is not guessed.
  std::string both;
  for (int i = 0; i < 24; ++i)
    both += std::string(1, static_cast<char>('a' + i % 2)) + "\t" +
            std::string(1, static_cast<char>('p' + i % 3)) + "\n";
  CHECK(contains(message_of<IoError>([&] { LabeledData(both, {}, "f"); }),
                 "[f] it is unclear which column is the label: the first has 2 different values, "
                 "the second 3"));
  CHECK(contains(message_of<IoError>([&] { LabeledData("text\tlabel\n" + both, {}, "f"); }),
                 "the label \"p\" has 1 different texts"));
  CHECK(contains(message_of<IoError>([&] { LabeledData(left + "pos\ttwo\ttabs\n", {}, "f"); }),
                 "[f:13] 3 columns, where the first line has 2"));
}

TEST_CASE("the SMS collection: stratified, the same each time, and no text in two splits") {
  const LabeledData data = load_labeled(shipped("sms-spam.tsv"));
  CHECK(data.classes() == std::vector<std::string>{"ham", "spam"});
  CHECK(data.rarest() == 1);
  std::int64_t total = 0;
  std::map<std::string, std::set<int>> seen;
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    const auto counts = data.counts(split);
    total += counts[0] + counts[1];
    CHECK(static_cast<double>(counts[1]) / static_cast<double>(counts[0] + counts[1]) ==
          doctest::Approx(747.0 / 5574).epsilon(0.03));
    for (const auto& example : data.examples(split))
      seen[example.text].insert(static_cast<int>(split));
  }
  CHECK(total == 5574);
  CHECK(data.examples(Split::test).size() == doctest::Approx(557).epsilon(0.02));
  for (const auto& [text, splits] : seen) CHECK_MESSAGE(splits.size() == 1, text);
  const LabeledData again = load_labeled(shipped("sms-spam.tsv"));
  CHECK(again.examples(Split::test).front().text == data.examples(Split::test).front().text);
}

TEST_CASE(
    "batches of sequences: every one once an epoch, each batch of like lengths, padded to its "
    "longest") {
  std::vector<Sequence> sequences;
  for (int i = 0; i < 50; ++i)
    sequences.push_back(Sequence(static_cast<std::size_t>(3 + i * 7 % 20), 9));
  EpochOrder order(lengths_of(sequences), 8, 3);
  CHECK(order.batches() == 7);
  for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
    std::set<std::int64_t> rows;
    for (std::int64_t k = 0; k < 7; ++k)
      for (const std::int64_t row : order.batch(epoch * 7 + k)) CHECK(rows.insert(row).second);
    CHECK(rows.size() == 50);
  }
  const auto fifth = order.batch(5);
  CHECK(EpochOrder(lengths_of(sequences), 8, 3).batch(5) == fifth);
  CHECK(EpochOrder(lengths_of(sequences), 8, 4).batch(5) != fifth);
  const Tensor padded = pad({{2, 7, 3}, {2, 3}}, {1, 0});
  CHECK(padded.to_vector<std::int64_t>() == std::vector<std::int64_t>{2, 3, 0, 2, 7, 3});
}

TEST_CASE("masks: the shares of the paper, whole words together, nothing special hidden") {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "alpha beta gamma delta low lower lowest newest widest ";
  const auto tokenizer = WordTokenizer::of_text(text, {.vocab_size = kSpecialIds + 40});
  std::vector<Sequence> sequences;
  for (int i = 0; i < 100; ++i) sequences.push_back(classify_sequence(*tokenizer, text, 64, "t"));
  std::vector<std::int64_t> rows;
  for (int i = 0; i < 100; ++i) rows.push_back(i);
  const Tensor ids = pad(sequences, rows);
  Generator generator(1, "mask");
  const MaskedBatch batch = mask_tokens(ids, *tokenizer, {}, generator);
  const auto before = ids.to_vector<std::int64_t>(), after = batch.inputs.to_vector<std::int64_t>(),
             targets = batch.targets.to_vector<std::int64_t>();
  double chosen = 0, masked = 0, kept = 0, tokens = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool special = before[i] == kPadId || before[i] == kClassId || before[i] == kSeparatorId;
    tokens += special ? 0 : 1;
    if (targets[i] == kIgnoreIndex) {
      CHECK(after[i] == before[i]);
      continue;
    }
    CHECK_FALSE(special);
    CHECK(targets[i] == before[i]);
    CHECK((after[i] == kMaskId || after[i] >= kSpecialIds));
    ++chosen;
    masked += after[i] == kMaskId ? 1 : 0;
    kept += after[i] == before[i] ? 1 : 0;
  }
  CHECK(chosen / tokens == doctest::Approx(0.15).epsilon(0.05));
  CHECK(masked / chosen == doctest::Approx(0.8).epsilon(0.06));
  CHECK(kept / chosen == doctest::Approx(0.1).epsilon(0.35));

  const MaskedBatch whole = mask_tokens(ids, *tokenizer, {.whole_words = true}, generator);
  const auto whole_targets = whole.targets.to_vector<std::int64_t>();
  for (std::size_t i = 0; i + 1 < before.size(); ++i)
    if (before[i + 1] >= kSpecialIds && tokenizer->continues(before[i + 1]))
      CHECK((whole_targets[i] == kIgnoreIndex) == (whole_targets[i + 1] == kIgnoreIndex));
  CHECK(message_of<ConfigError>([&] { mask_tokens(ids, *tokenizer, {.share = 0}, generator); }) ==
        "[masking] the fraction of tokens to predict must be above 0 and at most 1, got 0");
}

TEST_CASE(
    "pairs of words: noise by frequency to the 3/4, frequent words thinned out, contexts within "
    "the window") {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 3000; ++i) ids.push_back(i % 3 == 0 ? 2 : i % 3 == 1 ? 3 : 4 + i % 10);
  const SkipGramPairs pairs(ids, 20, {.window = 2, .negatives = 4, .subsample = 0});
  double norm = 0;
  for (const std::int64_t count : pairs.counts())
    norm += std::pow(static_cast<double>(count), 0.75);
  for (std::size_t id = 0; id < 20; ++id)
    CHECK(pairs.noise()[id] ==
          doctest::Approx(pairs.counts()[id] == 0
                              ? 0
                              : std::pow(static_cast<double>(pairs.counts()[id]), 0.75) / norm));
  const Tensor batch = pairs.batch(0, 20000, 1);
  REQUIRE(batch.shape() == Shape{20000, 6});
  std::vector<double> drawn(20, 0);
  const auto all = batch.to_vector<std::int64_t>();
  for (std::size_t row = 0; row < 20000; ++row)
    for (std::size_t n = 2; n < 6; ++n)
      drawn[static_cast<std::size_t>(all[row * 6 + n])] += 1.0 / 80000;
  for (std::size_t id = 0; id < 20; ++id) CHECK(std::abs(drawn[id] - pairs.noise()[id]) < 0.01);
  CHECK(batch_hash(batch, Tensor()) == batch_hash(pairs.batch(0, 20000, 1), Tensor()));
  CHECK(batch_hash(batch, Tensor()) != batch_hash(pairs.batch(1, 20000, 1), Tensor()));

  const SkipGramPairs thinned(ids, 20, {.subsample = 1e-2});
  CHECK(thinned.kept()[2] == doctest::Approx(std::sqrt(1e-2 / (1.0 / 3))));
  CHECK(
      message_of<ConfigError>([] { SkipGramPairs({1}, 5, {}); }) ==
      "[skip-gram] a text of 1 known words has no pairs: take a longer text, or a lower min_count");
  CHECK(message_of<ConfigError>([] {
          SkipGramPairs({1, 2}, 5, {.window = 0});
        }) == "[skip-gram] window must be 1 to 1000, got 0");
}

TEST_CASE("planted synonyms stand in the same places") {
  const SynonymCorpus corpus = planted_synonyms(4, 2000, 1);
  REQUIRE(corpus.synonyms.size() == 4);
  std::map<std::string, std::map<std::string, int>> after;
  const auto words = split_words(corpus.text, true, "t");
  for (std::size_t i = 0; i + 1 < words.size(); ++i) ++after[words[i]][words[i + 1]];
  for (const auto& [a, b] : corpus.synonyms) {
    CHECK(after.at(a).size() == 4);
    CHECK(after.at(a).begin()->first == after.at(b).begin()->first);
  }
}
