// What finished runs can be used for. A run says so by the interfaces that its class has: what its
// kind answers, which commands are named and which errors come follow from them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace weft::train {

/// The commands that use a run, in the order in which they are named.
enum class Use : std::uint8_t {
  sample,             ///< weft sample
  predict_text,       ///< weft predict --text
  predict_image,      ///< weft predict FILE.png
  predict_rows,       ///< weft predict FILE.csv
  detect,             ///< weft detect
  explain_attention,  ///< weft explain attention
  explain_embedding,  ///< weft explain embedding
  explain_history,    ///< weft explain history
  eval,               ///< weft eval, which goes for all
};

/// As one would type it: "weft sample RUN".
std::string command_of(Use use);

// text_uses.h, image_uses.h, row_uses.h, click_uses.h
class TextWriter;
class TextPredictor;
class TextAttention;
class WordVectors;
class ImagePredictor;
class RowPredictor;
class ImageAttention;
class ObjectDetector;
class ClickHistory;

/// What an interface is for. A new one is a line here and one in uses_of().
template <class Interface>
struct UseOf;
template <>
struct UseOf<TextWriter> : std::integral_constant<Use, Use::sample> {};
template <>
struct UseOf<TextPredictor> : std::integral_constant<Use, Use::predict_text> {};
template <>
struct UseOf<ImagePredictor> : std::integral_constant<Use, Use::predict_image> {};
template <>
struct UseOf<RowPredictor> : std::integral_constant<Use, Use::predict_rows> {};
template <>
struct UseOf<ObjectDetector> : std::integral_constant<Use, Use::detect> {};
template <>
struct UseOf<TextAttention> : std::integral_constant<Use, Use::explain_attention> {};
template <>
struct UseOf<ImageAttention> : std::integral_constant<Use, Use::explain_attention> {};
template <>
struct UseOf<WordVectors> : std::integral_constant<Use, Use::explain_embedding> {};
template <>
struct UseOf<ClickHistory> : std::integral_constant<Use, Use::explain_history> {};

template <class Run, class... Interfaces>
std::vector<Use> uses_among() {
  std::vector<Use> uses{Use::eval};
  ((std::is_base_of_v<Interfaces, Run> ? uses.push_back(UseOf<Interfaces>::value) : void()), ...);
  std::sort(uses.begin(), uses.end());
  uses.erase(std::unique(uses.begin(), uses.end()), uses.end());
  return uses;
}

/// What the runs of a class can be used for, each once and in order.
template <class Run>
std::vector<Use> uses_of() {
  return uses_among<Run, TextWriter, TextPredictor, ImagePredictor, RowPredictor, ObjectDetector,
                    TextAttention, ImageAttention, WordVectors, ClickHistory>();
}

}  // namespace weft::train
