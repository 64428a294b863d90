// Faster R-CNN and DETR against PyTorch: every loss, what they say, and every gradient
// (golden_detectors.py).
#include <memory>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "nn/backbone.h"
#include "nn/models/detr.h"
#include "nn/models/faster_rcnn.h"
#include "tests/golden/golden.h"

namespace weft {
namespace {

constexpr std::int64_t kSide = 32, kClasses = 3;

std::unique_ptr<nn::Backbone> small_map(std::int64_t stride) {
  return std::make_unique<nn::ConvBackbone>(
      nn::ConvBackboneConfig{.channels = 1, .features = 8, .stride = stride});
}

nn::FasterRcnn small_faster_rcnn() {
  nn::FasterRcnnConfig c;
  c.n_class = kClasses;
  c.image_height = c.image_width = kSide;
  c.hidden = 12;
  c.grid = 3;
  c.anchor_heights = {10, 18};
  c.anchor_ratios = {1, 2};
  c.anchors_per_image = c.regions_per_image = 4096;  // more than there are: nothing is drawn
  c.proposals_before_nms = 100;
  c.proposals_training = 20;
  return {c, small_map(4)};
}

nn::Detr small_detr() {
  nn::DetrConfig c;
  c.n_class = kClasses;
  c.image_height = c.image_width = kSide;
  c.n_layer = 2;
  c.n_head = 2;
  c.n_embd = 8;
  c.mlp_ratio = 2;
  c.n_query = 5;
  return {c, small_map(8)};
}

void load_parameters(nn::Detector& model, const golden::Arrays& arrays, DType dtype) {
  model.to(dtype);
  const golden::Arrays values = golden::below(arrays, "param/");
  const nn::LoadReport report =
      model.load_state_dict(nn::NamedTensors(values.begin(), values.end()), false);
  CHECK(report.unexpected.empty());
  for (const std::string& missing : report.missing)
    CHECK_MESSAGE((missing.find("running_") != std::string::npos || missing == "places"),
                  missing);  // buffers
}

void compare_detector_gradients(const std::string& what, const nn::Detector& model,
                                const golden::Arrays& arrays, double tolerance) {
  const golden::Arrays gradients = golden::below(arrays, "grad/");
  CHECK(model.named_parameters().size() == gradients.size());
  for (const auto& [name, parameter] : model.named_parameters()) {
    REQUIRE_MESSAGE(gradients.contains(name),
                    what << " has a parameter that PyTorch's has not: " << name);
    golden::check_close(what + ", gradient of " + name, parameter.grad(), gradients.at(name),
                        tolerance);
  }
}

}  // namespace

TEST_CASE("Faster R-CNN's four losses and their gradients are PyTorch's") {
  const golden::Arrays arrays = golden::load("faster_rcnn");
  for (const DType dtype : {DType::f64, DType::f32}) {
    const std::string what = fmt::format("Faster R-CNN in {}", name(dtype));
    nn::FasterRcnn model = small_faster_rcnn();
    load_parameters(model, arrays, dtype);
    const nn::FasterRcnnLosses losses =
        model.losses(raw::cast(arrays.at("images"), dtype), raw::cast(arrays.at("boxes"), dtype));
    golden::check_close(what + ", objectness", losses.objectness, arrays.at("loss/objectness"),
                        golden::tolerance(dtype));
    golden::check_close(what + ", proposal boxes", losses.proposal_boxes,
                        arrays.at("loss/proposal_boxes"), golden::tolerance(dtype));
    golden::check_close(what + ", classes", losses.classes, arrays.at("loss/classes"),
                        golden::tolerance(dtype));
    golden::check_close(what + ", boxes", losses.boxes, arrays.at("loss/boxes"),
                        golden::tolerance(dtype));
    (losses.objectness + losses.proposal_boxes + losses.classes + losses.boxes).backward();
    compare_detector_gradients(what, model, arrays, golden::tolerance(dtype));
  }
}

TEST_CASE("DETR's queries, losses and gradients are PyTorch's") {
  const golden::Arrays arrays = golden::load("detr");
  for (const DType dtype : {DType::f64, DType::f32}) {
    const std::string what = fmt::format("DETR in {}", name(dtype));
    nn::Detr model = small_detr();
    load_parameters(model, arrays, dtype);
    const Tensor images = raw::cast(arrays.at("images"), dtype);
    {
      const NoGrad no_grad;
      const nn::Detr::Output last = model.forward(images).back();
      golden::check_close(what + ", logits", last.logits, arrays.at("logits"),
                          golden::tolerance(dtype));
      golden::check_close(what + ", boxes", last.boxes, arrays.at("out"), golden::tolerance(dtype));
    }
    const Tensor loss = model.loss(images, raw::cast(arrays.at("boxes"), dtype));
    golden::check_close(what + ", loss", loss, arrays.at("loss/layer0") + arrays.at("loss/layer1"),
                        golden::tolerance(dtype));
    loss.backward();
    compare_detector_gradients(what, model, arrays, golden::tolerance(dtype));
  }
}

}  // namespace weft
