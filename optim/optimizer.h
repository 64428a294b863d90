// What every optimizer has: parameters with names, a learning rate that a schedule scales, and a state that can be saved.
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

/// Changes parameters in place from their grad(). A parameter without a gradient is left as it is.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update of every parameter that has a gradient.
  void step();
  /// As step(), counted as step number `count`: for an optimizer that is part of another.
  void step_as(std::int64_t count);
  void zero_grad();

  /// Multiplies every learning rate of this optimizer; a schedule sets it before each step. 1 at first.
  void set_lr_factor(double factor) { lr_factor_ = factor; }
  double lr_factor() const { return lr_factor_; }
  std::int64_t steps() const { return steps_; }

  const NamedTensors& parameters() const { return parameters_; }
  /// Live handles on all state, named `<buffer>.<parameter>`; with steps() this is all that resuming needs.
  virtual NamedTensors state() const = 0;
  /// Brings back what state() gave. Throws ConfigError for a missing name, ShapeError for another shape.
  void load_state(const std::map<std::string, Tensor>& saved, std::int64_t steps);

 protected:
  /// Throws ConfigError when there are no parameters, a name is used twice, or one is no f32 or f64 leaf.
  explicit Optimizer(NamedTensors parameters);
  virtual void update() = 0;
  /// One zero tensor a parameter, shaped as it.
  std::vector<Tensor> zeros_like_parameters() const;
  /// Pairs each buffer with its parameter's name.
  NamedTensors named(const std::string& buffer, const std::vector<Tensor>& tensors) const;

  NamedTensors parameters_;
  std::int64_t steps_ = 0;  ///< counts the step under way from 1 on
  double lr_factor_ = 1;
};

/// Which parameters weight decay applies to.
enum class Decay : std::uint8_t {
  matrices,  ///< two dimensions or more: weights, not biases and norms
  all,
};
bool decays(Decay decay, const Tensor& parameter);

/// Throws ConfigError `[who] name must be ..., got ...` for NaN, infinity or a value outside [low, high].
void require_in(const char* who, const char* what, double value, double low, double high);

}  // namespace weft::optim
