// The paragraph under the worked example: every clause is chosen, and every number filled in, from
// the Jacobians.
#include <fmt/format.h>

#include "train/explain/worked_example.h"

namespace weft::explain {
namespace {

std::string part(const CrossCount& count) {
  if (count.nonzero == 0) return fmt::format("none of {}", count.of);
  if (count.nonzero == count.of) return count.of == 1 ? "the one" : fmt::format("all {}", count.of);
  return fmt::format("{} of {}", count.nonzero, count.of);
}

bool none(const CrossCount& count) { return count.nonzero == 0; }
bool all(const CrossCount& count) { return count.nonzero == count.of; }

/// "identity 12 of 12, diagonal 12 of 12, full 12 of 12" of the arms with so many heads.
std::string by_mixing(const Example& example, std::int64_t heads, bool ffn) {
  std::string text;
  for (const Mixing mixing : {Mixing::identity, Mixing::diagonal, Mixing::full})
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", to_name(mixing),
                        part(example.find(mixing, heads, ffn)->whole.cross()));
  return text;
}

std::string on_products(const Example& example) {
  const auto count = [&](Mixing mixing) {
    return example.products[static_cast<std::size_t>(mixing)].cross;
  };
  const CrossCount identity = count(Mixing::identity), diagonal = count(Mixing::diagonal),
                   full = count(Mixing::full);
  std::string text = fmt::format(
      "Of the products of a query's dimension i and a key's dimension j ≠ i, the scores QKᵀ hold "
      "{} with identity matrices, {} "
      "with diagonal and {} with full ones",
      part(identity), part(diagonal), part(full));
  if (none(identity) && none(diagonal) && !none(full))
    return text +
           ": dimension 1 meets only dimension 1, as the thread says, as long as W_Q and W_K mix "
           "nothing, and no longer.";
  return text + ".";
}

/// "dimension 2 is", "dimensions 1, 3 are": those in which all tokens have the same value; empty
/// for none, and for one token.
std::string shared_dependence(const Example& example) {
  const Tensor& x = example.tokens.x;
  std::string text;
  int found = 0;
  for (std::int64_t i = 0; i < x.size(1); ++i) {
    bool same = x.size(0) > 1;
    for (std::int64_t t = 1; t < x.size(0) && same; ++t) same = x.at({t, i}) == x.at({0, i});
    if (same) text += fmt::format("{}{}", found++ ? ", " : "", i + 1);
  }
  return found == 0 ? ""
                    : fmt::format("dimension{} {} {}", found == 1 ? "" : "s", text,
                                  found == 1 ? "is" : "are");
}

std::string on_one_head(const Example& example) {
  const Arm& identity = *example.find(Mixing::identity, 1, false);
  const Arm& diagonal = *example.find(Mixing::diagonal, 1, false);
  std::string text = fmt::format(
      " The output is another matter. Entries of dz/dx with i ≠ j that are not zero, with one "
      "head: {}",
      by_mixing(example, 1, false));
  const std::string same = shared_dependence(example);
  if (!same.empty())
    text += fmt::format(
        " ({} the same in all tokens, so that without mixing no weight can move what comes out "
        "there)",
        same);
  const bool frozen_none = none(identity.frozen.cross()) && none(diagonal.frozen.cross());
  if (!none(identity.whole.cross()) && !none(diagonal.whole.cross()) && frozen_none) {
    return text +
           "; with the attention weights held constant none is left in the first two. So what "
           "couples the dimensions there is the softmax weight: a "
           "function of a sum over all dimensions, by which every dimension of V is multiplied.";
  }
  if (none(identity.whole.cross()) && none(diagonal.whole.cross())) {
    if (example.tokens.x.size(0) == 1)
      return text +
             ". A single token's weight is always 1, so nothing can come through the softmax here.";
    return text + fmt::format(
                      ". The softmax passes nothing on at these numbers (its largest weights are "
                      "{:.6g} and {:.6g}).",
                      identity.largest_weight, diagonal.largest_weight);
  }
  return text + ".";
}

std::string on_several_heads(const Example& example) {
  if (example.several == 0) return "";
  const std::int64_t head_size = example.tokens.x.size(1) / example.several;
  std::string text =
      fmt::format(" With {} heads of {} dimension{}: {}", example.several, head_size,
                  head_size == 1 ? "" : "s", by_mixing(example, example.several, false));
  const Dependence& identity = example.find(Mixing::identity, example.several, false)->whole;
  const Dependence& diagonal = example.find(Mixing::diagonal, example.several, false)->whole;
  if (none(identity.cross()) && none(diagonal.cross()))
    return text + (head_size == 1 ? "; a head that sees one dimension alone is the case in which "
                                    "the thread is right to the letter."
                                  : ".");
  if (identity.only_within_heads && diagonal.only_within_heads)
    return text + "; without full matrices all of these lie within a head's own dimensions.";
  return text + ".";
}

std::string on_ffn(const Example& example) {
  const std::int64_t heads = example.several > 0 ? example.several : 1;
  const Dependence& before = example.find(Mixing::diagonal, heads, false)->whole;
  const Dependence& after = example.find(Mixing::diagonal, heads, true)->whole;
  std::string text = fmt::format(
      " An FFN behind the attention (diagonal matrices, {} head{}) changes the entries within a "
      "token from {} to {}",
      heads, heads == 1 ? "" : "s", part(before.within), part(after.within));
  if (before.between.of > 0)
    text +=
        fmt::format(", between tokens from {} to {}", part(before.between), part(after.between));
  return text + ".";
}

std::string verdict(const Example& example) {
  bool built_whole = true;
  std::string apart;
  for (const Arm& arm : example.arms) {
    if (arm.mixing == Mixing::full || arm.ffn)
      built_whole = built_whole && all(arm.whole.cross());
    else if (none(arm.whole.cross()))
      apart += fmt::format("{}{}", apart.empty() ? "" : "; ", arm.name());
  }
  std::string text;
  if (built_whole)
    text =
        " So with full matrices, or with an FFN, every output dimension depends on every input "
        "dimension in this example";
  else
    text = " So even with full matrices or an FFN some entries are zero in this example";
  if (!apart.empty()) text += fmt::format(". Dimensions stay apart with: {}", apart);
  return text +
         ". An entry that is not zero says that there is a dependence at this point, not how well "
         "it can be learned.";
}

}  // namespace

std::string conclusion(const Example& example) {
  if (example.tokens.x.size(1) == 1)
    return "With one dimension there is no other that it could depend on: take --dim 2 or more.";
  return on_products(example) + on_one_head(example) + on_several_heads(example) + on_ffn(example) +
         verdict(example);
}

}  // namespace weft::explain
