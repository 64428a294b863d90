// Subwords: byte-pair encoding and unigram models, by SentencePiece.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/tokenizer.h"

namespace weft::data {

struct PieceOptions {
  std::string model = "bpe";       ///< or "unigram"
  std::int64_t vocab_size = 1024;  ///< pieces, the 256 bytes and one for what is unknown among them
  /// Bytes of the text that pieces are learned from: lines spread evenly over it.
  std::int64_t most_bytes = std::int64_t{16} << 20;
};

/// Pieces of words, learned from a text; a blank is a part of the piece that follows it, a line
/// break is a token. Nothing is normalized, and bytes stand for characters that no piece has, so
/// that every text in UTF-8 is given back as it was. Source: Sennrich et al. 2016 (arXiv
/// 1508.07909), byte-pair encoding; Kudo 2018 (arXiv 1804.10959), unigram; Kudo and Richardson 2018
/// (arXiv 1808.06226), SentencePiece.
class PieceTokenizer final : public Tokenizer {
 public:
  /// Throws IoError, `[where] ...`, for text that is not UTF-8, ConfigError for a vocabulary that
  /// is too small or larger than the text allows.
  static std::shared_ptr<const PieceTokenizer> of_text(std::string_view text,
                                                       const PieceOptions& options,
                                                       std::string_view where = "tokenizer");
  /// A SentencePiece model as its file (`tokenizer.model`) holds it. Throws ConfigError, `[where]
  /// ...`, for anything else, and for a model that drops characters, as it has no bytes for them.
  static std::shared_ptr<const PieceTokenizer> of_model(std::string bytes, std::string_view where);
  ~PieceTokenizer() override;

  using Tokenizer::decode;
  std::string_view name() const override { return "piece"; }
  std::int64_t vocab_size() const override { return std::ssize(pieces_); }  ///< number of ids
  std::vector<std::int64_t> encode(std::string_view text,
                                   std::string_view where = "encode") const override;
  std::string decode(std::span<const std::int64_t> ids) const override;
  std::vector<std::int32_t> token_bytes() const override;
  std::string to_json() const override;

  const std::string& model() const { return model_; }  ///< the file's bytes

 private:
  class Processor;
  PieceTokenizer();

  std::string model_;
  std::unique_ptr<Processor> processor_;
  std::vector<std::string> pieces_;  // bytes of each
};

/// The bytes that to_json() wrote as digits. Throws ConfigError.
std::string piece_model_of_hex(std::string_view hex, std::string_view where);

}  // namespace weft::data
