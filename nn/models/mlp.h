// A plain multi-layer perceptron: what a transformer is compared with.
#pragma once

#include <vector>

#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/model.h"
#include "nn/options.h"

namespace weft::nn {

struct MlpConfig {
  Shape input_shape{1, 28, 28};  ///< of one sample; flattened
  std::vector<std::int64_t> hidden{256, 256};
  std::int64_t n_class = 10;                 ///< outputs
  Activation activation = Activation::relu;  ///< not swiglu
  double dropout = 0;

  /// Throws ConfigError.
  void validate() const;
};

class Mlp : public Model {
 public:
  explicit Mlp(const MlpConfig& config);

  /// Shape: (B, input_shape...) -> (B, n_class). Throws: ShapeError.
  Tensor forward(const Tensor& x) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  const MlpConfig& config() const { return config_; }  ///< as it was built

 private:
  MlpConfig config_;
  ModuleList<Linear> layers{*this, "layers"};
  Child<Dropout> drop;
};

}  // namespace weft::nn
