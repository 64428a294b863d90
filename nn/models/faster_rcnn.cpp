#include "nn/models/faster_rcnn.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "autograd/autograd.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/indexing.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/roi_align.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/unary.h"
#include "core/shape_only.h"
#include "nn/check.h"
#include "nn/trace.h"

namespace weft::nn {
namespace {

constexpr std::array<double, 4> kRegionWeights{
    10, 10, 5,
    5};  // of the head's codes, so that their spread is about 1 (as in Fast R-CNN's code)
constexpr double kProposalBend = 1.0 / 9;
constexpr double kSmallestProposal = 2;  // pixels

const FasterRcnnConfig& checked_rcnn(const FasterRcnnConfig& config) {
  config.validate();
  return config;
}

std::vector<Box> make_anchors(const FasterRcnnConfig& c, std::int64_t stride) {
  std::vector<Box> anchors;
  for (std::int64_t row = 0; row < c.image_height / stride; ++row)
    for (std::int64_t column = 0; column < c.image_width / stride; ++column)
      for (const double height : c.anchor_heights)
        for (const double ratio : c.anchor_ratios) {
          const double x = (static_cast<double>(column) + 0.5) * static_cast<double>(stride),
                       y = (static_cast<double>(row) + 0.5) * static_cast<double>(stride);
          anchors.push_back(
              {x - height / ratio / 2, y - height / 2, x + height / ratio / 2, y + height / 2});
        }
  return anchors;
}

/// `count` of the given indices at random, in their order; all of them where there are no more.
std::vector<std::int64_t> sample_without_replacement(std::vector<std::int64_t> from,
                                                     std::int64_t count, Generator& random) {
  const auto size = static_cast<std::int64_t>(from.size());
  if (size <= count) return from;
  for (std::int64_t i = 0; i < count; ++i)
    std::swap(from[static_cast<std::size_t>(i)],
              from[static_cast<std::size_t>(i) + static_cast<std::size_t>(random.next_below(
                                                     static_cast<std::uint64_t>(size - i)))]);
  from.resize(static_cast<std::size_t>(count));
  std::sort(from.begin(), from.end());
  return from;
}

/// The best target of a box, and how much they overlap; -1 and 0 without targets.
std::pair<std::int64_t, double> best_target(const Box& box, const std::vector<BoxTarget>& targets) {
  std::pair<std::int64_t, double> best{-1, 0};
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const double iou = box_iou(box, targets[t].box);
    if (iou > best.second) best = {static_cast<std::int64_t>(t), iou};
  }
  return best;
}

Tensor index_tensor(const std::vector<std::int64_t>& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

Tensor value_tensor(const std::vector<double>& values, const Shape& shape, DType dtype) {
  return raw::cast(Tensor::from(values, shape), dtype);
}

/// What is trained of a first or second stage: rows of the outputs, whether or what they are, and
/// the boxes of those that are objects.
struct SampledAnchors {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> labels;  ///< 0: background
  std::vector<std::int64_t> box_rows;
  std::vector<double> codes;  ///< four for each of box_rows

  void add_box(std::int64_t row, const std::array<double, 4>& code) {
    box_rows.push_back(row);
    codes.insert(codes.end(), code.begin(), code.end());
  }
};

/// `each` of every picture, half of them with a box: as many as can be.
SampledAnchors most_sampled(std::int64_t pictures, std::int64_t each) {
  SampledAnchors all;
  all.rows.resize(static_cast<std::size_t>(pictures * each));
  all.labels.resize(all.rows.size());
  for (std::int64_t i = 0; i < pictures * (each / 2); ++i) all.add_box(0, {});
  return all;
}

/// The smooth L1 distances of the chosen rows of `codes` (N, 4), summed, over the number of
/// everything that was drawn.
Tensor box_loss(const Tensor& codes, const SampledAnchors& drawn, double bend) {
  if (drawn.box_rows.empty()) return Tensor::scalar(0, codes.dtype());
  const auto count = static_cast<std::int64_t>(drawn.box_rows.size());
  const Tensor chosen = index_select(codes, 0, index_tensor(drawn.box_rows)),
               wanted = value_tensor(drawn.codes, {count, 4}, codes.dtype());
  return mul(smooth_l1_loss(chosen, wanted, bend, Reduction::sum),
             1.0 / static_cast<double>(drawn.rows.size()));
}

}  // namespace

void FasterRcnnConfig::validate() const {
  const ConfigCheck check("faster_rcnn");
  check.size("n_class", n_class, kMaxVocabulary);
  check.size("image_height", image_height, kMaxImage);
  check.size("image_width", image_width, kMaxImage);
  check.size("channels", channels, kMaxImage);
  check.size("hidden", hidden, kMaxWidth);
  check.size("grid", grid, 256);
  if (anchor_heights.empty() || anchor_ratios.empty()) check.fail("expects at least one anchor");
  for (const double height : anchor_heights)
    check.above_zero("every entry of anchor_heights", height);
  for (const double ratio : anchor_ratios) check.above_zero("every entry of anchor_ratios", ratio);
  check.size("anchors_per_image", anchors_per_image, kMaxWidth);
  check.size("regions_per_image", regions_per_image, kMaxWidth);
  check.size("proposals_before_nms", proposals_before_nms, kMaxWidth);
  check.size("proposals_training", proposals_training, kMaxWidth);
  check.size("proposals_testing", proposals_testing, kMaxWidth);
  check.size("detections_per_image", detections_per_image, kMaxWidth);
  if (!(negative_iou <= positive_iou))
    check.fail(fmt::format("negative_iou {} must not be above positive_iou {}", negative_iou,
                           positive_iou));
}

RpnHead::RpnHead(std::int64_t features, std::int64_t anchors)
    : Module("RpnHead"),
      anchors_(anchors),
      conv(*this, "conv", features, features, std::int64_t{3},
           Conv2dLayerOptions{.padding = {1, 1}, .init = init::kaiming_normal()}),
      cls_logits(*this, "cls_logits", features, anchors, std::int64_t{1},
                 Conv2dLayerOptions{.init = init::normal(0.01)}),
      bbox_pred(*this, "bbox_pred", features, 4 * anchors, std::int64_t{1},
                Conv2dLayerOptions{.init = init::normal(0.01)}) {}

RpnHead::Output RpnHead::forward(const Tensor& map) const {
  const Tensor x = relu(conv(map));
  const std::int64_t rows = map.size(0) * map.size(2) * map.size(3) * anchors_;
  return {reshape(permute(cls_logits(x), {0, 2, 3, 1}), {rows}),
          reshape(permute(bbox_pred(x), {0, 2, 3, 1}), {rows, 4})};
}

BoxHead::BoxHead(std::int64_t inputs, std::int64_t hidden, std::int64_t n_class)
    : Module("BoxHead"),
      n_class_(n_class),
      fc6(*this, "fc6", inputs, hidden, LinearOptions{.init = init::kaiming_normal()}),
      fc7(*this, "fc7", hidden, hidden, LinearOptions{.init = init::kaiming_normal()}),
      cls_score(*this, "cls_score", hidden, n_class + 1, LinearOptions{.init = init::normal(0.01)}),
      bbox_pred(*this, "bbox_pred", hidden, 4 * n_class,
                LinearOptions{.init = init::normal(0.001)}) {}

BoxHead::Output BoxHead::forward(const Tensor& regions) const {
  const std::int64_t count = regions.size(0), inputs = fc6->weight->size(1);
  if (count * inputs != regions.numel())
    fail<ShapeError>("BoxHead", "expects regions of {} elements, got {}", inputs,
                     regions.shape().str());
  const Tensor x = relu(fc7(relu(fc6(reshape(regions, {count, inputs})))));
  return {cls_score(x), reshape(bbox_pred(x), {count, n_class_, 4})};
}

FasterRcnn::FasterRcnn(const FasterRcnnConfig& config, std::unique_ptr<Backbone> map)
    : Detector("FasterRcnn"),
      config_(checked_rcnn(config)),
      backbone(*this, "backbone", std::move(map)),
      rpn(*this, "rpn", backbone->features(), config_.n_anchor()),
      roi_heads(*this, "roi_heads", backbone->features() * config_.grid * config_.grid,
                config_.hidden, config_.n_class),
      anchors_(make_anchors(config_, backbone->stride())) {}

Tensor FasterRcnn::loss(const Tensor& images, const Tensor& boxes) const {
  const FasterRcnnLosses all = losses(images, boxes);
  return all.objectness + all.proposal_boxes + all.classes + all.boxes;
}

FasterRcnnLosses FasterRcnn::losses(const Tensor& images, const Tensor& boxes) const {
  const auto targets =
      box_targets(boxes, config_.image_height, config_.image_width, config_.n_class, "faster_rcnn");
  const std::int64_t batch = images.size(0), places = static_cast<std::int64_t>(anchors_.size());
  if (static_cast<std::int64_t>(targets.size()) != batch)
    fail<ShapeError>("faster_rcnn", "{} images, but boxes of {}", batch, targets.size());
  const Tensor map = backbone(images);
  const RpnHead::Output out = rpn(map);
  std::optional<Generator> alike;
  if (!is_training()) alike.emplace(0, "regions");
  Generator& random = alike ? *alike : random::stream("regions");

  SampledAnchors first =
      shape_only() ? most_sampled(batch, config_.anchors_per_image) : SampledAnchors{};
  for (std::int64_t b = 0; b < batch && !shape_only(); ++b) {
    const auto& objects = targets[static_cast<std::size_t>(b)];
    std::vector<std::int64_t> target_of(anchors_.size(), -1), positive, negative;
    std::vector<double> best_iou(objects.size(), 0);
    std::vector<std::pair<std::int64_t, double>> best(anchors_.size());
    for (std::size_t a = 0; a < anchors_.size(); ++a) {
      best[a] = best_target(anchors_[a], objects);
      if (best[a].second >= config_.positive_iou) target_of[a] = best[a].first;
      for (std::size_t t = 0; t < objects.size(); ++t)
        best_iou[t] = std::max(best_iou[t], box_iou(anchors_[a], objects[t].box));
    }
    for (std::size_t a = 0; a < anchors_.size(); ++a) {
      for (std::size_t t = 0; t < objects.size() && target_of[a] < 0; ++t)
        if (best_iou[t] > 0 && box_iou(anchors_[a], objects[t].box) == best_iou[t])
          target_of[a] = static_cast<std::int64_t>(t);
      if (target_of[a] >= 0)
        positive.push_back(static_cast<std::int64_t>(a));
      else if (best[a].second < config_.negative_iou)
        negative.push_back(static_cast<std::int64_t>(a));
    }
    positive =
        sample_without_replacement(std::move(positive), config_.anchors_per_image / 2, random);
    negative = sample_without_replacement(
        std::move(negative), config_.anchors_per_image - static_cast<std::int64_t>(positive.size()),
        random);
    for (const std::int64_t a : positive) {
      const std::int64_t row = b * places + a;
      first.rows.push_back(row);
      first.labels.push_back(1);
      first.add_box(
          row, encode_box(
                   anchors_[static_cast<std::size_t>(a)],
                   objects[static_cast<std::size_t>(target_of[static_cast<std::size_t>(a)])].box));
    }
    for (const std::int64_t a : negative) {
      first.rows.push_back(b * places + a);
      first.labels.push_back(0);
    }
  }

  // The second stage: proposals and, so that there is something to learn from the first step on,
  // the objects themselves.
  std::vector<std::vector<Box>> proposals(targets.size()), regions(targets.size());
  SampledAnchors second;
  if (shape_only()) {
    take_bound(
        fmt::format("Faster R-CNN: {} anchors and {} regions of every picture, half of them "
                    "objects, whatever suppression leaves",
                    config_.anchors_per_image, config_.regions_per_image));
    second = most_sampled(batch, config_.regions_per_image);
    for (auto& some : regions) some.resize(static_cast<std::size_t>(config_.regions_per_image));
  } else {
    proposals = propose(out, batch, config_.proposals_training);
  }
  for (std::size_t b = 0; b < targets.size() && !shape_only(); ++b) {
    for (const BoxTarget& object : targets[b]) proposals[b].push_back(object.box);
    std::vector<std::int64_t> positive, negative, target_of;
    for (std::size_t i = 0; i < proposals[b].size(); ++i) {
      const auto [target, iou] = best_target(proposals[b][i], targets[b]);
      target_of.push_back(target);
      (iou >= config_.object_iou ? positive : negative).push_back(static_cast<std::int64_t>(i));
    }
    positive =
        sample_without_replacement(std::move(positive), config_.regions_per_image / 2, random);
    negative = sample_without_replacement(
        std::move(negative), config_.regions_per_image - static_cast<std::int64_t>(positive.size()),
        random);
    for (const auto* some : {&positive, &negative})
      for (const std::int64_t i : *some) {
        const Box& region = proposals[b][static_cast<std::size_t>(i)];
        const auto row = static_cast<std::int64_t>(second.rows.size());
        regions[b].push_back(region);
        second.rows.push_back(row);
        if (some == &negative) {
          second.labels.push_back(0);
          continue;
        }
        const BoxTarget& object =
            targets[b][static_cast<std::size_t>(target_of[static_cast<std::size_t>(i)])];
        second.labels.push_back(object.label + 1);
        second.add_box(row * config_.n_class + object.label,
                       encode_box(region, object.box, kRegionWeights));
      }
  }

  const DType dtype = out.logits.dtype();
  const std::vector<double> is_object(first.labels.begin(), first.labels.end());
  FasterRcnnLosses all;
  all.objectness = bce_with_logits(
      index_select(out.logits, 0, index_tensor(first.rows)),
      value_tensor(is_object, {static_cast<std::int64_t>(is_object.size())}, dtype));
  all.proposal_boxes = box_loss(out.codes, first, kProposalBend);
  if (second.rows.empty()) {
    all.classes = all.boxes = Tensor::scalar(0, dtype);
    return all;
  }
  const BoxHead::Output head = read(map, regions);
  all.classes = cross_entropy(head.logits, index_tensor(second.labels));
  all.boxes = box_loss(reshape(head.codes, {-1, 4}), second, 1.0);
  return all;
}

std::vector<std::vector<Box>> FasterRcnn::propose(const RpnHead::Output& out, std::int64_t batch,
                                                  std::int64_t most) const {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  std::vector<double> logits = out.logits.detach().to_vector<double>();
  const std::vector<double> codes = out.codes.detach().to_vector<double>();
  for (double& logit : logits)
    if (std::isnan(logit)) logit = kNever;  // sorting wants an order
  const std::size_t places = anchors_.size();
  const double height = static_cast<double>(config_.image_height),
               width = static_cast<double>(config_.image_width);
  std::vector<std::vector<Box>> all;
  for (std::size_t b = 0; b < static_cast<std::size_t>(batch); ++b) {
    std::vector<std::size_t> order(places);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const std::size_t count =
        std::min(places, static_cast<std::size_t>(config_.proposals_before_nms));
    const auto better = [&](std::size_t i, std::size_t j) {
      const double a = logits[b * places + i], c = logits[b * places + j];
      return a != c ? a > c : i < j;
    };
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
                      order.end(), better);
    std::vector<Box> boxes;
    std::vector<double> scores;
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t row = b * places + order[k];
      if (logits[row] == kNever) break;
      const Box box = clip_box(
          decode_box(anchors_[order[k]],
                     {codes[4 * row], codes[4 * row + 1], codes[4 * row + 2], codes[4 * row + 3]}),
          height, width);
      if (!(box.width() >= kSmallestProposal && box.height() >= kSmallestProposal))
        continue;  // nor what is no number
      boxes.push_back(box);
      scores.push_back(logits[row]);
    }
    all.emplace_back();
    for (const std::int64_t i : non_maximum_suppression(boxes, scores, config_.proposal_nms, most))
      all.back().push_back(boxes[static_cast<std::size_t>(i)]);
  }
  return all;
}

BoxHead::Output FasterRcnn::read(const Tensor& map,
                                 const std::vector<std::vector<Box>>& regions) const {
  std::vector<double> rows;
  for (std::size_t b = 0; b < regions.size(); ++b)
    for (const Box& box : regions[b])
      rows.insert(rows.end(), {static_cast<double>(b), box.x0, box.y0, box.x1, box.y1});
  const Tensor places =
      value_tensor(rows, {static_cast<std::int64_t>(rows.size() / 5), 5}, map.dtype());
  return roi_heads(roi_align(map, places,
                             {.grid = {config_.grid, config_.grid},
                              .scale = 1.0 / static_cast<double>(backbone->stride())}));
}

std::vector<std::vector<Detection>> FasterRcnn::detect(const Tensor& images) const {
  const NoGrad no_grad;
  const Tensor map = backbone(images);
  if (shape_only()) {
    take_bound(fmt::format("Faster R-CNN: {} regions of every picture, whatever suppression leaves",
                           config_.proposals_testing));
    rpn(map);
    read(map, std::vector(static_cast<std::size_t>(images.size(0)),
                          std::vector<Box>(static_cast<std::size_t>(config_.proposals_testing))));
    return {};
  }
  const auto regions = propose(rpn(map), images.size(0), config_.proposals_testing);
  std::vector<std::vector<Detection>> found(regions.size());
  std::size_t total = 0;
  for (const auto& of_image : regions) total += of_image.size();
  if (total == 0) return found;
  const BoxHead::Output head = read(map, regions);
  const std::vector<double> scores = softmax(head.logits).to_vector<double>(),
                            codes = head.codes.to_vector<double>();
  const auto classes = static_cast<std::size_t>(config_.n_class);
  const double height = static_cast<double>(config_.image_height),
               width = static_cast<double>(config_.image_width);
  std::size_t begin = 0;
  for (std::size_t b = 0; b < regions.size(); ++b) {
    for (std::size_t c = 0; c < classes; ++c) {
      std::vector<Box> boxes;
      std::vector<double> own;
      for (std::size_t i = 0; i < regions[b].size(); ++i) {
        const double score = scores[(begin + i) * (classes + 1) + c + 1];
        if (!(score >= config_.score_threshold)) continue;
        const double* const code = codes.data() + ((begin + i) * classes + c) * 4;
        const Box box = clip_box(
            decode_box(regions[b][i], {code[0], code[1], code[2], code[3]}, kRegionWeights), height,
            width);
        if (!(box.area() > 0)) continue;
        boxes.push_back(box);
        own.push_back(score);
      }
      for (const std::int64_t i :
           non_maximum_suppression(boxes, own, config_.detection_nms, config_.detections_per_image))
        found[b].push_back({boxes[static_cast<std::size_t>(i)], static_cast<std::int64_t>(c),
                            own[static_cast<std::size_t>(i)]});
    }
    std::stable_sort(found[b].begin(), found[b].end(),
                     [](const Detection& a, const Detection& z) { return a.score > z.score; });
    if (static_cast<std::int64_t>(found[b].size()) > config_.detections_per_image)
      found[b].resize(static_cast<std::size_t>(config_.detections_per_image));
    begin += regions[b].size();
  }
  return found;
}

Tensor FasterRcnn::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.channels, config_.image_height, config_.image_width},
                       dtype());
}

std::string FasterRcnn::details() const {
  return fmt::format("{} anchors per location, {} classes", config_.n_anchor(), config_.n_class);
}

}  // namespace weft::nn
