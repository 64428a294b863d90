// Samples of the layers without attention.
#include <array>

#include "nn/conv2d.h"
#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/feed_forward.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/patch_embed.h"
#include "nn/rms_norm.h"
#include "nn/samples/module_case.h"
#include "nn/samples/naive.h"

namespace weft::samples::nn_layers_samples {
namespace {

using namespace nn;

Reference linear_reference(bool bias, std::size_t in, std::size_t out) {
  return [=](const std::vector<Tensor>& t) {
    return naive::linear(flat(t[0]), flat(t[1]), bias ? flat(t[2]) : naive::Values(), in, out);
  };
}

const Register linear_sample("Linear", Kind::module, [] {
  Sample sample{.name = "Linear", .kind = Kind::module};
  sample.cases = {
      module_case("bias", std::make_shared<Linear>(5, 3), values({2, 4, 5}, 1),
                  linear_reference(true, 5, 3)),
      module_case("no bias", std::make_shared<Linear>(5, 3, LinearOptions{.bias = false}),
                  values({4, 5}, 1), linear_reference(false, 5, 3))};
  sample.errors = {{"size", [] { Linear(0, 3); }, "[Linear] sizes must be at least 1, got 0 -> 3"}};
  return sample;
});

const Register embedding_sample("Embedding", Kind::module, [] {
  Sample sample{.name = "Embedding", .kind = Kind::module, .no_errors = "its errors are the op's"};
  sample.cases = {module_case("ids", std::make_shared<Embedding>(7, 3), ids({2, 5}, 7, 1),
                              [](const std::vector<Tensor>& t) {
                                const auto table = flat(t[1]);
                                std::vector<double> out;
                                for (const double id : flat(t[0]))
                                  for (std::size_t i = 0; i < 3; ++i)
                                    out.push_back(table[static_cast<std::size_t>(id) * 3 + i]);
                                return out;
                              })};
  return sample;
});

const Register layer_norm_sample("LayerNorm", Kind::module, [] {
  Sample sample{.name = "LayerNorm", .kind = Kind::module};
  const auto reference = [](bool weight, bool bias) -> Reference {
    return [=](const std::vector<Tensor>& t) {
      return naive::layer_norm(flat(t[0]), weight ? flat(t[1]) : naive::Values(),
                               bias ? flat(t[2]) : naive::Values(), 6);
    };
  };
  sample.cases = {
      module_case("weight and bias", std::make_shared<LayerNorm>(6), values({2, 3, 6}, 1),
                  reference(true, true)),
      module_case("no bias", std::make_shared<LayerNorm>(6, LayerNormOptions{.bias = false}),
                  values({2, 3, 6}, 1), reference(true, false)),
      module_case("plain",
                  std::make_shared<LayerNorm>(6, LayerNormOptions{.weight = false, .bias = false}),
                  values({2, 3, 6}, 1), reference(false, false))};
  sample.errors = {{"width",
                    [] {
                      LayerNorm(6).forward(Tensor::zeros({2, 5}));
                    },
                    "[LayerNorm] expects (..., 6), got (2, 5)"}};
  return sample;
});

const Register rms_norm_sample("RmsNorm", Kind::module, [] {
  Sample sample{.name = "RmsNorm", .kind = Kind::module};
  sample.cases = {
      module_case(
          "weight", std::make_shared<RmsNorm>(6), values({2, 3, 6}, 1),
          [](const std::vector<Tensor>& t) { return naive::rms_norm(flat(t[0]), flat(t[1]), 6); }),
      module_case("plain", std::make_shared<RmsNorm>(6, RmsNormOptions{.weight = false}),
                  values({2, 3, 6}, 1),
                  [](const std::vector<Tensor>& t) { return naive::rms_norm(flat(t[0]), {}, 6); })};
  sample.errors = {{"width",
                    [] {
                      RmsNorm(6).forward(Tensor::zeros({2, 5}));
                    },
                    "[RmsNorm] expects (..., 6), got (2, 5)"}};
  return sample;
});

const Register dropout_sample("Dropout", Kind::module, [] {
  Sample sample{.name = "Dropout", .kind = Kind::module};
  sample.cases = {module_case<Dropout>("the same mask each time", std::make_shared<Dropout>(0.4),
                                       std::vector<Tensor>{values({5, 6}, 1)},
                                       [](Dropout& module, const std::vector<Tensor>& in) {
                                         random::stream("dropout").set_position(9);
                                         return module.forward(in[0]);
                                       })};
  sample.errors = {{"probability", [] { Dropout(1); },
                    "[Dropout] the probability must be at least 0 and below 1, got 1"}};
  return sample;
});

/// Cross-correlation of x (B, C, H, W) with weight (O, C, KH, KW) and its bias.
std::vector<double> convolve(const std::vector<Tensor>& t,
                             const std::array<std::int64_t, 2>& stride,
                             const std::array<std::int64_t, 2>& padding) {
  const Tensor &x = t[0], &w = t[1];
  std::vector<double> out;
  const auto size = [&](std::size_t way) {
    const auto dim = static_cast<std::int64_t>(2 + way);
    return (x.size(dim) + 2 * padding[way] - w.size(dim)) / stride[way] + 1;
  };
  for (std::int64_t b = 0; b < x.size(0); ++b)
    for (std::int64_t o = 0; o < w.size(0); ++o)
      for (std::int64_t row = 0; row < size(0); ++row)
        for (std::int64_t column = 0; column < size(1); ++column) {
          double sum = t[2].at({o});
          for (std::int64_t c = 0; c < w.size(1); ++c)
            for (std::int64_t i = 0; i < w.size(2); ++i)
              for (std::int64_t j = 0; j < w.size(3); ++j) {
                const std::int64_t y = row * stride[0] + i - padding[0],
                                   z = column * stride[1] + j - padding[1];
                if (y >= 0 && y < x.size(2) && z >= 0 && z < x.size(3))
                  sum += x.at({b, c, y, z}) * w.at({o, c, i, j});
              }
          out.push_back(sum);
        }
  return out;
}

const Register conv2d_sample("Conv2d", Kind::module, [] {
  Sample sample{.name = "Conv2d", .kind = Kind::module};
  const auto two_ways = std::make_shared<Conv2d>(
      2, 3, Size2(3, 2), Conv2dLayerOptions{.stride = {2, 1}, .padding = {0, 2}});
  sample.cases = {
      module_case("one number for both ways",
                  std::make_shared<Conv2d>(2, 3, 3, Conv2dLayerOptions{.stride = 2, .padding = 1}),
                  values({2, 2, 5, 6}, 1),
                  [](const std::vector<Tensor>& t) {
                    return convolve(t, {2, 2}, {1, 1});
                  }),
      module_case("a number for each", two_ways, values({2, 2, 5, 6}, 1),
                  [](const std::vector<Tensor>& t) {
                    return convolve(t, {2, 1}, {0, 2});
                  })};
  sample.cases[1].shape = Shape{2, 3, 2, 9};
  sample.errors = {{"kernel",
                    [] {
                      Conv2d(3, 4, {3, 0});
                    },
                    "[Conv2d] sizes must be at least 1, got 3 -> 4, kernel 3 x 0, groups 1"},
                   {"groups", [] { Conv2d(3, 4, 3, {.groups = 2}); },
                    "[Conv2d] 2 groups do not divide 3 -> 4 channels"}};
  return sample;
});

const Register patch_embed_sample("PatchEmbed", Kind::module, [] {
  Sample sample{.name = "PatchEmbed", .kind = Kind::module};
  sample.cases = {module_case(
      "patches",
      std::make_shared<PatchEmbed>(PatchEmbedOptions{.channels = 2, .patch_size = 2, .n_embd = 3}),
      values({2, 2, 4, 6}, 1),
      [](const std::vector<Tensor>& t) {  // a convolution whose stride is its kernel; channels last
        const auto channels_first = convolve(t, {2, 2}, {0, 0});
        std::vector<double> out;
        for (std::size_t b = 0; b < 2; ++b)
          for (std::size_t patch = 0; patch < 6; ++patch)
            for (std::size_t c = 0; c < 3; ++c)
              out.push_back(channels_first[(b * 3 + c) * 6 + patch]);
        return out;
      })};
  sample.errors = {
      {"size",
       [] {
         PatchEmbed({.patch_size = 3}).forward(Tensor::zeros({1, 1, 6, 7}));
       },
       "[PatchEmbed] expects images (B, 1, H, W) with H and W divisible by 3, got (1, 1, 6, 7)"}};
  return sample;
});

Case feed_forward_case(Activation activation, bool bias) {
  const FeedForwardOptions options{
      .n_embd = 4, .hidden = 6, .activation = activation, .bias = bias};
  return module_case(std::string(to_name(activation)) + (bias ? "" : ", no bias"),
                     std::make_shared<FeedForward>(options), values({2, 3, 4}, 1),
                     [=](const std::vector<Tensor>& t) {
                       const bool gated = activation == Activation::swiglu;
                       const std::size_t hidden = 6, width = gated ? 2 * hidden : hidden;
                       const auto features = naive::linear(
                           flat(t[0]), flat(t[1]), bias ? flat(t[2]) : naive::Values(), 4, width);
                       naive::Values active;
                       for (std::size_t row = 0; row < features.size() / width; ++row)
                         for (std::size_t i = 0; i < hidden; ++i)
                           active.push_back(naive::activate(features[row * width + i], activation) *
                                            (gated ? features[row * width + hidden + i] : 1));
                       return naive::linear(active, flat(t[bias ? 3 : 2]),
                                            bias ? flat(t[4]) : naive::Values(), hidden, 4);
                     });
}

const Register feed_forward_sample("FeedForward", Kind::module, [] {
  Sample sample{.name = "FeedForward", .kind = Kind::module};
  for (const Activation activation :
       {Activation::relu, Activation::relu_squared, Activation::gelu_erf, Activation::gelu_tanh,
        Activation::swiglu})
    sample.cases.push_back(feed_forward_case(activation, true));
  sample.cases.push_back(feed_forward_case(Activation::swiglu, false));
  sample.errors = {{"swiglu alone", [] { activate(Tensor::zeros({2}), Activation::swiglu); },
                    "[activation] swiglu gates one half of its features with the other, and only "
                    "FeedForward makes both"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_layers_samples
