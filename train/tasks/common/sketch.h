// What a run trains, without data and without elements: asked for parameters, arithmetic and
// memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>

#include "nn/describe.h"
#include "train/config/run_config.h"

namespace weft::train {

/// A kind's model, and the loss of so many samples that are as long as they may be, on inputs that
/// it makes: shapes are all that is asked of either. Made and called under ShapeOnly.
struct Sketch {
  std::shared_ptr<nn::Module> model;
  std::function<Tensor(std::int64_t batch)> loss;
  /// Where a run spends a share of its steps on something else first: its loss, on the same model.
  std::function<Tensor(std::int64_t batch)> first_loss{};
  double first_share = 0;
  /// Whether every batch has these very shapes: not where rows are padded to the longest of a
  /// batch, or where data decide (nn::take_bound).
  bool is_exact = false;
  std::int64_t most_batch =
      0;  ///< samples that there are to train on, where batches end; 0: enough

  std::int64_t batch_of(std::int64_t wanted) const {
    return most_batch > 0 ? std::min(wanted, most_batch) : wanted;
  }
};

/// Ids of any kind, of which only the shape counts.
Tensor sketched_ids(const Shape& shape);

/// Makes the sketch under ShapeOnly.
using MakeSketch = std::function<Sketch()>;

double count_parameters(const MakeSketch& make);
/// Of one sample, forward: what a step of config.batch samples computes, by their number. Attention
/// counts all pairs of tokens (nn::Description::flops).
double count_forward_flops(const MakeSketch& make, std::int64_t batch);
/// A step of `batch` samples with the optimizer and the average that the configuration asks for.
nn::StepDescription describe_step(const MakeSketch& make, const RunConfig& config,
                                  std::int64_t batch);
/// Throws ConfigError where the tensors of a step are more than memory_limit().
void check_step_fits(const MakeSketch& make, const RunConfig& config);

/// Forward and backward of so many samples: three times the forward, since backward makes two
/// products (for the weights and for the inputs) of each. (A first layer whose inputs want no
/// gradient makes one; that is not taken off.) Source: Kaplan et al. 2020 (arXiv 2001.08361),
/// section 2.1.
double training_flops(double forward_flops_of_a_sample, double samples);

}  // namespace weft::train
