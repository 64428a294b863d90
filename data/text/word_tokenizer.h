// Words and word pieces: the vocabularies of BERT and of word embeddings.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/text/tokenizer.h"

namespace weft::data {

// Ids that every WordTokenizer has, under BERT's names: [PAD], [UNK], [CLS], [SEP], [MASK].
inline constexpr std::int64_t kPadId = 0;
inline constexpr std::int64_t kUnknownId = 1;
inline constexpr std::int64_t kClassId = 2;
inline constexpr std::int64_t kSeparatorId = 3;
inline constexpr std::int64_t kMaskId = 4;
inline constexpr std::int64_t kSpecialIds = 5;

struct WordOptions {
  std::int64_t vocab_size = 4000;  ///< at most, special ones included
  std::int64_t min_count =
      1;                  ///< words rarer than this are unknown (whole words), or make no pieces
  bool lowercase = true;  ///< of ASCII and Latin-1 letters
  bool pieces =
      true;  ///< a word that is not in the vocabulary is cut into pieces of it; false: it is [UNK]
};

/// The words of a text, in order: runs of letters and digits (an apostrophe between two of them
/// belongs to the word); every other sign that is not white space, and every Chinese character, is
/// a word of its own. Throws IoError for text that is not UTF-8.
std::vector<std::string> split_words(std::string_view text, bool lowercase, std::string_view where);

/// Whole words, or words and their pieces, `##` before a piece that continues a word. Pieces are
/// learned by joining the most frequent neighbors (Sennrich et al. 2016, arXiv 1508.07909,
/// algorithm 1) and used by the longest match first, as BERT's (Devlin et al. 2018, arXiv
/// 1810.04805, section 3; Wu et al. 2016, arXiv 1609.08144, section 4.1). decode() puts single
/// blanks between words: what it gives is not the text to the letter.
class WordTokenizer final : public Tokenizer {
 public:
  /// The vocabulary of a text. Throws IoError, `[where] ...`, if it is not UTF-8, ConfigError for
  /// impossible options and a text without words.
  static std::shared_ptr<const WordTokenizer> of_text(std::string_view text,
                                                      const WordOptions& options,
                                                      std::string_view where = "tokenizer");
  /// One saved by to_json(). Throws ConfigError, `[where] ...`.
  static std::shared_ptr<const WordTokenizer> from_json(std::string_view json,
                                                        std::string_view where);
  /// `tokens`: all but the special ones. Throws ConfigError for one that is empty or given twice.
  WordTokenizer(std::vector<std::string> tokens, bool lowercase, bool pieces,
                std::string_view where = "tokenizer");

  using Tokenizer::decode;
  std::string_view name() const override { return "word"; }
  /// Number of ids.
  std::int64_t vocab_size() const override { return static_cast<std::int64_t>(tokens_.size()); }
  /// Never fails for an unknown word: that is [UNK].
  std::vector<std::int64_t> encode(std::string_view text,
                                   std::string_view where = "encode") const override;
  std::string decode(std::span<const std::int64_t> ids) const override;
  /// A blank counts with the word that it goes before.
  std::vector<std::int32_t> token_bytes() const override;
  std::string to_json() const override;

  /// The token itself: `free`, `##ly`, `[MASK]`. Throws IndexError.
  const std::string& token(std::int64_t id) const;
  /// The id of a token as token() gives it, or -1.
  std::int64_t find(std::string_view token) const;
  /// Whether a token continues the word before it.
  bool continues(std::int64_t id) const { return continues_[static_cast<std::size_t>(id)]; }

 private:
  void encode_word(const std::string& word, std::vector<std::int64_t>& ids) const;

  std::vector<std::string> tokens_;
  std::vector<bool> continues_;
  std::unordered_map<std::string, std::int64_t> ids_;
  bool lowercase_;
  bool pieces_;
};

}  // namespace weft::data
