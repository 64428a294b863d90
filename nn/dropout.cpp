#include "nn/dropout.h"

#include "autograd/ops/dropout.h"

namespace weft::nn {

Dropout::Dropout(double p) : Module("Dropout"), p_(p) {
  if (!(p >= 0 && p < 1))
    fail<ConfigError>("Dropout", "the probability must be at least 0 and below 1, got {}", p);
}

Tensor Dropout::forward(const Tensor& x) const {
  if (p_ == 0 || !is_training()) return x;
  return dropout(x, p_, true, random::stream("dropout"));
}

std::string Dropout::details() const { return fmt::format("p = {}", p_); }

}  // namespace weft::nn
