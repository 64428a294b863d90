// Reading results more than once: how the level is shared among declared looks, and what a p-value
// is that allows for them. Pure functions; the same numbers for the same seed on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "train/compare/statistics.h"

namespace weft::compare {

/// A declared look at the results, and the share of alpha that is spent by it.
struct Look {
  std::int64_t seeds = 0;
  double share = 1;
};

/// The looks that have been had once so many seeds are there: those of `declared` up to `seeds`.
/// The share of each is what Pocock's spending function gains since the look before,
///   s(t) = ln(1 + (e - 1) t),  t = its seeds / the seeds of the last declared look,
/// so that all of them together spend alpha. Where `seeds` is no declared look, or nothing was
/// declared, it stands alone, with all of it. Source: Lan and DeMets 1983, "Discrete sequential
/// boundaries for clinical trials", Biometrika 70, function (2).
std::vector<Look> looks_until(const std::vector<std::int64_t>& declared, std::int64_t seeds);

/// The sign-flip p-value of differences that were read at each of these looks, the last of which is
/// at all of them. The statistic is the least p_k / share_k, p_k the p-value of the first
/// `looks[k].seeds` differences; the p-value is the share of sign patterns whose statistic is no
/// larger, so that it knows how the looks depend on each other: rejecting where it is at most alpha
/// at any look has a chance of at most alpha in all. At the first of several looks, when nothing is
/// known of the next: p_1 / share_1, which is never less than what the later looks say of it. One
/// look with all of alpha: sign_flip_p(). Exact up to kLooksExact differences, above by random
/// patterns from the Philox stream "looks", the pattern that was seen among them.
double sign_flip_p(Values differences, const std::vector<Look>& looks, Tail tail = Tail::both,
                   std::uint64_t seed = 0);
constexpr std::int64_t kLooksExact = 16;

/// equivalence_p() over several looks.
double equivalence_p(Values differences, double margin, const std::vector<Look>& looks,
                     std::uint64_t seed = 0);

}  // namespace weft::compare
