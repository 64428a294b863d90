// Learning a vocabulary of word pieces. Not for users: WordTokenizer::of_text() is.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weft::data {

/// At most `room` pieces for words with their counts, `##` before those that continue a word: all
/// single characters, the most frequent first, then joined neighbors, the most frequent pair first
/// (the earlier in the alphabet of equal ones), until none occurs twice. What was learned last is
/// remembered: who loads the same data again (to estimate memory, to plan a comparison) need not
/// wait again.
std::vector<std::string> learn_pieces(
    const std::vector<std::pair<std::string, std::int64_t>>& words, std::int64_t room);

}  // namespace weft::data
