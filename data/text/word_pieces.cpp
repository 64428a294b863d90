#include "data/text/word_pieces.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <queue>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/phase.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

using PiecePair = std::pair<std::int32_t, std::int32_t>;

struct PairHash {
  std::size_t operator()(const PiecePair& pair) const {
    const auto key = static_cast<std::uint64_t>(static_cast<std::uint32_t>(pair.first)) << 32 |
                     static_cast<std::uint32_t>(pair.second);
    return static_cast<std::size_t>((key ^ key >> 29) * 0x9E3779B97F4A7C15ULL >> 7);
  }
};

/// How often a pair occurs, and the words that hold it or once did.
struct PairFacts {
  std::int64_t count = 0;
  std::vector<std::uint32_t> holders;
  bool changed = false;
};

struct CutWord {
  std::vector<std::int32_t> pieces;
  std::int64_t count;
};

/// The words as pieces, and how often each pair of neighbors occurs; joining a pair touches only
/// the words that hold it.
class PieceJoiner {
 public:
  PieceJoiner(const std::vector<std::pair<std::string, std::int64_t>>& words, std::int64_t room) {
    std::map<std::string, std::int64_t> singles;
    std::vector<std::vector<std::string>> cut(words.size());
    for (std::size_t w = 0; w < words.size(); ++w) {
      for (const char32_t c : decode_utf8(words[w].first, "word pieces")) {
        cut[w].push_back((cut[w].empty() ? "" : "##") + to_utf8(c));
        singles[cut[w].back()] += words[w].second;
      }
    }
    std::vector<std::pair<std::string, std::int64_t>> order(singles.begin(), singles.end());
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    if (static_cast<std::int64_t>(order.size()) > room)
      order.resize(static_cast<std::size_t>(room));
    std::unordered_map<std::string, std::int32_t> ids;
    for (const auto& [piece, count] : order) ids.emplace(piece, add(piece));
    for (std::size_t w = 0; w < words.size(); ++w) {
      CutWord word{{}, words[w].second};
      for (const std::string& piece : cut[w]) {
        const auto it = ids.find(piece);
        word.pieces.push_back(it == ids.end() ? -1 : it->second);
      }
      words_.push_back(std::move(word));
      count_pairs(words_.size() - 1, +1, kAnyPiece);
    }
    push_changed();
  }

  /// Joins the most frequent pair into a new piece; false when no pair occurs twice.
  bool join() {
    while (!queue_.empty()) {
      const auto [count, text, pair] = queue_.top();
      queue_.pop();
      const auto it = pairs_.find(pair);
      if (it == pairs_.end() || it->second.count != count || count < 2)
        continue;  // stale: its count has changed since
      const std::int32_t joined = add(joined_text(pair));
      std::vector<std::uint32_t> holders = std::move(it->second.holders);
      it->second.holders.clear();
      std::sort(holders.begin(), holders.end());
      holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
      for (const std::uint32_t w : holders) {
        count_pairs(w, -1, kAnyPiece);
        replace(words_[w].pieces, pair, joined);
        count_pairs(w, +1, joined);
      }
      push_changed();
      return true;
    }
    return false;
  }

  std::vector<std::string> pieces() && { return std::move(pieces_); }
  std::int64_t size() const { return static_cast<std::int64_t>(pieces_.size()); }

 private:
  static constexpr std::int32_t kAnyPiece = -2;

  /// Of equal counts the text that comes first wins: the priority queue gives its largest element.
  struct Candidate {
    std::int64_t count;
    std::string text;
    PiecePair pair;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count
                                  : std::tie(text, pair) > std::tie(other.text, other.pair);
    }
  };

  std::int32_t add(const std::string& piece) {
    pieces_.push_back(piece);
    return static_cast<std::int32_t>(pieces_.size() - 1);
  }
  std::string joined_text(const PiecePair& pair) const {
    return pieces_[static_cast<std::size_t>(pair.first)] +
           pieces_[static_cast<std::size_t>(pair.second)].substr(2);
  }
  void push_changed() {
    for (const PiecePair& pair : changed_) {
      PairFacts& facts = pairs_[pair];
      facts.changed = false;
      if (facts.count >= 2) queue_.push({facts.count, joined_text(pair), pair});
    }
    changed_.clear();
  }
  /// Words that hold pairs are noted where the pair is new to them: where `fresh` is in it.
  void count_pairs(std::size_t w, std::int64_t sign, std::int32_t fresh) {
    const CutWord& word = words_[w];
    for (std::size_t i = 0; i + 1 < word.pieces.size(); ++i) {
      const PiecePair pair{word.pieces[i], word.pieces[i + 1]};
      if (pair.first < 0 || pair.second < 0) continue;
      PairFacts& facts = pairs_[pair];
      facts.count += sign * word.count;
      if (sign > 0 && (fresh == kAnyPiece || pair.first == fresh || pair.second == fresh))
        facts.holders.push_back(static_cast<std::uint32_t>(w));
      if (!std::exchange(facts.changed, true)) changed_.push_back(pair);
    }
  }
  static void replace(std::vector<std::int32_t>& pieces, const PiecePair& pair,
                      std::int32_t joined) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < pieces.size(); ++to) {
      const bool here =
          i + 1 < pieces.size() && pieces[i] == pair.first && pieces[i + 1] == pair.second;
      pieces[to] = here ? joined : pieces[i];
      i += here ? 2 : 1;
    }
    pieces.resize(to);
  }

  std::vector<std::string> pieces_;
  std::vector<CutWord> words_;
  std::unordered_map<PiecePair, PairFacts, PairHash> pairs_;
  std::vector<PiecePair> changed_;  ///< those whose flag says so
  std::priority_queue<Candidate> queue_;
};

std::vector<std::string> learn_merges(
    const std::vector<std::pair<std::string, std::int64_t>>& words, std::int64_t room) {
  const Phase phase("learning {} word pieces from {} words", room, words.size());
  PieceJoiner joiner(words, room);
  while (joiner.size() < room && joiner.join()) {
  }
  // Two ways of joining may lead to the same piece; once is enough.
  std::vector<std::string> unique;
  std::set<std::string> seen;
  for (std::string& piece : std::move(joiner).pieces()) {
    if (seen.insert(piece).second) unique.push_back(std::move(piece));
  }
  return unique;
}

/// 128 bits of all words and counts (two FNV-1a hashes with different beginnings and steps).
using WordsKey = std::tuple<std::uint64_t, std::uint64_t, std::size_t, std::int64_t>;

WordsKey key_of(const std::vector<std::pair<std::string, std::int64_t>>& words, std::int64_t room) {
  std::uint64_t a = 0xCBF29CE484222325ULL, b = 0x84222325CBF29CE4ULL;
  const auto add = [&](std::uint64_t value) {
    a = (a ^ value) * 0x100000001B3ULL;
    b = (b ^ (value + 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL;
    b ^= b >> 32;
  };
  for (const auto& [word, count] : words) {
    for (const char c : word) add(static_cast<unsigned char>(c));
    add(0x100);
    add(static_cast<std::uint64_t>(count));
  }
  return {a, b, words.size(), room};
}

}  // namespace

std::vector<std::string> learn_pieces(
    const std::vector<std::pair<std::string, std::int64_t>>& words, std::int64_t room) {
  static std::mutex& mutex = *new std::mutex;
  static auto& last = *new std::pair<WordsKey, std::vector<std::string>>;
  const WordsKey key = key_of(words, room);
  const std::lock_guard lock(mutex);
  if (last.first != key) last = {key, learn_merges(words, room)};
  return last.second;
}

}  // namespace weft::data
