#include "data/text/word_tokenizer.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/phase.h"
#include "data/text/encoding.h"
#include "data/text/utf8.h"
#include "data/text/word_pieces.h"

namespace weft::data {
namespace {

constexpr std::array kSpecialTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
constexpr std::size_t kLongestWord = 400;  // bytes; what is longer is no word, and would only cost
                                           // time (BERT's limit is 100 characters)

bool is_space(char32_t c) {
  return c <= 0x20 || c == 0x7F || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000 || c == 0xFEFF;
}

/// Chinese characters are words (Devlin et al. 2018, the published tokenizer); so is every sign of
/// punctuation and every symbol.
bool stands_alone(char32_t c) {
  if (c < 0x80)
    return !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
  if (c < 0xC0) return c != 0xAA && c != 0xB5 && c != 0xBA;
  if (c == 0xD7 || c == 0xF7) return true;
  const bool symbols = (c >= 0x2010 && c <= 0x2BFF) || (c >= 0x3001 && c <= 0x303F) ||
                       (c >= 0xFF01 && c <= 0xFF0F) || (c >= 0xFF1A && c <= 0xFF20);
  const bool ideographs = (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
                          (c >= 0x20000 && c <= 0x3FFFF);
  return symbols || ideographs || (c >= 0x1F000 && c <= 0x1FAFF);
}

char32_t to_lower(char32_t c) {
  const bool upper = (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7);
  return upper ? c + 0x20 : c;
}

/// Calls f(word) for each.
template <class F>
void each_word(std::string_view text, bool lowercase, std::string_view where, F&& f) {
  std::string word;
  bool apostrophe = false;  // seen after the word, and no letter after it yet
  const auto end_word = [&] {
    if (!word.empty()) f(word);
    word.clear();
    if (apostrophe) f(std::string("'"));
    apostrophe = false;
  };
  for_each_code_point(skip_bom(text), where, [&](char32_t c, std::size_t) {
    if (is_space(c)) return end_word();
    const bool alone = stands_alone(c);
    if ((c == '\'' || c == 0x2019) && !word.empty() && !apostrophe) {
      apostrophe = true;
      return;
    }
    if (alone) {
      end_word();
      f(to_utf8(c));
      return;
    }
    if (apostrophe) word += '\'';
    apostrophe = false;
    append_utf8(word, lowercase ? to_lower(c) : c);
  });
  end_word();
}

std::vector<std::pair<std::string, std::int64_t>> count_words(std::string_view text,
                                                              const WordOptions& options,
                                                              std::string_view where) {
  const Phase phase("counting the words of {}", where);
  std::unordered_map<std::string, std::int64_t> counts;
  each_word(text, options.lowercase, where, [&](const std::string& word) {
    if (word.size() <= kLongestWord) ++counts[word];
  });
  std::vector<std::pair<std::string, std::int64_t>> words;
  for (const auto& [word, count] : counts) {
    if (count >= options.min_count) words.emplace_back(word, count);
  }
  std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return words;
}

}  // namespace

std::vector<std::string> split_words(std::string_view text, bool lowercase,
                                     std::string_view where) {
  std::vector<std::string> words;
  each_word(text, lowercase, where, [&](const std::string& word) { words.push_back(word); });
  return words;
}

std::shared_ptr<const WordTokenizer> WordTokenizer::of_text(std::string_view text,
                                                            const WordOptions& options,
                                                            std::string_view where) {
  if (options.vocab_size <= kSpecialIds || options.vocab_size > 10'000'000)
    fail<ConfigError>("tokenizer", "vocab_size must be {} to 10000000, got {}", kSpecialIds + 1,
                      options.vocab_size);
  if (options.min_count < 1)
    fail<ConfigError>("tokenizer", "min_count must be at least 1, got {}", options.min_count);
  if (seems_utf16(text)) fail_utf8(text, 0, where);
  const auto words = count_words(text, options, where);
  if (words.empty()) {
    if (options.min_count > 1)
      fail<ConfigError>(where, "no word occurs {} times: lower min_count", options.min_count);
    fail<ConfigError>(where, "holds no words");
  }
  const std::int64_t room = options.vocab_size - kSpecialIds;
  std::vector<std::string> tokens;
  if (options.pieces) {
    tokens = learn_pieces(words, room);
  } else {
    for (const auto& [word, count] : words) {
      if (static_cast<std::int64_t>(tokens.size()) < room) tokens.push_back(word);
    }
  }
  return std::make_shared<WordTokenizer>(std::move(tokens), options.lowercase, options.pieces,
                                         where);
}

WordTokenizer::WordTokenizer(std::vector<std::string> tokens, bool lowercase, bool pieces,
                             std::string_view where)
    : tokens_(kSpecialTokens.begin(), kSpecialTokens.end()),
      lowercase_(lowercase),
      pieces_(pieces) {
  tokens_.insert(tokens_.end(), std::make_move_iterator(tokens.begin()),
                 std::make_move_iterator(tokens.end()));
  if (tokens_.size() == kSpecialTokens.size())
    fail<ConfigError>(where, "a vocabulary needs at least one token");
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    const bool special = id < kSpecialTokens.size();
    const bool continuing =
        pieces_ && !special && tokens_[id].size() > 2 && tokens_[id].starts_with("##");
    if (tokens_[id].empty()) fail<ConfigError>(where, "token {} is empty", id);
    if (!ids_.emplace(tokens_[id], static_cast<std::int64_t>(id)).second)
      fail<ConfigError>(where, "token {}, \"{}\", is given twice", id, tokens_[id]);
    continues_.push_back(continuing);
  }
}

void WordTokenizer::encode_word(const std::string& word, std::vector<std::int64_t>& ids) const {
  if (word.size() > kLongestWord) {
    ids.push_back(kUnknownId);
    return;
  }
  // A word never begins with `##` or `[` followed by more, so that no special token and no
  // continuing piece is found here.
  if (const auto it = ids_.find(word); it != ids_.end()) {
    ids.push_back(it->second);
    return;
  }
  const std::size_t before = ids.size();
  for (std::size_t begin = 0; pieces_ && begin < word.size();) {
    std::size_t end = word.size();
    std::int64_t found = -1;
    for (; end > begin; --end) {
      const auto it = ids_.find((begin > 0 ? "##" : "") + word.substr(begin, end - begin));
      if (it == ids_.end()) continue;
      found = it->second;
      break;
    }
    if (found < 0) {
      ids.resize(before);
      break;
    }
    ids.push_back(found);
    begin = end;
  }
  if (ids.size() == before) ids.push_back(kUnknownId);
}

std::vector<std::int64_t> WordTokenizer::encode(std::string_view text,
                                                std::string_view where) const {
  std::vector<std::int64_t> ids;
  each_word(text, lowercase_, where, [&](const std::string& word) { encode_word(word, ids); });
  return ids;
}

std::string WordTokenizer::decode(std::span<const std::int64_t> ids) const {
  std::string text;
  for (const std::int64_t id : ids) {
    const std::string& piece = token(id);
    if (continues(id))
      text += piece.substr(2);
    else
      text += (text.empty() ? "" : " ") + piece;
  }
  return text;
}

std::vector<std::int32_t> WordTokenizer::token_bytes() const {
  std::vector<std::int32_t> bytes;
  for (std::size_t id = 0; id < tokens_.size(); ++id)
    bytes.push_back(static_cast<std::int32_t>(tokens_[id].size()) + (continues_[id] ? -2 : 1));
  return bytes;
}

std::string WordTokenizer::to_json() const {
  const std::vector<std::string> own(tokens_.begin() + kSpecialIds, tokens_.end());
  return nlohmann::json{
      {"type", "word"}, {"lowercase", lowercase_}, {"pieces", pieces_}, {"tokens", own}}
      .dump();
}

std::shared_ptr<const WordTokenizer> WordTokenizer::from_json(std::string_view json,
                                                              std::string_view where) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  const auto truth = [&](const char* name) {
    if (!parsed.is_object() || !parsed.contains(name) || !parsed[name].is_boolean())
      fail<ConfigError>(where, "a word tokenizer needs \"{}\", true or false", name);
    return parsed[name].get<bool>();
  };
  const bool lowercase = truth("lowercase"), pieces = truth("pieces");
  if (!parsed.contains("tokens") || !parsed["tokens"].is_array())
    fail<ConfigError>(where, "a word tokenizer needs \"tokens\", a list");
  std::vector<std::string> tokens;
  for (const auto& token : parsed["tokens"]) {
    if (!token.is_string())
      fail<ConfigError>(where, "token {} of the vocabulary is not a string",
                        kSpecialIds + static_cast<std::int64_t>(tokens.size()));
    tokens.push_back(token.get<std::string>());
  }
  return std::make_shared<WordTokenizer>(std::move(tokens), lowercase, pieces, where);
}

const std::string& WordTokenizer::token(std::int64_t id) const {
  if (id < 0 || id >= vocab_size())
    fail<IndexError>("decode", "id {} is outside the vocabulary of {}", id, vocab_size());
  return tokens_[static_cast<std::size_t>(id)];
}

std::int64_t WordTokenizer::find(std::string_view token) const {
  const auto it = ids_.find(std::string(token));
  return it == ids_.end() ? -1 : it->second;
}

}  // namespace weft::data
