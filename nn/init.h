// Initializers, as values: `init::normal(0.02)` is handed to the parameter that it fills. All draw
// from the stream `init`.
#pragma once

#include <functional>

#include "core/random.h"
#include "core/tensor.h"

namespace weft::nn::init {

/// Fills a float tensor. A default-constructed one is undefined: "the layer's own default".
class Initializer {
 public:
  using Fill = std::function<void(const Tensor&, Generator&)>;
  Initializer() = default;
  explicit Initializer(Fill fill) : fill_(std::move(fill)) {}

  bool defined() const { return fill_ != nullptr; }  ///< has a rule
  /// Fills `tensor` from random::stream("init"). Throws ConfigError when undefined.
  void operator()(const Tensor& tensor) const;
  /// This one if defined, else `other`.
  const Initializer& value_or(const Initializer& other) const { return defined() ? *this : other; }

 private:
  Fill fill_;
};

Initializer constant(double value);  ///< all `value`
Initializer zeros();                 ///< all 0
Initializer ones();                  ///< all 1
/// Throws ConfigError unless std is finite and >= 0.
Initializer normal(double std, double mean = 0);
/// Uniform in [low, high).
Initializer uniform(double low, double high);
/// Normal, drawn again outside mean +- cut * std, by the inverse distribution function: the exact
/// truncated distribution.
Initializer truncated_normal(double std, double mean = 0, double cut = 2);

// Fans: of a (O, I, ...) weight, fan_in is I times the rest, fan_out O times the rest. Throw
// ShapeError when filling fewer than two dimensions.

/// Uniform in +-gain sqrt(6 / (fan_in + fan_out)). Source: Glorot and Bengio 2010 (AISTATS),
/// eq. 16.
Initializer xavier_uniform(double gain = 1);
/// Normal with std gain sqrt(2 / (fan_in + fan_out)).
Initializer xavier_normal(double gain = 1);
/// Uniform in +-sqrt(6 / ((1 + a^2) fan_in)), for layers followed by a leaky ReLU of slope a. a =
/// sqrt 5, which gives +-1 / sqrt(fan_in), is PyTorch's default of Linear and Conv2d. Source: He et
/// al. 2015 (arXiv 1502.01852), eq. 14 and 15.
Initializer kaiming_uniform(double a = 0);
/// Normal with std sqrt(2 / ((1 + a^2) fan_in)).
Initializer kaiming_normal(double a = 0);
/// Normal with std / sqrt(2 n_layer), for the projections that end the 2 n_layer residual branches.
/// Source: Radford et al. 2019 (GPT-2), section 2.3.
Initializer scaled_residual(std::int64_t n_layer, double std = 0.02);
/// A (semi-)orthogonal matrix times gain; later dimensions are flattened. Source: Saxe et al. 2013
/// (arXiv 1312.6120).
Initializer orthogonal(double gain = 1);

}  // namespace weft::nn::init
