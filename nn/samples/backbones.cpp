// Samples of what turns images into maps of features.
#include "nn/backbone.h"
#include "nn/samples/module_case.h"
#include "nn/samples/naive.h"

namespace weft::samples::nn_backbone_samples {
namespace {

using namespace nn;

template <class M>
Case map_case(const char* label, std::shared_ptr<M> backbone, const Shape& images,
              Reference reference = {}) {
  Case result = module_case<M>(label, std::move(backbone), values(images, 1), std::move(reference));
  result.check.max_elements = 6;
  result.f32_tolerance = 1e-3;
  return result;
}

const Register conv_backbone("ConvBackbone", Kind::module, [] {
  Sample sample{.name = "ConvBackbone", .kind = Kind::module};
  const auto make = [](std::int64_t stride, bool training) {
    const ConvBackboneConfig config{.channels = 2, .features = 8, .stride = stride};
    const auto backbone = std::make_shared<ConvBackbone>(config);
    backbone->train(training);
    return backbone;
  };
  sample.cases = {map_case("stride 4", make(4, true), {2, 2, 16, 8}),
                  map_case("stride 8", make(8, true), {2, 2, 16, 8}),
                  map_case("stride 8, evaluation", make(8, false), {1, 2, 8, 16})};
  sample.cases[0].shape = Shape{2, 8, 4, 2};
  sample.cases[1].shape = Shape{2, 8, 2, 1};
  sample.cases[2].shape = Shape{1, 8, 1, 2};
  sample.errors = {
      {"features", [] { ConvBackbone({.features = 6}); },
       "[backbone] features must be a multiple of 4, got 6"},
      {"stride", [] { ConvBackbone({.stride = 2}); }, "[backbone] stride must be 4 or 8, got 2"},
      {"image",
       [] {
         ConvBackbone({.features = 8}).forward(Tensor::zeros({1, 1, 8, 6}));
       },
       "[backbone] expects images (B, 1, H, W) with H and W divisible by 4, got (1, 1, 8, 6)"}};
  return sample;
});

VitBackboneConfig tiny_vit(std::int64_t upsample) {
  VitBackboneConfig config{.features = 3, .upsample = upsample};
  config.vit.image_height = 8;
  config.vit.image_width = 12;
  config.vit.patch_size = 4;
  config.vit.n_layer = 1;
  config.vit.n_head = 2;
  config.vit.n_embd = 4;
  return config;
}

/// With blocks that add nothing, all their parameters being 0, the map is a linear layer of
/// normalized patch vectors, laid out as upsample x upsample pixels a patch.
Reference layout_reference(std::int64_t upsample) {
  return [=](const std::vector<Tensor>& t) {
    constexpr std::int64_t kRows = 2, kColumns = 3, kPatch = 4, kWidth = 4, kFeatures = 3;
    const Tensor &image = t[0], &places = t[1], &weight = t[2], &bias = t[3];
    naive::Values tokens;
    for (std::int64_t row = 0; row < kRows; ++row)
      for (std::int64_t column = 0; column < kColumns; ++column)
        for (std::int64_t c = 0; c < kWidth; ++c) {
          double token = bias.at({c}) + places.at({0, row * kColumns + column, c});
          for (std::int64_t i = 0; i < kPatch; ++i)
            for (std::int64_t j = 0; j < kPatch; ++j)
              token +=
                  image.at({0, 0, row * kPatch + i, column * kPatch + j}) * weight.at({c, 0, i, j});
          tokens.push_back(token);
        }
    const auto units = static_cast<std::size_t>(kFeatures * upsample * upsample);
    const auto rows = naive::layer_norm(tokens, flat(t[4]), flat(t[5]), kWidth);
    const auto pixels = naive::linear(rows, flat(t[6]), flat(t[7]), kWidth, units);
    std::vector<double> map;
    for (std::int64_t f = 0; f < kFeatures; ++f)
      for (std::int64_t y = 0; y < kRows * upsample; ++y)
        for (std::int64_t x = 0; x < kColumns * upsample; ++x) {
          const std::int64_t patch = y / upsample * kColumns + x / upsample;
          const std::int64_t unit = (f * upsample + y % upsample) * upsample + x % upsample;
          map.push_back(
              pixels[static_cast<std::size_t>(patch) * units + static_cast<std::size_t>(unit)]);
        }
    return map;
  };
}

Case layout_case(const char* label, std::int64_t upsample) {
  const auto backbone = std::make_shared<VitBackbone>(tiny_vit(upsample));
  for (const auto& [path, parameter] : backbone->named_parameters()) parameter.zero();
  return partial_module_case<VitBackbone>(
      label, backbone, {values({1, 1, 8, 12}, 1)},
      [](const std::string& path) { return !path.starts_with("blocks."); },
      [](VitBackbone& m, const std::vector<Tensor>& in) { return m.forward(in[0]); },
      layout_reference(upsample));
}

const Register vit_backbone("VitBackbone", Kind::module, [] {
  Sample sample{.name = "VitBackbone", .kind = Kind::module};
  VitBackboneConfig other = tiny_vit(4);
  other.vit.positions = Positions::sinusoidal;
  other.vit.post_norm = true;
  other.vit.norm = NormKind::rms;
  sample.cases = {
      layout_case("a pixel a patch, blocks of zeros", 1),
      layout_case("four pixels a patch, blocks of zeros", 2),
      map_case("learned positions", std::make_shared<VitBackbone>(tiny_vit(2)), {2, 1, 8, 12}),
      map_case("sinusoids, post-norm", std::make_shared<VitBackbone>(other), {1, 1, 8, 12})};
  sample.cases[2].shape = Shape{2, 3, 4, 6};
  sample.errors = {{"upsample", [] { VitBackbone(tiny_vit(3)); },
                    "[backbone] upsample must divide the patch, 4, got 3"},
                   {"image",
                    [] {
                      VitBackbone(tiny_vit(1)).forward(Tensor::zeros({1, 1, 12, 8}));
                    },
                    "[backbone] expects images (B, 1, 8, 12), got (1, 1, 12, 8)"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_backbone_samples
