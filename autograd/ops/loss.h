// Losses. Each returns its mean (a scalar) unless told to sum or to return every element.
#pragma once

#include "core/tensor.h"

namespace weft {

enum class Reduction : std::uint8_t { mean, sum, none };

struct CrossEntropyOptions {
  double label_smoothing =
      0;  ///< in [0, 1]: this share of the target is spread evenly over the classes
  std::int64_t ignore_index =
      -100;                ///< targets with this id count neither in the loss nor in the mean
  Tensor class_weights{};  ///< (V,) of the logits' dtype, or undefined; the mean is then weighted,
                           ///< as PyTorch's
  Reduction reduction = Reduction::mean;
};
/// -log softmax(logits)[target]. Shape: logits (..., V), targets (...) ids -> () or (...) for
/// Reduction::none. Probabilities are not stored. With every target ignored the mean is 0.
/// Gradient: softmax(logits) - target distribution, weighted. Throws: IndexError for a target that
/// is neither a class nor ignore_index; ShapeError; ConfigError for smoothing outside [0, 1].
Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const CrossEntropyOptions& options = {});

// Those below: Shape: x and the target equal -> () or, for Reduction::none, theirs. Throws:
// ShapeError when they differ, DTypeError.

/// -(t log s(x) + (1 - t) log(1 - s(x))), without overflow; a term whose weight (t or 1 - t) is 0
/// is 0, also for infinite logits. pos_weight multiplies the t term. Gradient: to logits and
/// targets.
Tensor bce_with_logits(const Tensor& logits, const Tensor& targets,
                       Reduction reduction = Reduction::mean, double pos_weight = 1);
/// (x - t)^2. Gradient: 2 (x - t), and minus that.
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);
/// |x - t|. Gradient: sign(x - t), 0 at 0.
Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);
/// (x - t)^2 / (2 beta) where |x - t| < beta, else |x - t| - beta / 2. Gradient: (x - t) / beta,
/// limited to [-1, 1]. Source: Girshick 2015 (arXiv 1504.08083), eq. 3. Throws: ConfigError unless
/// beta > 0.
Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, double beta = 1,
                      Reduction reduction = Reduction::mean);
/// sum over the last dimension of t (log t - log_q), averaged over the rest ("batchmean") for
/// Reduction::mean; 0 where t is 0. Shape: Reduction::none gives every term. Gradient: -t to log_q,
/// log t + 1 - log_q to t; 0 to both where t is 0, also for a log_q of -inf.
Tensor kl_div(const Tensor& log_q, const Tensor& target, Reduction reduction = Reduction::mean);

namespace definition {
Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const CrossEntropyOptions& options);
}  // namespace definition
}  // namespace weft
