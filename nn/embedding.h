// Embedding: a table read by id.
#pragma once

#include "nn/module.h"

namespace weft::nn {

/// Parameters: weight (V, C).
class Embedding : public Module {
 public:
  /// `initializer` undefined: N(0, 1), PyTorch's default.
  Embedding(std::int64_t n_row, std::int64_t n_embd, const init::Initializer& initializer = {});

  /// Shape: ids (...) i32 or i64 -> (..., C). Throws: IndexError, DTypeError.
  Tensor forward(const Tensor& ids) const;
  Tensor operator()(const Tensor& ids) const { return forward(ids); }
  std::string details() const override;

  Parameter weight;
};

}  // namespace weft::nn
