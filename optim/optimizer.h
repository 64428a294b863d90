// What every optimizer has: parameters with names, a learning rate that a schedule scales, and a
// state that can be saved.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace weft::optim {

using NamedTensor = std::pair<std::string, Tensor>;
using NamedTensors = std::vector<NamedTensor>;

/// Names "0", "1", ... for parameters that came without.
NamedTensors with_names(const std::vector<Tensor>& parameters);

/// Throws ConfigError unless names are unique and every tensor is defined, contiguous, f32 or f64,
/// a leaf, and shares no memory with another: what is there twice would be stepped, scaled or
/// averaged twice. Module::named_parameters() names a tied weight once.
void require_distinct(const char* who, const NamedTensors& tensors);
/// Throws ConfigError if a module holds another tensor in the place of one of these by now
/// (Module::to(), set_parameter()): changing them would change nothing.
void require_current(const char* who, const NamedTensors& tensors);

/// Changes parameters in place from their grad(). A parameter without a gradient is left as it is,
/// and so is its state: moving averages and what they are corrected by count the steps that the
/// parameter took part in, as in PyTorch.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update of every parameter that has a gradient. Throws ConfigError if no parameter can have
  /// one, or if a module has replaced one by another tensor.
  void step();
  /// As step(), also where no parameter wants a gradient: for an optimizer that is part of another.
  void step_as_part();
  void zero_grad();  ///< of all its parameters

  /// Multiplies every learning rate of this optimizer; a schedule sets it before each step. 1 at
  /// first.
  void set_lr_factor(double factor) { lr_factor_ = factor; }
  double lr_factor() const { return lr_factor_; }  ///< as set
  std::int64_t steps() const { return steps_; }    ///< so far

  const NamedTensors& parameters() const { return parameters_; }  ///< by name
  /// Live handles on all state, named `buffer.parameter`; with steps() this is all that
  /// resuming needs. `step.parameter`: its steps so far (i64), where the rule counts them.
  virtual NamedTensors state() const = 0;
  /// Brings back what state() gave; a state without counts, as older programs saved it, counts
  /// `steps` for every parameter. Throws ConfigError for a missing name or a count below 0,
  /// ShapeError for another shape.
  void load_state(const std::map<std::string, Tensor>& saved, std::int64_t steps);

 protected:
  /// Throws ConfigError when there are no parameters, and as require_distinct().
  explicit Optimizer(NamedTensors parameters);
  virtual void update() = 0;  ///< one step by the rule
  /// One zero tensor a parameter, shaped as it.
  std::vector<Tensor> zeros_like_parameters() const;
  /// Pairs each buffer with its parameter's name.
  NamedTensors named(const std::string& buffer, const std::vector<Tensor>& tensors) const;

  NamedTensors parameters_;
  std::int64_t steps_ = 0;  ///< calls of step(), the one under way included
  double lr_factor_ = 1;
};

/// Which parameters weight decay applies to.
enum class Decay : std::uint8_t {
  matrices,  ///< two dimensions or more: weights, not biases and norms
  all,
};
/// Whether a weight decay applies to a parameter.
bool decays(Decay decay, const Tensor& parameter);

/// Throws ConfigError `[who] name must be ..., got ...` for NaN, infinity or a value outside [low,
/// high].
void require_in(const char* who, const char* what, double value, double low, double high);

}  // namespace weft::optim
