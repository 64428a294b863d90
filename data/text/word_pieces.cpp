#include "data/text/word_pieces.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <tuple>
#include <unordered_map>

#include "data/text/utf8.h"

namespace weft::data {
namespace {

using PiecePair = std::pair<std::int32_t, std::int32_t>;

struct CutWord {
  std::vector<std::int32_t> pieces;
  std::int64_t count;
};

/// The words as pieces, and how often each pair of neighbours occurs; joining a pair touches only the words that hold it.
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
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    if (static_cast<std::int64_t>(order.size()) > room) order.resize(static_cast<std::size_t>(room));
    std::unordered_map<std::string, std::int32_t> ids;
    for (const auto& [piece, count] : order) ids.emplace(piece, add(piece));
    for (std::size_t w = 0; w < words.size(); ++w) {
      CutWord word{{}, words[w].second};
      for (const std::string& piece : cut[w]) {
        const auto it = ids.find(piece);
        word.pieces.push_back(it == ids.end() ? -1 : it->second);
      }
      words_.push_back(std::move(word));
      count_pairs(words_.size() - 1, +1);
    }
    for (const auto& [pair, count] : counts_) push(pair);
  }

  /// Joins the most frequent pair into a new piece; false when no pair occurs twice.
  bool join() {
    while (!queue_.empty()) {
      const auto [count, text, pair] = queue_.top();
      queue_.pop();
      const auto it = counts_.find(pair);
      if (it == counts_.end() || it->second != count || count < 2) continue;  // stale: its count has changed since
      const std::int32_t joined = add(joined_text(pair));
      const std::set<std::size_t> holders = std::move(holders_[pair]);
      for (const std::size_t w : holders) {
        count_pairs(w, -1);
        replace(words_[w].pieces, pair, joined);
        count_pairs(w, +1);
      }
      for (const PiecePair& changed : changed_) push(changed);
      changed_.clear();
      return true;
    }
    return false;
  }

  std::vector<std::string> pieces() && { return std::move(pieces_); }
  std::int64_t size() const { return static_cast<std::int64_t>(pieces_.size()); }

 private:
  /// Of equal counts the text that comes first wins: the priority queue gives its largest element.
  struct Candidate {
    std::int64_t count;
    std::string text;
    PiecePair pair;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : std::tie(text, pair) > std::tie(other.text, other.pair);
    }
  };

  std::int32_t add(const std::string& piece) {
    pieces_.push_back(piece);
    return static_cast<std::int32_t>(pieces_.size() - 1);
  }
  std::string joined_text(const PiecePair& pair) const {
    return pieces_[static_cast<std::size_t>(pair.first)] + pieces_[static_cast<std::size_t>(pair.second)].substr(2);
  }
  void push(const PiecePair& pair) {
    const auto it = counts_.find(pair);
    if (it != counts_.end() && it->second >= 2) queue_.push({it->second, joined_text(pair), pair});
  }
  void count_pairs(std::size_t w, std::int64_t sign) {
    const CutWord& word = words_[w];
    for (std::size_t i = 0; i + 1 < word.pieces.size(); ++i) {
      const PiecePair pair{word.pieces[i], word.pieces[i + 1]};
      if (pair.first < 0 || pair.second < 0) continue;
      counts_[pair] += sign * word.count;
      if (sign > 0) holders_[pair].insert(w);
      changed_.insert(pair);
    }
  }
  static void replace(std::vector<std::int32_t>& pieces, const PiecePair& pair, std::int32_t joined) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < pieces.size(); ++to) {
      const bool here = i + 1 < pieces.size() && pieces[i] == pair.first && pieces[i + 1] == pair.second;
      pieces[to] = here ? joined : pieces[i];
      i += here ? 2 : 1;
    }
    pieces.resize(to);
  }

  std::vector<std::string> pieces_;
  std::vector<CutWord> words_;
  std::map<PiecePair, std::int64_t> counts_;
  std::map<PiecePair, std::set<std::size_t>> holders_;
  std::set<PiecePair> changed_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace

std::vector<std::string> learn_pieces(const std::vector<std::pair<std::string, std::int64_t>>& words, std::int64_t room) {
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

}  // namespace weft::data
