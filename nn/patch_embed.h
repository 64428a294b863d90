// PatchEmbed: an image cut into squares, each turned into a vector.
#pragma once

#include "nn/module.h"

namespace weft::nn {

struct PatchEmbedOptions {
  std::int64_t channels = 1;
  std::int64_t patch_size = 4;
  std::int64_t n_embd = 64;
  bool bias = true;
  init::Initializer init{};  ///< as LinearOptions::init
};

/// A convolution whose stride is its kernel, computed as one matrix product. Parameters:
/// proj.weight (C, channels, P, P), proj.bias (C,). Source: Dosovitskiy et al. 2020 (arXiv
/// 2010.11929), eq. 1.
class PatchEmbed : public Module {
 public:
  /// Throws ConfigError for sizes below 1.
  explicit PatchEmbed(const PatchEmbedOptions& options);

  /// Shape: (B, channels, H, W) -> (B, H/P * W/P, C), patches in reading order. Throws: ShapeError
  /// unless P divides H and W.
  Tensor forward(const Tensor& images) const;
  Tensor operator()(const Tensor& images) const { return forward(images); }
  std::string details() const override;

 private:
  struct Projection : Module {
    explicit Projection(const PatchEmbedOptions& options);
    Tensor forward(const Tensor& patches) const;
    Parameter weight;
    Parameter bias;
  };
  std::int64_t patch_size_;
  Child<Projection> proj;
};

}  // namespace weft::nn
