// Samples of detectors and of their parts. What Faster R-CNN's second stage trains on depends on
// its own proposals, which no gradient goes through: it is held to differences with a proposal
// network whose last layers are constant, the first stage alone with all of it.
#include "autograd/ops/binary.h"
#include "autograd/ops/shape_ops.h"
#include "nn/models/detr.h"
#include "nn/models/faster_rcnn.h"
#include "nn/samples/module_case.h"

namespace weft::samples::nn_detector_samples {
namespace {

using namespace nn;
using Tensors = std::vector<Tensor>;

template <class M>
Case part_case(const char* label, std::shared_ptr<M> module, Tensors inputs,
               std::function<Tensor(M&, const Tensors&)> call) {
  Case result = module_case<M>(label, std::move(module), std::move(inputs), std::move(call));
  result.check.max_elements = 10;
  result.f32_tolerance = 1e-3;
  return result;
}

template <class Output>
Tensor joined(const Output& out) {
  return cat({reshape(out.logits, {-1}), reshape(out.codes, {-1})}, 0);
}

const Register rpn_head("RpnHead", Kind::module, [] {
  Sample sample{.name = "RpnHead", .kind = Kind::module};
  sample.cases = {
      part_case<RpnHead>("two anchors", std::make_shared<RpnHead>(3, 2), {values({2, 3, 3, 4}, 1)},
                         [](RpnHead& m, const Tensors& in) { return joined(m.forward(in[0])); })};
  sample.errors = {
      {"channels",
       [] {
         RpnHead(3, 2).forward(Tensor::zeros({1, 4, 3, 3}));
       },
       "[conv2d] weight (3, 3, 3, 3) expects 3 channels per group, x (1, 4, 3, 3) has 4"}};
  return sample;
});

const Register box_head("BoxHead", Kind::module, [] {
  Sample sample{.name = "BoxHead", .kind = Kind::module};
  sample.cases = {part_case<BoxHead>(
      "three classes", std::make_shared<BoxHead>(8, 5, 3), {values({4, 2, 2, 2}, 1)},
      [](BoxHead& m, const Tensors& in) { return joined(m.forward(in[0])); })};
  sample.errors = {{"size",
                    [] {
                      BoxHead(8, 5, 3).forward(Tensor::zeros({4, 2, 2, 3}));
                    },
                    "[BoxHead] expects regions of 8 elements, got (4, 2, 2, 3)"}};
  return sample;
});

const Register detr_attention("DetrAttention", Kind::module, [] {
  Sample sample{.name = "DetrAttention", .kind = Kind::module};
  sample.cases = {part_case<DetrAttention>(
      "two heads", std::make_shared<DetrAttention>(6, 2),
      {values({2, 3, 6}, 1), values({2, 4, 6}, 2), values({2, 4, 6}, 3)},
      [](DetrAttention& m, const Tensors& in) { return m.forward(in[0], in[1], in[2]); })};
  sample.no_errors = "its errors are the ops'";
  return sample;
});

const Register detr_layer("DetrLayer", Kind::module, [] {
  Sample sample{.name = "DetrLayer", .kind = Kind::module, .no_errors = "its errors are the ops'"};
  const DetrConfig config{.n_head = 2, .n_embd = 8, .mlp_ratio = 2};
  sample.cases = {
      part_case<DetrLayer>("encoder", std::make_shared<DetrLayer>(config, false),
                           {values({2, 3, 8}, 1), values({3, 8}, 2)},
                           [](DetrLayer& m, const Tensors& in) { return m.forward(in[0], in[1]); }),
      part_case<DetrLayer>(
          "decoder", std::make_shared<DetrLayer>(config, true),
          {values({2, 3, 8}, 1), values({3, 8}, 2), values({2, 5, 8}, 3), values({5, 8}, 4)},
          [](DetrLayer& m, const Tensors& in) { return m.forward(in[0], in[1], in[2], in[3]); })};
  return sample;
});

std::shared_ptr<FasterRcnn> make_rcnn() {
  FasterRcnnConfig config{
      .n_class = 2, .image_height = 16, .image_width = 16, .hidden = 5, .grid = 2};
  config.anchor_heights = {5, 9};
  config.anchor_ratios = {1};
  return std::make_shared<FasterRcnn>(
      config, std::make_unique<ConvBackbone>(ConvBackboneConfig{.features = 4, .stride = 4}));
}

Case rcnn_case(
    const char* label, const std::string& left_out,
    std::function<Tensor(const FasterRcnn&, const Tensor& images, const Tensor& boxes)> loss) {
  const auto model = make_rcnn();
  for (const auto& [path, parameter] : model->named_parameters())
    if (path.ends_with(".weight") && path.starts_with(left_out)) parameter.zero();
  const Tensor boxes = Tensor::from<double>(
      {1, 2, 3, 9, 12, 0, 8, 4, 15, 9, 0, 1, 1, 15, 13, -1, -1, -1, -1, -1}, {2, 2, 5});
  Case result = partial_module_case<FasterRcnn>(
      label, model, {values({2, 1, 16, 16}, 1)},
      [=](const std::string& path) { return !path.starts_with(left_out); },
      [=, loss = std::move(loss)](FasterRcnn& m, const Tensors& in) {
        random::stream("regions").set_position(0);
        return loss(m, in[0], boxes);
      });
  result.check.max_elements = 3;
  result.f32_tolerance = 1e-3;
  return result;
}

const Register faster_rcnn("FasterRcnn", Kind::model, [] {
  Sample sample{.name = "FasterRcnn", .kind = Kind::model};
  sample.cases = {rcnn_case("the first stage", "roi_heads",
                            [](const FasterRcnn& m, const Tensor& images, const Tensor& boxes) {
                              const FasterRcnnLosses all = m.losses(images, boxes);
                              return all.objectness + all.proposal_boxes;
                            }),
                  rcnn_case("both stages, proposals that stay", "rpn",
                            [](const FasterRcnn& m, const Tensor& images, const Tensor& boxes) {
                              return m.loss(images, boxes);
                            })};
  const auto with_box = [](std::vector<double> row) {
    return [=] { make_rcnn()->loss(Tensor::zeros({1, 1, 16, 16}), Tensor::from(row, {1, 1, 5})); };
  };
  sample.errors = {
      {"label", with_box({2, 0, 0, 4, 4}),
       "[faster_rcnn] label 2 of box 0 of image 0 is not a class: there are 2, counted from 0"},
      {"no area", with_box({1, 5, 2, 5, 8}),
       "[faster_rcnn] box 0 of image 0 has no area: (5, 2, 5, 8); expects x0 < x1 and y0 < y1"},
      {"images",
       [] {
         make_rcnn()->loss(Tensor::zeros({2, 1, 16, 16}), Tensor::zeros({1, 0, 5}));
       },
       "[faster_rcnn] 2 images, but boxes of 1"},
      {"anchors",
       [] {
         FasterRcnnConfig c;
         c.anchor_ratios.clear();
         c.validate();
       },
       "[faster_rcnn] expects at least one anchor"}};
  return sample;
});

const DetrConfig& tiny_detr() {
  static const DetrConfig config{.n_class = 3,
                                 .image_height = 16,
                                 .image_width = 16,
                                 .n_layer = 1,
                                 .n_head = 2,
                                 .n_embd = 8,
                                 .mlp_ratio = 2,
                                 .n_query = 4};
  return config;
}

std::shared_ptr<Detr> make_detr() {
  return std::make_shared<Detr>(
      tiny_detr(), std::make_unique<ConvBackbone>(ConvBackboneConfig{.features = 4, .stride = 8}));
}

const Register detr("Detr", Kind::model, [] {
  Sample sample{.name = "Detr", .kind = Kind::model};
  const Tensor boxes = Tensor::from<double>(
      {1, 2, 3, 9, 12, 0, 8, 4, 15, 9, 2, 1, 1, 16, 16, -1, -1, -1, -1, -1}, {2, 2, 5});
  sample.cases = {
      part_case<Detr>("loss", make_detr(), {values({2, 1, 16, 16}, 1)},
                      [=](Detr& m, const Tensors& in) { return m.loss(in[0], boxes); })};
  sample.cases[0].check.max_elements = 3;
  const auto with_box = [](std::vector<double> row) {
    return [=] { make_detr()->loss(Tensor::zeros({1, 1, 16, 16}), Tensor::from(row, {1, 1, 5})); };
  };
  sample.errors = {
      {"label", with_box({3, 0, 0, 4, 4}),
       "[detr] label 3 of box 0 of image 0 is not a class: there are 3, counted from 0"},
      {"no area", with_box({1, 5, 2, 5, 8}),
       "[detr] box 0 of image 0 has no area: (5, 2, 5, 8); expects x0 < x1 and y0 < y1"},
      {"outside", with_box({1, 5, 2, 17, 8}),
       "[detr] box 0 of image 0 lies outside the image of 16 x 16 pixels: (5, 2, 17, 8)"},
      {"queries",
       [] {
         make_detr()->loss(Tensor::zeros({1, 1, 16, 16}),
                           raw::contiguous(raw::expand(
                               Tensor::from<double>({1, 2, 3, 9, 12}, {1, 1, 5}), {1, 5, 5})));
       },
       "[detr] image 0 holds 5 objects, more than the 4 queries; raise n_query"},
      {"image",
       [] {
         make_detr()->forward(Tensor::zeros({1, 1, 16, 8}));
       },
       "[detr] expects images (B, 1, 16, 16), got (1, 1, 16, 8)"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_detector_samples
