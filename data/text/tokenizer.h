// From text to ids and back.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft::data {

/// Immutable once made, so that data sets, models' runs and threads may share one.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// `char`, `byte`, `piece` or `word`.
  virtual std::string_view name() const = 0;
  virtual std::int64_t vocab_size() const = 0;  ///< number of ids
  /// Throws IoError for text that is not UTF-8, ConfigError for a character outside the vocabulary,
  /// both with `where` (a file's name, or `prompt`) and the position.
  virtual std::vector<std::int64_t> encode(std::string_view text,
                                           std::string_view where = "encode") const = 0;
  /// Bytes of the tokens, joined. A byte tokenizer's may end inside a character: show them through
  /// Utf8Stream. Throws IndexError for an id outside the vocabulary.
  virtual std::string decode(std::span<const std::int64_t> ids) const = 0;
  /// Bytes of each token, by id.
  virtual std::vector<std::int32_t> token_bytes() const = 0;
  /// What is saved with a run; tokenizer_from_json() makes an equal tokenizer of it.
  virtual std::string to_json() const = 0;

  /// One id as text.
  std::string decode(std::int64_t id) const {
    return decode(std::span<const std::int64_t>(&id, 1));
  }
  /// Ids as text.
  std::string decode(const std::vector<std::int64_t>& ids) const {
    return decode(std::span<const std::int64_t>(ids));
  }
};

/// One id for each distinct Unicode code point, in the order of code points.
class CharTokenizer final : public Tokenizer {
 public:
  /// The vocabulary of a text. Throws IoError, `[where] ...`, if it is not UTF-8, ConfigError if it
  /// is empty.
  static CharTokenizer of_text(std::string_view text, std::string_view where = "tokenizer");
  /// A given vocabulary: distinct code points in rising order. Throws ConfigError.
  explicit CharTokenizer(std::vector<char32_t> characters);

  using Tokenizer::decode;
  std::string_view name() const override { return "char"; }
  /// Number of ids.
  std::int64_t vocab_size() const override { return static_cast<std::int64_t>(characters_.size()); }
  std::vector<std::int64_t> encode(std::string_view text,
                                   std::string_view where = "encode") const override;
  std::string decode(std::span<const std::int64_t> ids) const override;
  std::vector<std::int32_t> token_bytes() const override;
  std::string to_json() const override;

  /// The id of a code point, or -1.
  std::int64_t find(char32_t code_point) const;
  /// The id of the code point at `byte` of `text`. Throws ConfigError as encode().
  std::int64_t id_of(char32_t code_point, std::string_view text, std::size_t byte,
                     std::string_view where) const;
  const std::vector<char32_t>& characters() const { return characters_; }  ///< by id

 private:
  std::vector<char32_t> characters_;
  std::vector<std::int32_t>
      low_ids_;  ///< ids of code points below 65,536: a table instead of a search
};

/// The 256 bytes: any text in any encoding.
class ByteTokenizer final : public Tokenizer {
 public:
  using Tokenizer::decode;
  std::string_view name() const override { return "byte"; }
  std::int64_t vocab_size() const override { return 256; }  ///< number of ids
  std::vector<std::int64_t> encode(std::string_view text,
                                   std::string_view where = "encode") const override;
  std::string decode(std::span<const std::int64_t> ids) const override;
  std::vector<std::int32_t> token_bytes() const override {
    return std::vector<std::int32_t>(256, 1);
  }
  std::string to_json() const override;
};

/// A tokenizer saved by to_json(). Throws ConfigError, `[where] ...`, for text that is none.
std::shared_ptr<const Tokenizer> tokenizer_from_json(std::string_view json,
                                                     std::string_view where = "tokenizer");

}  // namespace weft::data
