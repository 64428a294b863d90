#include "data/text/piece_tokenizer.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "data/text/utf8.h"

namespace weft::data {
namespace {

constexpr std::string_view kBlank = "\xe2\x96\x81";  // U+2581, which stands for a blank in pieces
constexpr std::size_t kChunk = 16384;       // bytes that are cut into pieces at a time, about
constexpr std::size_t kLongestLine = 4192;  // bytes that SentencePiece learns from

/// Lines of a text, in stretches that blanks allow, as many as `most` bytes hold, evenly spread.
std::vector<std::string> lines_to_learn_from(std::string_view text, std::int64_t most) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    for (std::size_t from = at; from < end;) {
      std::size_t to = std::min(end, from + kLongestLine);
      if (to < end) {
        const std::size_t blank = text.rfind(' ', to);
        if (blank != std::string_view::npos && blank > from) to = blank;
        while (to < end && (static_cast<unsigned char>(text[to]) & 0xC0U) == 0x80U) ++to;
      }
      lines.emplace_back(text.substr(from, to - from));
      from = to;
    }
    at = end + 1;
  }
  const double share = static_cast<double>(most) / static_cast<double>(text.size());
  if (share >= 1) return lines;
  std::vector<std::string> some;
  double taken = 0;
  for (std::string& line : lines) {
    taken += share;
    if (taken < 1) continue;
    taken -= 1;
    some.push_back(std::move(line));
  }
  return some;
}

class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::vector<std::string> lines) : lines_(std::move(lines)) {}
  bool done() const override { return at_ >= lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> lines_;
  std::size_t at_ = 0;
};

/// What a piece stands for: of `<0x0A>` that byte.
std::string bytes_of_piece(const std::string& piece, bool is_byte) {
  if (is_byte) {
    unsigned value = 0;
    std::from_chars(piece.data() + 3, piece.data() + 5, value, 16);
    return std::string(1, static_cast<char>(value));
  }
  std::string bytes = piece;
  for (std::size_t at = bytes.find(kBlank); at != std::string::npos;
       at = bytes.find(kBlank, at + 1))
    bytes.replace(at, kBlank.size(), " ");
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace

class PieceTokenizer::Processor : public sentencepiece::SentencePieceProcessor {};

PieceTokenizer::PieceTokenizer() = default;
PieceTokenizer::~PieceTokenizer() = default;

std::shared_ptr<const PieceTokenizer> PieceTokenizer::of_text(std::string_view text,
                                                              const PieceOptions& options,
                                                              std::string_view where) {
  if (options.model != "bpe" && options.model != "unigram")
    fail<ConfigError>("tokenizer", "pieces are of bpe or unigram, not {}", options.model);
  text = skip_bom(text);
  std::set<char32_t> characters;
  for_each_code_point(text, where, [&](char32_t c, std::size_t byte) {
    if (c == 0x2581)
      fail<ConfigError>(where,
                        "byte {} begins the character U+2581, which stands for a blank in "
                        "pieces: replace it, or use another tokenizer",
                        byte);
    characters.insert(c);
  });
  // 256 bytes, one unknown, and at least each character that is not rare.
  const std::int64_t least = 257 + std::min<std::int64_t>(std::ssize(characters), 20000);
  if (options.vocab_size < least)
    fail<ConfigError>(where,
                      "a vocabulary of {} pieces is too small: 256 bytes, one unknown and {} "
                      "characters want at least {}; raise --vocab-size",
                      options.vocab_size, characters.size(), least);
  Lines lines(lines_to_learn_from(text, options.most_bytes));
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      {{"model_type", options.model},
       {"vocab_size", fmt::format("{}", options.vocab_size)},
       {"normalization_rule_name", "identity"},
       {"add_dummy_prefix", "false"},
       {"remove_extra_whitespaces", "false"},
       {"byte_fallback", "true"},
       {"character_coverage", "1.0"},
       {"num_threads", "1"},
       {"bos_id", "-1"},
       {"eos_id", "-1"},
       {"minloglevel", "2"}},
      &lines, &model);
  if (!status.ok()) {
    // Behind the place in its source, `FILE(LINE) [CONDITION] `.
    std::string_view reason = status.message();
    if (const auto place = reason.rfind("] "); place != std::string_view::npos)
      reason.remove_prefix(place + 2);
    fail<ConfigError>(where, "no {} pieces can be learned from it: {}", options.vocab_size, reason);
  }
  return of_model(std::move(model), where);
}

std::shared_ptr<const PieceTokenizer> PieceTokenizer::of_model(std::string bytes,
                                                               std::string_view where) {
  const std::shared_ptr<PieceTokenizer> made(new PieceTokenizer);
  made->processor_ = std::make_unique<Processor>();
  if (bytes.empty() || !made->processor_->LoadFromSerializedProto(bytes).ok())
    fail<ConfigError>(where, "is not a SentencePiece model");
  const auto& processor = *made->processor_;
  int single_bytes = 0;
  for (int id = 0; id < processor.GetPieceSize(); ++id) {
    const bool is_byte = processor.IsByte(id);
    single_bytes += is_byte ? 1 : 0;
    made->pieces_.push_back(processor.IsControl(id) || processor.IsUnknown(id)
                                ? std::string()
                                : bytes_of_piece(processor.IdToPiece(id), is_byte));
  }
  if (single_bytes != 256)
    fail<ConfigError>(where,
                      "has no bytes for characters that it does not know (byte_fallback): "
                      "texts would not come back as they were");
  made->model_ = std::move(bytes);
  return made;
}

std::vector<std::int64_t> PieceTokenizer::encode(std::string_view text,
                                                 std::string_view where) const {
  text = skip_bom(text);
  for_each_code_point(text, where, [](char32_t, std::size_t) {});
  std::vector<std::int64_t> ids;
  std::vector<int> some;
  // Pieces hold no line break, and none goes on behind a blank.
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.size(), at + kChunk);
    if (end < text.size()) {
      const std::size_t cut = text.find_first_of(" \n", end);
      end = cut == std::string_view::npos ? text.size() : cut;
    }
    const auto status = processor_->Encode(text.substr(at, end - at), &some);
    if (!status.ok()) fail<ConfigError>(where, "cannot be cut into pieces: {}", status.message());
    ids.insert(ids.end(), some.begin(), some.end());
    at = end;
  }
  return ids;
}

std::string PieceTokenizer::decode(std::span<const std::int64_t> ids) const {
  std::string text;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocab_size())
      fail<IndexError>("decode", "id {} at {} is outside the vocabulary of {}", ids[i], i,
                       vocab_size());
    text += pieces_[static_cast<std::size_t>(ids[i])];
  }
  return text;
}

std::vector<std::int32_t> PieceTokenizer::token_bytes() const {
  std::vector<std::int32_t> bytes;
  for (const std::string& piece : pieces_) bytes.push_back(static_cast<std::int32_t>(piece.size()));
  return bytes;
}

std::string PieceTokenizer::to_json() const {
  return nlohmann::json{{"type", "piece"}, {"model", to_hex(model_)}}.dump();
}

std::string piece_model_of_hex(std::string_view hex, std::string_view where) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (error != std::errc() || end != hex.data() + i + 2)
      fail<ConfigError>(where, "the model of a piece tokenizer must be hexadecimal digits");
    bytes += static_cast<char>(value);
  }
  return bytes;
}

}  // namespace weft::data
