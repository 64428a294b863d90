// The learner of word pieces keeps its counts up to date; here they are counted anew for every
// join.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/random.h"
#include "data/text/word_pieces.h"

using namespace weft;

namespace {

using Counted = std::vector<std::pair<std::string, std::int64_t>>;

/// Of ASCII words, by the definition alone.
std::vector<std::string> learn_slowly(const Counted& words, std::int64_t room) {
  std::vector<std::vector<std::string>> cut(words.size());
  std::map<std::string, std::int64_t> singles;
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (const char c : words[w].first) {
      cut[w].push_back((cut[w].empty() ? "" : "##") + std::string(1, c));
      singles[cut[w].back()] += words[w].second;
    }
  }
  Counted order(singles.begin(), singles.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (static_cast<std::int64_t>(order.size()) > room) order.resize(static_cast<std::size_t>(room));
  std::vector<std::string> pieces;
  for (const auto& [piece, count] : order) pieces.push_back(piece);
  const std::set<std::string> known(pieces.begin(), pieces.end());
  while (static_cast<std::int64_t>(pieces.size()) < room) {
    std::map<std::string, std::pair<std::int64_t, std::pair<std::string, std::string>>>
        pairs;  // by the text of both
    for (std::size_t w = 0; w < words.size(); ++w) {
      for (std::size_t i = 0; i + 1 < cut[w].size(); ++i) {
        const auto seen = [&](const std::string& piece) {
          return known.contains(piece) ||
                 std::find(pieces.begin(), pieces.end(), piece) != pieces.end();
        };
        if (!seen(cut[w][i]) || !seen(cut[w][i + 1])) continue;
        auto& [count, both] = pairs[cut[w][i] + cut[w][i + 1].substr(2) + "|" + cut[w][i]];
        count += words[w].second;
        both = {cut[w][i], cut[w][i + 1]};
      }
    }
    const auto best =
        std::max_element(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
          return a.second.first != b.second.first
                     ? a.second.first < b.second.first
                     : a.first.substr(0, a.first.find('|')) > b.first.substr(0, b.first.find('|'));
        });
    if (best == pairs.end() || best->second.first < 2) break;
    const auto [first, second] = best->second.second;
    const std::string joined = first + second.substr(2);
    const auto ways = std::count_if(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return pair.first.starts_with(joined + "|");
    });
    if (ways > 1 || std::find(pieces.begin(), pieces.end(), joined) != pieces.end())
      return {};  // which of two ways to one piece is not told by the texts
    pieces.push_back(joined);
    for (auto& word : cut) {
      std::vector<std::string> next;
      for (std::size_t i = 0; i < word.size(); ++i) {
        const bool here = i + 1 < word.size() && word[i] == first && word[i + 1] == second;
        next.push_back(here ? joined : word[i]);
        i += here;
      }
      word = next;
    }
  }
  return pieces;
}

}  // namespace

TEST_CASE("the pieces are those that counting anew for every join gives") {
  Generator random(5, "pieces");
  int compared = 0;
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, std::int64_t> counts;
    const std::int64_t letters = 2 + round % 6;
    for (int i = 0; i < 40; ++i) {
      std::string word;
      for (std::uint64_t length = 1 + random.next_below(9); length > 0; --length)
        word += static_cast<char>('a' + random.next_below(static_cast<std::uint64_t>(letters)));
      counts[word] += 1 + static_cast<std::int64_t>(random.next_below(20));
    }
    const Counted words(counts.begin(), counts.end());
    const std::int64_t room = 5 + static_cast<std::int64_t>(random.next_below(40));
    const auto expected = learn_slowly(words, room);
    if (expected.empty()) continue;
    ++compared;
    CHECK(data::learn_pieces(words, room) == expected);
    CHECK(data::learn_pieces(words, room) == expected);  // remembered
    if (static_cast<std::int64_t>(expected.size()) == room)
      CHECK(data::learn_pieces(words, room - 1) != expected);
  }
  CHECK(compared >= 10);
}
