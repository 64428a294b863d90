// Pairs of texts: files of tabs, quatrains, and splits that never share a source.
#include "data/text/text_pairs.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/data/scratch.h"

using namespace weft;
using namespace weft::data;
using weft_test::contains;
using weft_test::message_of;

namespace {

constexpr const char* kPoems =
    "title\nauthor\n一二，三四。\n五六，七八。\n\nanother\nsomebody\r\n甲，\r\n乙。\r\n";

std::set<std::string> sources_of(const PairData& data, Split split) {
  std::set<std::string> all;
  for (const TextPair& pair : data.pairs(split)) all.insert(pair.source);
  return all;
}

}  // namespace

TEST_CASE("a poem's second couplet belongs to its first") {
  const auto pairs = parse_couplets(kPoems, "poems");
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].source == "一二，三四。");
  CHECK(pairs[0].target == "五六，七八。");
  CHECK(pairs[0].line == 4);
  CHECK(pairs[1].source == "甲，");
  CHECK(pairs[1].target == "乙。");
  CHECK(parse_couplets("", "poems").empty());
  CHECK(message_of<IoError>([] { parse_couplets("title\nauthor\nverse\n\nmore\n", "p.txt"); }) ==
        "[p.txt:4] a poem is a title, an author and two lines of verse, and this one has 3 lines");
  CHECK(
      contains(message_of<IoError>([] { parse_couplets("title\n\xff\n", "p.txt"); }), "not UTF-8"));
}

TEST_CASE("every source is in one split, and the splits are the same every time") {
  std::vector<TextPair> pairs;
  for (int i = 0; i < 200; ++i)
    pairs.push_back({"source " + std::to_string(i % 80), "target " + std::to_string(i), i + 1});
  const PairData data(pairs, "pairs"), again(pairs, "pairs");
  std::size_t all = 0;
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    all += data.pairs(split).size();
    CHECK(sources_of(data, split) == sources_of(again, split));
    for (const Split other : {Split::train, Split::validation, Split::test}) {
      if (other == split) continue;
      for (const std::string& source : sources_of(data, split))
        CHECK_FALSE(sources_of(data, other).contains(source));
    }
  }
  CHECK(all == pairs.size());
  CHECK(sources_of(data, Split::test).size() == 8);
  CHECK(sources_of(data, Split::validation).size() == 8);
  CHECK(message_of<IoError>([] {
          PairData({{"a", "b", 1}, {"a", "c", 2}, {"d", "e", 3}}, "few");
        }) == "[few] holds 2 different sources: it needs at least 3, one per split");
}

TEST_CASE("files of pairs, and the shipped quatrains") {
  const weft_test::Scratch scratch;
  const PairData data =
      load_pairs(scratch.write("pairs.tsv", "one\teins\r\n\ntwo\tzwei\n three\t drei \n"));
  CHECK(data.pairs(Split::train).size() == 1);
  CHECK(data.pairs(Split::test).size() == 1);
  const std::string torn = scratch.write("torn.tsv", "one\teins\ntwo zwei\n");
  CHECK(message_of<IoError>([&] { load_pairs(torn); }) ==
        "[" + torn + ":2] no tab: a line is a source, a tab and a target");
  CHECK(message_of<IoError>([&] {
          load_pairs(scratch.write("half.tsv", "one\t\n"));
        }).ends_with(":1] no target after the tab"));

  // A license behind each pair, as in files of Tatoeba and Anki, is no part of the target; an old
  // run keeps it.
  const std::string anki = scratch.write(
      "anki.txt",
      "Go.\tVa !\tCC-BY 2.0 (France)\nHi.\tSalut !\tCC-BY 2.0\nRun!\tCours !\tCC-BY 2.0 \n");
  const TextPairs licensed = read_pairs(anki);
  CHECK(licensed.pairs[2].target == "Cours !");
  CHECK(licensed.notes ==
        std::vector<std::string>{anki +
                                 ": 3 columns and no header: the first is the source, the second "
                                 "the target; left out: column 3 (`CC-BY 2.0 (France)`)"});
  CHECK(read_pairs(anki, true).pairs[2].target == "Cours !\tCC-BY 2.0");
  const std::string ragged = scratch.write("ragged.tsv", "a\tb\nc\td\te\n");
  CHECK(contains(message_of<IoError>([&] { read_pairs(ragged); }),
                 ragged + ":2] 3 columns, where the first line has 2"));
  const std::string ids = scratch.write("ids.tsv", "1\tGo.\t7\tVa !\n2\tHi.\t8\tSalut !\n");
  CHECK(contains(message_of<IoError>([&] { read_pairs(ids); }),
                 "4 columns, of which number 1 holds only numbers: name them in a first line"));
  CHECK(read_pairs(scratch.write("named.tsv", "id\ttarget\tsource\n1\tVa !\tGo.\n"))
            .pairs[0]
            .source == "Go.");

  const PairData tang = load_pairs("tang");
  CHECK(tang.pairs(Split::train).size() + tang.pairs(Split::validation).size() +
            tang.pairs(Split::test).size() ==
        11049);
}
