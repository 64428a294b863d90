// Figures of classifiers and rankings.
#pragma once

#include <cstdint>
#include <vector>

namespace weft::train {

/// The probability that a positive example scores higher than a negative one, ties counting half:
/// the area under the ROC curve by the rank sum (Hanley and McNeil 1982, Radiology 143). NaN
/// without both kinds. Throws ShapeError unless the sizes agree.
double auc(const std::vector<double>& scores, const std::vector<bool>& positive);

/// The AUC within each group (user), averaged with the groups' sizes as weights; groups of one kind
/// only are left out. NaN where no group is left. Source: Zhu et al. 2017 (KDD), as used by Zhou et
/// al. 2018 (arXiv 1706.06978), eq. 7.
double grouped_auc(const std::vector<double>& scores, const std::vector<bool>& positive,
                   const std::vector<std::int64_t>& group);

/// 2 TP / (2 TP + FP + FN) of class `positive`; 0 where it was neither there nor guessed.
double f1_score(const std::vector<std::int64_t>& guesses, const std::vector<std::int64_t>& truths,
                std::int64_t positive);

/// The mean of the F1 of each of the classes 0 to `classes` - 1, whatever their sizes.
double macro_f1_score(const std::vector<std::int64_t>& guesses,
                      const std::vector<std::int64_t>& truths, std::int64_t classes);

/// The expected calibration error: guesses in 15 bins of equal width by their confidence, and of
/// each bin how far its mean confidence is from the share that is right, weighted by its size.
/// Source: Guo et al. 2017 (arXiv 1706.04599), eq. 3. NaN without a guess. Throws ShapeError unless
/// the sizes agree.
double calibration_error(const std::vector<double>& confidence, const std::vector<bool>& right);

}  // namespace weft::train
