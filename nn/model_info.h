// What a model is made of: its layers with parameters and arithmetic.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/model.h"

namespace weft::nn {

struct LayerInfo {
  std::string path;
  std::string kind;
  std::string details;
  std::int64_t parameters =
      0;  ///< of this layer alone, without those below it; a tied weight counts at its first name
  double flops = 0;  ///< of this layer's forward for one sample: 2 a multiply-add of a matrix
                     ///< product; elementwise work is not counted
  Shape output;      ///< of one sample; empty where nothing was noted
};

struct ModelInfo {
  std::string kind;
  std::vector<LayerInfo> layers;  ///< those with parameters or arithmetic, in order
  std::int64_t parameters = 0;
  double flops = 0;  ///< forward, one sample; forward and backward are three times that
  /// An aligned table with a total, for terminals.
  std::string table() const;
};

/// Runs the model once on example_input(1), without gradients and dropout, and notes what each
/// layer does.
ModelInfo describe(Model& model);
/// The same for any module: `run` must call it once, on one sample.
ModelInfo describe(Module& module, const std::function<void()>& run);

}  // namespace weft::nn
