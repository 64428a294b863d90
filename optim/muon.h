#pragma once

#include <memory>

#include "optim/adam.h"
#include "optim/optimizer.h"

namespace weft::optim {

struct MuonOptions {
  double lr = 0.02;
  double momentum = 0.95;
  bool nesterov = true;
  int newton_schulz_steps = 5;
  double weight_decay = 0;  ///< decoupled, scaled by lr
};

/// A matrix and the number of equal blocks of rows that are orthogonalised each by itself (3 for a
/// fused query-key-value weight).
struct MuonMatrix {
  std::string name;
  Tensor tensor;
  std::int64_t row_blocks = 1;
};

/// Momentum, then the nearest semi-orthogonal matrix by a quintic Newton-Schulz iteration; hidden
/// matrices only, AdamW (or Adam, with weight_decay 0) for the rest: embeddings, heads, biases,
/// norms. p -= lr sqrt(max(1, rows / columns)) ortho(update). More than two dimensions are taken as
/// (first, product of the others). Throws ConfigError for a matrix with fewer than two. Source:
/// Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks" (its reference
/// code's constants and scaling).
class Muon : public Optimizer {
 public:
  Muon(const std::vector<MuonMatrix>& matrices, NamedTensors rest, MuonOptions options = {},
       AdamWOptions rest_options = {});
  NamedTensors state() const override;

 protected:
  void update() override;  ///< one step

 private:
  std::vector<MuonMatrix> matrices_;
  MuonOptions options_;
  std::vector<Tensor> momentum_;
  std::unique_ptr<AdamW> rest_;
};

/// The iteration itself: X -> a X + (b A + c A^2) X with A = X X^T, from X = m / |m|, for one
/// matrix (M, N) of any float dtype. The singular values of the result lie near 1 (about 0.7
/// to 1.2). Shape: (M, N) -> (M, N).
Tensor orthogonalize(const Tensor& matrix, int steps = 5);

}  // namespace weft::optim
