#include "nn/options.h"

#include <fmt/format.h>

#include "core/error.h"

namespace weft::nn {
namespace {

struct AttentionRow {
  std::string name;
  AttentionTraits traits;
};

/// In the order of the enum.
const std::vector<AttentionRow>& attention_rows() {
  static const std::vector<AttentionRow> rows{
      {"softmax", {.scores = true, .causal = true, .about = "exact, in tiles"}},
      {"plain", {.scores = true, .causal = true, .about = "the same with its whole matrix"}},
      {"sigmoid",
       {.scores = true, .causal = true, .about = "each weight by itself, with no softmax"}},
      {"lightning",
       {.scores = false, .causal = true, .about = "no softmax but a decay by distance"}},
      {"linear", {.scores = false, .causal = true, .about = "no softmax but products of features"}},
      {"channels",
       {.scores = false, .causal = false, .about = "between channels, for images alone"}}};
  return rows;
}

}  // namespace

const AttentionTraits& traits(AttentionKind kind) {
  return attention_rows().at(static_cast<std::size_t>(kind)).traits;
}

std::string about_attention() {
  std::string text;
  for (const AttentionRow& row : attention_rows())
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", row.name, row.traits.about);
  return text;
}

template <>
const std::vector<std::string>& choices<NormKind>() {
  static const std::vector<std::string> names{"layer", "rms"};
  return names;
}
template <>
const std::vector<std::string>& choices<Activation>() {
  static const std::vector<std::string> names{"relu", "relu_squared", "gelu_erf", "gelu_tanh",
                                              "swiglu"};
  return names;
}
template <>
const std::vector<std::string>& choices<AttentionKind>() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const AttentionRow& row : attention_rows()) all.push_back(row.name);
    return all;
  }();
  return names;
}
template <>
const std::vector<std::string>& choices<Positions>() {
  static const std::vector<std::string> names{"none", "learned", "sinusoidal", "rope", "alibi"};
  return names;
}
template <>
const std::vector<std::string>& choices<InitScheme>() {
  static const std::vector<std::string> names{"gpt2", "torch"};
  return names;
}
template <>
const std::vector<std::string>& choices<Pooling>() {
  static const std::vector<std::string> names{"mean", "cls"};
  return names;
}
template <>
const std::vector<std::string>& choices<Naming>() {
  static const std::vector<std::string> names{"nanogpt", "timm"};
  return names;
}

template <class E>
std::string_view to_name(E value) {
  return choices<E>().at(static_cast<std::size_t>(value));
}

template <class E>
E from_name(std::string_view text, std::string_view option) {
  const auto& names = choices<E>();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return static_cast<E>(i);
  fail<ConfigError>(option, "must be one of {}: got \"{}\"", fmt::join(names, ", "), text);
}

#define WEFT_INSTANTIATE(E)                \
  template std::string_view to_name<E>(E); \
  template E from_name<E>(std::string_view, std::string_view);
WEFT_INSTANTIATE(NormKind)
WEFT_INSTANTIATE(Activation)
WEFT_INSTANTIATE(AttentionKind)
WEFT_INSTANTIATE(Positions)
WEFT_INSTANTIATE(InitScheme)
WEFT_INSTANTIATE(Pooling)
WEFT_INSTANTIATE(Naming)
#undef WEFT_INSTANTIATE

}  // namespace weft::nn
