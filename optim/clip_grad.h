// Gradient clipping.
#pragma once

#include "optim/optimizer.h"

namespace weft::optim {

/// Scales all gradients so that their joint Euclidean norm is at most max_norm; returns the norm
/// before. The same bits for any number of threads. A norm that is NaN or infinite leaves the
/// gradients as they are, for the caller to judge. Throws ConfigError unless max_norm > 0, and as
/// require_distinct(). Source: Pascanu et al. 2012 (arXiv 1211.5063), algorithm 1.
double clip_grad_norm(const NamedTensors& parameters, double max_norm);

/// The joint norm alone. Throws ConfigError as require_distinct().
double grad_norm(const NamedTensors& parameters);

}  // namespace weft::optim
