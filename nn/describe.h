// What a model is made of, asked of the model itself: its layers, its parameters, its arithmetic.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/product_observer.h"
#include "nn/model.h"

namespace weft::nn {

struct LayerInfo {
  std::string path;
  std::string kind;
  std::string details;
  std::int64_t parameters =
      0;  ///< of this layer alone, without those below it; a tied weight counts at its first name
  double flops = 0;       ///< of this layer's own products, all token pairs
  double flops_seen = 0;  ///< the same, without the blocks that a causal mask hides whole
  Shape output;           ///< without the batch; empty for what makes no tensor
};

/// FLOPs are those of matrix products and convolutions, 2 a multiply-add; elementwise work,
/// embeddings, norms and softmax are not counted. `flops` counts attention over all pairs of
/// tokens, as most published figures do; `flops_seen` leaves out the blocks of 64 x 64 pairs that a
/// causal mask hides whole, which no good kernel computes.
struct Description {
  std::string kind;
  std::vector<LayerInfo> layers;  ///< those with parameters or arithmetic, in order
  std::int64_t parameters = 0;
  double flops = 0;
  double flops_seen = 0;
  std::vector<Product> products;    ///< in the order in which they were made
  std::vector<std::string> bounds;  ///< sizes that depend on data, and what was taken for them
  /// An aligned table with a total, for terminals.
  std::string table() const;
};

/// Runs the model on example_input(1), without gradients and dropout, and without elements: nothing
/// is computed (core/shape_only.h).
Description describe(Model& model);
/// The same for any module: `run` must call it once, on inputs that it makes.
Description describe(Module& module, const std::function<void()>& run);

/// Bytes that a training step needs, as the allocator counts them.
struct StepMemory {
  double parameters = 0;  ///< and buffers
  double gradients = 0;
  double update = 0;  ///< what the optimizer (and an average) keeps
  double batch = 0;   ///< inputs and targets, where they outlive the step
  double peak = 0;    ///< the most at any time of the step, all of the above and activations
  /// What is left of the peak.
  double activations() const { return peak - parameters - gradients - update - batch; }
};

struct StepDescription {
  Description
      step;  ///< products of forward and backward, in order; layers' flops are the forward's
  StepMemory memory;
};

/// A training step of a module that `make` builds: forward, backward and update, twice over (the
/// optimizer's state and the gradients of the first stand beside the second's activations). All
/// without elements.
struct StepParts {
  std::shared_ptr<Module> module;
  std::function<Tensor()> loss;
  /// Makes the optimizer, and returns what its step() does; may be empty.
  std::function<std::function<void()>()> make_update;
};
/// The memory and products of a training step of what `make` builds, without elements.
StepDescription describe_step(const std::function<StepParts()>& make);

/// About the peak of a step of a large batch, in bytes, from those of two small ones, which `peak`
/// tells; a batch up to 64 is asked itself. For refusing what is beyond reason before a step of it
/// is walked through: some models make a list for each example, elements or not.
double estimated_peak(const std::function<double(std::int64_t batch)>& peak, std::int64_t batch);

/// Products of one size and purpose as one, with their counts added, in order of first appearance.
std::vector<Product> merged(const std::vector<Product>& products);

}  // namespace weft::nn
