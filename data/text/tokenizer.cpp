#include "data/text/tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "data/text/encoding.h"
#include "data/text/piece_tokenizer.h"
#include "data/text/utf8.h"
#include "data/text/word_tokenizer.h"

namespace weft::data {
namespace {

constexpr char32_t kLastCodePoint = 0x10FFFF;

bool is_scalar_value(char32_t c) { return c <= kLastCodePoint && !(c >= 0xD800 && c <= 0xDFFF); }

/// `'é' (U+00E9)`; only the number for characters that show nothing or move a terminal's cursor.
std::string describe(char32_t c) {
  const auto number = fmt::format("U+{:04X}", static_cast<std::uint32_t>(c));
  const bool invisible = c <= 0x20 || (c >= 0x7F && c <= 0xA0) || (c >= 0x200B && c <= 0x200F) ||
                         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
                         c == 0xFEFF;
  return invisible ? number : fmt::format("'{}' ({})", to_utf8(c), number);
}

void check_id(std::int64_t id, std::size_t position, std::int64_t vocab_size) {
  if (id < 0 || id >= vocab_size)
    fail<IndexError>("decode", "id {} at {} is outside the vocabulary of {}", id, position,
                     vocab_size);
}

}  // namespace

CharTokenizer::CharTokenizer(std::vector<char32_t> characters)
    : characters_(std::move(characters)) {
  if (characters_.empty())
    fail<ConfigError>("tokenizer", "a vocabulary needs at least one character");
  for (std::size_t i = 0; i < characters_.size(); ++i) {
    if (!is_scalar_value(characters_[i])) {
      fail<ConfigError>("tokenizer", "U+{:04X} is not a Unicode character",
                        static_cast<std::uint32_t>(characters_[i]));
    }
    if (i > 0 && characters_[i] <= characters_[i - 1]) {
      fail<ConfigError>("tokenizer", "vocabulary not in rising order at {}: {} after {}", i,
                        describe(characters_[i]), describe(characters_[i - 1]));
    }
  }
  const auto low_end = std::lower_bound(characters_.begin(), characters_.end(), char32_t{0x10000});
  if (low_end != characters_.begin())
    low_ids_.assign(static_cast<std::size_t>(*(low_end - 1)) + 1, -1);
  for (auto it = characters_.begin(); it != low_end; ++it)
    low_ids_[*it] = static_cast<std::int32_t>(it - characters_.begin());
}

CharTokenizer CharTokenizer::of_text(std::string_view text, std::string_view where) {
  if (seems_utf16(text)) fail_utf8(text, 0, where);
  text = skip_bom(text);
  if (text.empty()) fail<ConfigError>(where, "empty: a vocabulary needs at least one character");
  std::vector<bool> seen(kLastCodePoint + 1);
  char32_t last = 0;
  for_each_code_point(text, where, [&](char32_t c, std::size_t) {
    seen[c] = true;
    last = std::max(last, c);
  });
  std::vector<char32_t> characters;
  for (char32_t c = 0; c <= last; ++c) {
    if (seen[c]) characters.push_back(c);
  }
  return CharTokenizer(std::move(characters));
}

std::int64_t CharTokenizer::find(char32_t code_point) const {
  if (code_point < low_ids_.size()) return low_ids_[code_point];
  if (code_point < 0x10000) return -1;
  const auto it = std::lower_bound(characters_.begin(), characters_.end(), code_point);
  return it != characters_.end() && *it == code_point ? it - characters_.begin() : -1;
}

std::int64_t CharTokenizer::id_of(char32_t code_point, std::string_view text, std::size_t byte,
                                  std::string_view where) const {
  const auto id = find(code_point);
  if (id >= 0) return id;
  const auto before = text.substr(0, byte);
  const auto position = std::count_if(before.begin(), before.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  fail<ConfigError>(
      where, "character {} at position {} (line {}) is not in the vocabulary of {} characters",
      describe(code_point), position, line, vocab_size());
}

std::vector<std::int64_t> CharTokenizer::encode(std::string_view text,
                                                std::string_view where) const {
  text = skip_bom(text);
  std::vector<std::int64_t> ids;
  ids.reserve(text.size());
  for_each_code_point(text, where, [&](char32_t c, std::size_t byte) {
    ids.push_back(id_of(c, text, byte, where));
  });
  return ids;
}

std::string CharTokenizer::decode(std::span<const std::int64_t> ids) const {
  std::string text;
  text.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    check_id(ids[i], i, vocab_size());
    append_utf8(text, characters_[static_cast<std::size_t>(ids[i])]);
  }
  return text;
}

std::vector<std::int32_t> CharTokenizer::token_bytes() const {
  std::vector<std::int32_t> bytes;
  bytes.reserve(characters_.size());
  for (const auto c : characters_)
    bytes.push_back(c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
  return bytes;
}

std::string CharTokenizer::to_json() const {
  std::string all;
  for (const auto c : characters_) append_utf8(all, c);
  return nlohmann::json{{"type", "char"}, {"characters", all}}.dump();
}

std::vector<std::int64_t> ByteTokenizer::encode(std::string_view text, std::string_view) const {
  text = skip_bom(text);
  std::vector<std::int64_t> ids(text.size());
  std::transform(text.begin(), text.end(), ids.begin(),
                 [](char c) { return static_cast<std::int64_t>(static_cast<unsigned char>(c)); });
  return ids;
}

std::string ByteTokenizer::decode(std::span<const std::int64_t> ids) const {
  std::string text(ids.size(), '\0');
  for (std::size_t i = 0; i < ids.size(); ++i) {
    check_id(ids[i], i, 256);
    text[i] = static_cast<char>(static_cast<unsigned char>(ids[i]));
  }
  return text;
}

std::string ByteTokenizer::to_json() const { return nlohmann::json{{"type", "byte"}}.dump(); }

std::shared_ptr<const Tokenizer> tokenizer_from_json(std::string_view json,
                                                     std::string_view where) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("type") || !parsed["type"].is_string()) {
    fail<ConfigError>(where, "is not a tokenizer: expects a JSON object with \"type\"");
  }
  const auto type = parsed["type"].get<std::string>();
  if (type == "byte") return std::make_shared<ByteTokenizer>();
  if (type == "word") return WordTokenizer::from_json(json, where);
  if (type == "piece") {
    if (!parsed.contains("model") || !parsed["model"].is_string())
      fail<ConfigError>(where, "a piece tokenizer needs \"model\", a string");
    return PieceTokenizer::of_model(piece_model_of_hex(parsed["model"].get<std::string>(), where),
                                    where);
  }
  if (type != "char")
    fail<ConfigError>(where, "unknown tokenizer '{}': char, byte, piece or word", type);
  if (!parsed.contains("characters") || !parsed["characters"].is_string())
    fail<ConfigError>(where, "a char tokenizer needs \"characters\", a string");
  const auto text = parsed["characters"].get<std::string>();
  return std::make_shared<CharTokenizer>(decode_utf8(text, where));
}

}  // namespace weft::data
