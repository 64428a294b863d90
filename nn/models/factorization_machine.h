// Factorization machine: a linear model, and every product of two features.
#pragma once

#include "nn/model.h"

namespace weft::nn {

struct FactorizationMachineConfig {
  Shape input_shape{8};       ///< of one sample; flattened to N features
  std::int64_t n_factor = 8;  ///< K: the rank of the matrix of pairs
  double init_std = 0.1;      ///< of the factors

  /// Throws ConfigError.
  void validate() const;
};

/// w_0 + <w, x> + sum_{i<j} <v_i, v_j> x_i x_j: parameters bias (1,), weight (N,), factors (N, K).
/// Of one output: a number, or the logit of two classes. Source: Rendle 2010, "Factorization
/// Machines" (ICDM), eq. 1.
class FactorizationMachine : public Model {
 public:
  explicit FactorizationMachine(const FactorizationMachineConfig& config);

  /// Shape: (B, input_shape...) -> (B, 1). Throws: ShapeError.
  Tensor forward(const Tensor& x) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const FactorizationMachineConfig& config() const { return config_; }  ///< as it was built

 private:
  FactorizationMachineConfig config_;
  Parameter bias;
  Parameter weight;
  Parameter factors;
};

}  // namespace weft::nn
