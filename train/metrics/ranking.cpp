#include "train/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/error.h"

namespace weft::train {
namespace {

constexpr double kNoFigure = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double auc(const std::vector<double>& scores, const std::vector<bool>& positive) {
  if (scores.size() != positive.size())
    fail<ShapeError>("auc", "{} scores for {} examples", scores.size(), positive.size());
  if (std::any_of(scores.begin(), scores.end(), [](double score) { return std::isnan(score); }))
    return kNoFigure;  // it has no rank
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double rank_sum = 0, positives = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double in_tie = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end)
      in_tie += positive[order[end]] ? 1 : 0;
    rank_sum += in_tie * (static_cast<double>(begin + 1 + end) /
                          2);  // the mean of the tie's ranks, counted from 1
    positives += in_tie;
    begin = end;
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return kNoFigure;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

double grouped_auc(const std::vector<double>& scores, const std::vector<bool>& positive,
                   const std::vector<std::int64_t>& group) {
  if (scores.size() != positive.size() || scores.size() != group.size())
    fail<ShapeError>("grouped_auc", "{} scores and {} groups for {} examples", scores.size(),
                     group.size(), positive.size());
  if (std::any_of(scores.begin(), scores.end(), [](double score) { return std::isnan(score); }))
    return kNoFigure;  // as auc(): no group is left out for it
  std::map<std::int64_t, std::pair<std::vector<double>, std::vector<bool>>> groups;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    groups[group[i]].first.push_back(scores[i]);
    groups[group[i]].second.push_back(positive[i]);
  }
  double sum = 0, weight = 0;
  for (const auto& [key, members] : groups) {
    const double own = auc(members.first, members.second);
    if (own != own) continue;
    sum += own * static_cast<double>(members.first.size());
    weight += static_cast<double>(members.first.size());
  }
  return weight > 0 ? sum / weight : kNoFigure;
}

double f1_score(const std::vector<std::int64_t>& guesses, const std::vector<std::int64_t>& truths,
                std::int64_t positive) {
  if (guesses.size() != truths.size())
    fail<ShapeError>("f1_score", "{} guesses for {} examples", guesses.size(), truths.size());
  double hits = 0, wrong = 0;
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    const bool guessed = guesses[i] == positive, is = truths[i] == positive;
    hits += guessed && is ? 1 : 0;
    wrong += guessed != is ? 1 : 0;
  }
  return hits + wrong > 0 ? 2 * hits / (2 * hits + wrong) : 0;
}

double macro_f1_score(const std::vector<std::int64_t>& guesses,
                      const std::vector<std::int64_t>& truths, std::int64_t classes) {
  if (guesses.size() != truths.size())
    fail<ShapeError>("macro_f1_score", "{} guesses for {} examples", guesses.size(), truths.size());
  if (classes < 1)
    fail<ShapeError>("macro_f1_score", "expects at least one class, got {}", classes);
  std::vector<double> hits(static_cast<std::size_t>(classes), 0), wrong(hits);
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    const auto guess = static_cast<std::size_t>(guesses[i]),
               truth = static_cast<std::size_t>(truths[i]);
    if (guess == truth) {
      hits[truth] += 1;
    } else {
      wrong[guess] += 1;
      wrong[truth] += 1;
    }
  }
  double sum = 0;
  for (std::size_t c = 0; c < hits.size(); ++c)
    sum += hits[c] + wrong[c] > 0 ? 2 * hits[c] / (2 * hits[c] + wrong[c]) : 0;
  return sum / static_cast<double>(classes);
}

double calibration_error(const std::vector<double>& confidence, const std::vector<bool>& right) {
  if (confidence.size() != right.size())
    fail<ShapeError>("calibration", "expects as many guesses as truths, got {} and {}",
                     confidence.size(), right.size());
  constexpr std::size_t kBins = 15;
  double gap[kBins] = {};  // sum of confidence minus sum of right
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (std::isnan(confidence[i])) return std::numeric_limits<double>::quiet_NaN();
    const double place = std::clamp(confidence[i], 0.0, 1.0) * static_cast<double>(kBins);
    gap[std::min(kBins - 1, static_cast<std::size_t>(place))] +=
        confidence[i] - (right[i] ? 1.0 : 0.0);
  }
  double all = 0;
  for (const double one : gap) all += std::abs(one);
  return all / static_cast<double>(right.size());
}

}  // namespace weft::train
