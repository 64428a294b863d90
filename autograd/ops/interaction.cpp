#include "autograd/ops/interaction.h"

#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/unary.h"
#include "core/error.h"

namespace weft {

Tensor pairwise_interactions(const Tensor& x, const Tensor& factors) {
  if (x.rank() != 2 || factors.rank() != 2 || x.size(1) != factors.size(0))
    fail<ShapeError>("pairwise_interactions", "expects x (B, N) and factors (N, K), got {} and {}",
                     x.shape().str(), factors.shape().str());
  // (sum_i a_i)^2 - sum_i a_i^2 = 2 sum_{i<j} a_i a_j for a_i = v_if x_i; the squares need no sum
  // over f for each row of x, only |v_i|^2.
  const Tensor all = sum(square(matmul(x, factors)), {1});
  const Tensor squares = square(x), lengths = sum(square(factors), {1});
  const Tensor self = matmul(squares, lengths);
  return (all - self) * 0.5;
}

}  // namespace weft
