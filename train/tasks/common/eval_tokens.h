// How much of a text's validation split evaluations look at while training goes on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/config/config_fields.h"

namespace weft::train {

/// A split of up to so many tokens is looked at whole, and of a longer one as many, unless a run
/// says otherwise: some seconds for each evaluation of a small model, not minutes.
inline constexpr std::int64_t kWholeValidation = 300'000;

/// Share of its validation part that a comparison keeps for its test split, where data have none of
/// their own: what is chosen by one half is judged by the other.
inline constexpr double kComparedTestShare = 0.5;

/// The choice C::test_share of a kind whose data are one text.
template <class C>
Field test_share_field() {
  return {"test_share",
          "Data",
          &C::test_share,
          "fraction of the part that validates, its end, that is a test split instead (0: there is "
          "none)",
          0,
          0.95};
}

/// The two choices of a kind that reads texts, C::eval_tokens and C::whole_at_end.
template <class C>
Fields eval_token_fields() {
  return {
      {"eval_tokens", "Run", &C::eval_tokens,
       "tokens of the validation split that evaluations use during training, always the same ones "
       "(0: all; -1: all, but 300000 of a longer split)",
       -1, kMany},
      Field{
          "whole_at_end", "Run", &C::whole_at_end,
          "where evaluations use a part, evaluate the full validation split once training is done"}
          .template idle_where<C>(
              [](const C& c) { return c.eval_tokens == 0 ? std::string("eval_tokens 0") : ""; }),
  };
}

/// Fills in what was left to the program, now that the split's size is known. A run of an earlier
/// format goes on to look at everything.
template <class C>
void settle_eval_tokens(C& config, std::int64_t there) {
  if (config.eval_tokens != -1) return;
  config.eval_tokens = config.format >= 3 && there > kWholeValidation ? kWholeValidation : 0;
  config.derived.emplace_back("eval_tokens");
}

/// Numbers of `chosen` of `count` things, in order and as far apart as can be: all of them where
/// there are no more.
std::vector<std::int64_t> evenly_spaced_indices(std::int64_t count, std::int64_t chosen);

/// Of things of so many tokens each, those that a sample of `eval_tokens` tokens looks at: all of
/// them where eval_tokens is 0 or more than there are.
std::vector<std::int64_t> sample_of(const std::vector<std::int32_t>& tokens,
                                    std::int64_t eval_tokens);

}  // namespace weft::train
