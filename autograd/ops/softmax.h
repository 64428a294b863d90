// Softmax and its logarithm.
#pragma once

#include "core/tensor.h"

namespace weft {

/// e^x / sum e^x along dim, shifted by the maximum. A row of only -inf gives zeros. Shape: (...) ->
/// (...). Gradient: y (g - sum(g y)). Throws: IndexError, DTypeError.
Tensor softmax(const Tensor& x, std::int64_t dim = -1);
/// x - logsumexp(x) along dim. Shape: (...) -> (...). Gradient: g - softmax(x) sum(g). Throws:
/// IndexError, DTypeError.
Tensor log_softmax(const Tensor& x, std::int64_t dim = -1);

/// The same in primitive ops.
namespace definition {
Tensor softmax(const Tensor& x, std::int64_t dim);
Tensor log_softmax(const Tensor& x, std::int64_t dim);
}  // namespace definition
}  // namespace weft
