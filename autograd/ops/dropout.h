// Dropout.
#pragma once

#include "core/random.h"
#include "core/tensor.h"

namespace weft {

/// Each element is 0 with probability p, else x / (1 - p). The mask comes from `generator` by
/// element index, so it is the same for any number of threads. p == 0 or !training returns x.
/// Shape: (...) -> (...). Gradient: g with the same mask. Throws: ConfigError unless 0 <= p < 1;
/// DTypeError unless x is f32 or f64. Source: Srivastava et al. 2014 (JMLR 15).
Tensor dropout(const Tensor& x, double p, bool training, Generator& generator);

}  // namespace weft
