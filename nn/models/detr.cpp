#include "nn/models/detr.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/binary.h"
#include "autograd/ops/indexing.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/unary.h"
#include "core/shape_only.h"
#include "nn/check.h"
#include "nn/positions.h"

namespace weft::nn {
namespace {

const DetrConfig& checked_detr(const DetrConfig& config) {
  config.validate();
  return config;
}

LinearOptions xavier() { return {.init = init::xavier_uniform()}; }

/// Half of the features say the row, half the column. Source: Parmar et al. 2018 (arXiv
/// 1802.05751), as Carion et al. use it.
Tensor plane_positions(std::int64_t rows, std::int64_t columns, std::int64_t n_embd) {
  const Tensor of_row = sinusoidal_positions(rows, n_embd / 2),
               of_column = sinusoidal_positions(columns, n_embd / 2);
  const Tensor table = Tensor::empty({rows, columns, n_embd});
  raw::slice(table, 2, 0, n_embd / 2).copy_from(raw::reshape(of_row, {rows, 1, n_embd / 2}));
  raw::slice(table, 2, n_embd / 2, n_embd)
      .copy_from(raw::reshape(of_column, {1, columns, n_embd / 2}));
  return raw::reshape(table, {rows * columns, n_embd});
}

}  // namespace

void DetrConfig::validate() const {
  const ConfigCheck check("detr");
  check.size("n_class", n_class, kMaxVocabulary);
  check.size("image_height", image_height, kMaxImage);
  check.size("image_width", image_width, kMaxImage);
  check.size("channels", channels, kMaxImage);
  check.size("n_layer", n_layer, kMaxLayers);
  check.size("n_embd", n_embd, kMaxWidth);
  check.heads(n_embd, n_head, 0, 0, Positions::none);
  check.feed_forward(n_embd, mlp_ratio);
  if (n_embd % 4 != 0)
    check.fail(fmt::format(
        "n_embd must be a multiple of 4, for sines and cosines of rows and columns, got {}",
        n_embd));
  check.probability("dropout", dropout);
  check.size("n_query", n_query, kMaxContext);
  check.above_zero("background_weight", background_weight);
}

DetrAttention::DetrAttention(std::int64_t n_embd, std::int64_t n_head)
    : Module("DetrAttention"),
      n_head_(n_head),
      q(*this, "q", n_embd, n_embd, xavier()),
      k(*this, "k", n_embd, n_embd, xavier()),
      v(*this, "v", n_embd, n_embd, xavier()),
      out_proj(*this, "out_proj", n_embd, n_embd, xavier()) {}

Tensor DetrAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value) const {
  const std::int64_t batch = query.size(0), width = query.size(2);
  const auto heads = [&](const Tensor& x) {
    return transpose(reshape(x, {batch, x.size(1), n_head_, width / n_head_}), 1, 2);
  };
  const Tensor qs = heads(q(query)), ks = heads(k(key)), vs = heads(v(value));
  const Tensor mixed = scaled_dot_product_attention(qs, ks, vs);
  return out_proj(reshape(transpose(mixed, 1, 2), {batch, query.size(1), width}));
}

DetrLayer::DetrLayer(const DetrConfig& c, bool decoder)
    : Module("DetrLayer"),
      self_attn(*this, "self_attn", c.n_embd, c.n_head),
      cross_attn(decoder, *this, "cross_attn", c.n_embd, c.n_head),
      linear1(*this, "linear1", c.n_embd,
              static_cast<std::int64_t>(std::llround(c.mlp_ratio * static_cast<double>(c.n_embd))),
              xavier()),
      linear2(*this, "linear2",
              static_cast<std::int64_t>(std::llround(c.mlp_ratio * static_cast<double>(c.n_embd))),
              c.n_embd, xavier()),
      norm1(*this, "norm1", c.n_embd),
      norm2(decoder, *this, "norm2", c.n_embd),
      norm3(*this, decoder ? "norm3" : "norm2", c.n_embd),
      drop(*this, "dropout", c.dropout) {}

Tensor DetrLayer::forward(const Tensor& x, const Tensor& places, const Tensor& memory,
                          const Tensor& memory_places) const {
  const Tensor placed = x + places;
  Tensor y = norm1(x + drop(self_attn(placed, placed, x)));
  if (cross_attn) y = norm2(y + drop(cross_attn(y + places, memory + memory_places, memory)));
  return norm3(y + drop(linear2(relu(linear1(y)))));
}

Detr::Detr(const DetrConfig& config, std::unique_ptr<Backbone> map)
    : Detector("Detr"),
      config_(checked_detr(config)),
      backbone(*this, "backbone", std::move(map)),
      input_proj(*this, "input_proj", backbone->features(), config_.n_embd, xavier()),
      norm(*this, "norm", config_.n_embd),
      query_embed(*this, "query_embed", {config_.n_query, config_.n_embd}, init::normal(1)),
      class_embed(*this, "class_embed", config_.n_embd, config_.n_class + 1, xavier()),
      bbox_embed1(*this, "bbox_embed1", config_.n_embd, config_.n_embd, xavier()),
      bbox_embed2(*this, "bbox_embed2", config_.n_embd, config_.n_embd, xavier()),
      bbox_embed3(*this, "bbox_embed3", config_.n_embd, std::int64_t{4}, xavier()),
      places(*this, "places",
             plane_positions(config_.image_height / backbone->stride(),
                             config_.image_width / backbone->stride(), config_.n_embd)) {
  for (std::int64_t i = 0; i < config_.n_layer; ++i) {
    encoder.emplace(config_, false);
    decoder.emplace(config_, true);
  }
}

std::vector<Detr::Output> Detr::forward(const Tensor& images) const {
  const DetrConfig& c = config_;
  if (images.rank() != 4 || images.size(1) != c.channels || images.size(2) != c.image_height ||
      images.size(3) != c.image_width)
    fail<ShapeError>("detr", "expects images (B, {}, {}, {}), got {}", c.channels, c.image_height,
                     c.image_width, images.shape().str());
  const std::int64_t batch = images.size(0), tokens = places.get().size(0);
  const Tensor map = backbone(images), at = raw::cast(places.get(), images.dtype());
  Tensor memory = input_proj(transpose(reshape(map, {batch, backbone->features(), tokens}), 1, 2));
  for (std::size_t i = 0; i < encoder.size(); ++i) memory = encoder.call(i, memory, at);
  Tensor x = Tensor::zeros({batch, c.n_query, c.n_embd}, images.dtype());
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < decoder.size(); ++i) {
    x = decoder.call(i, x, query_embed, memory, at);
    const Tensor y = norm(x);
    outputs.push_back(
        {class_embed(y), sigmoid(bbox_embed3(relu(bbox_embed2(relu(bbox_embed1(y))))))});
  }
  return outputs;
}

Box Detr::pixels(const double* b) const {
  const double width = static_cast<double>(config_.image_width),
               height = static_cast<double>(config_.image_height);
  return {(b[0] - b[2] / 2) * width, (b[1] - b[3] / 2) * height, (b[0] + b[2] / 2) * width,
          (b[1] + b[3] / 2) * height};
}

Tensor giou_loss(const Tensor& boxes, const Tensor& wanted) {
  if (boxes.rank() != 2 || boxes.size(1) != 4 || boxes.shape() != wanted.shape())
    fail<ShapeError>("giou_loss", "expects two (N, 4), got {} and {}", boxes.shape().str(),
                     wanted.shape().str());
  // Corners (N, 2), then products of the two sides.
  const auto low = [](const Tensor& b) {
    const Tensor center = slice(b, 1, 0, 2), half = slice(b, 1, 2, 4) * 0.5;
    return center - half;
  };
  const auto high = [](const Tensor& b) {
    const Tensor center = slice(b, 1, 0, 2), half = slice(b, 1, 2, 4) * 0.5;
    return center + half;
  };
  const auto area = [](const Tensor& sides) {
    const Tensor width = select(sides, 1, 0), height = select(sides, 1, 1);
    return width * height;
  };
  const Tensor a0 = low(boxes), a1 = high(boxes), b0 = low(wanted), b1 = high(wanted);
  const Tensor inner0 = maximum(a0, b0), inner1 = minimum(a1, b1), outer0 = minimum(a0, b0),
               outer1 = maximum(a1, b1);
  const Tensor common = area(clamp(inner1 - inner0, 0.0)), hull = area(outer1 - outer0);
  const Tensor area_a = area(slice(boxes, 1, 2, 4)), area_b = area(slice(wanted, 1, 2, 4));
  const Tensor all = area_a + area_b - common;
  // 1 - (common / all - (hull - all) / hull)
  const Tensor shared = div(common, all), filled = div(all, hull);
  return sum(2.0 - shared - filled);
}

Tensor Detr::set_loss(const Output& out, const std::vector<std::vector<BoxTarget>>& targets) const {
  const DetrConfig& c = config_;
  const std::int64_t queries = c.n_query, classes = c.n_class + 1;
  // Without elements any matching has the shapes of the best.
  const auto read = [](const Tensor& t) {
    return shape_only() ? std::vector<double>(static_cast<std::size_t>(t.numel()), 0.0)
                        : t.to_vector<double>();
  };
  const std::vector<double> scores = read(softmax(out.logits.detach())),
                            guesses = read(out.boxes.detach());
  const double width = static_cast<double>(c.image_width),
               height = static_cast<double>(c.image_height);
  std::vector<std::int64_t> labels(targets.size() * static_cast<std::size_t>(queries), c.n_class),
      rows;
  std::vector<double> wanted;
  for (std::size_t b = 0; b < targets.size(); ++b) {
    const auto& objects = targets[b];
    std::vector<double> costs;
    std::vector<std::array<double, 4>> codes;
    for (const BoxTarget& object : objects) {
      const Box& box = object.box;
      codes.push_back({(box.x0 + box.x1) / 2 / width, (box.y0 + box.y1) / 2 / height,
                       box.width() / width, box.height() / height});
      const Box share{box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height};
      for (std::int64_t q = 0; q < queries; ++q) {
        const auto row = static_cast<std::size_t>(static_cast<std::int64_t>(b) * queries + q);
        const double* const guess = guesses.data() + 4 * row;
        double l1 = 0;
        for (std::size_t k = 0; k < 4; ++k) l1 += std::abs(guess[k] - codes.back()[k]);
        const Box seen{guess[0] - guess[2] / 2, guess[1] - guess[3] / 2, guess[0] + guess[2] / 2,
                       guess[1] + guess[3] / 2};
        costs.push_back(-c.class_cost * scores[row * static_cast<std::size_t>(classes) +
                                               static_cast<std::size_t>(object.label)] +
                        c.l1_cost * l1 - c.giou_cost * box_giou(seen, share));
      }
    }
    const auto chosen =
        assign_least_cost(costs, static_cast<std::int64_t>(objects.size()), queries);
    for (std::size_t i = 0; i < objects.size(); ++i) {
      const std::int64_t row = static_cast<std::int64_t>(b) * queries + chosen[i];
      labels[static_cast<std::size_t>(row)] = objects[i].label;
      rows.push_back(row);
      wanted.insert(wanted.end(), codes[i].begin(), codes[i].end());
    }
  }
  const DType dtype = out.logits.dtype();
  const Tensor weights = Tensor::ones({classes}, dtype);
  raw::slice(weights, 0, c.n_class, classes).fill(c.background_weight);
  const auto count = static_cast<std::int64_t>(rows.size()),
             all = static_cast<std::int64_t>(labels.size());
  const Tensor classification = cross_entropy(
      reshape(out.logits, {all, classes}), Tensor::from(labels, {all}), {.class_weights = weights});
  if (count == 0) return classification;
  const Tensor matched = index_select(reshape(out.boxes, {all, 4}), 0, Tensor::from(rows, {count})),
               truth = raw::cast(Tensor::from(wanted, {count, 4}), dtype);
  const Tensor distance = l1_loss(matched, truth, Reduction::sum) * c.l1_cost,
               overlap = giou_loss(matched, truth) * c.giou_cost;
  const Tensor placement = distance + overlap;
  return classification + placement * (1.0 / static_cast<double>(count));
}

Tensor Detr::loss(const Tensor& images, const Tensor& boxes) const {
  const auto targets =
      box_targets(boxes, config_.image_height, config_.image_width, config_.n_class, "detr");
  if (static_cast<std::int64_t>(targets.size()) != images.size(0))
    fail<ShapeError>("detr", "{} images, but boxes of {}", images.size(0), targets.size());
  for (std::size_t b = 0; b < targets.size(); ++b)
    if (static_cast<std::int64_t>(targets[b].size()) > config_.n_query)
      fail<ShapeError>("detr", "image {} holds {} objects, more than the {} queries; raise n_query",
                       b, targets[b].size(), config_.n_query);
  Tensor total;
  for (const Output& out : forward(images)) {
    const auto is_finite = [](const Tensor& t) {
      return shape_only() || std::isfinite(sum(t.detach()).item());
    };
    if (!is_finite(out.boxes) || !is_finite(out.logits)) {
      const Tensor logits = sum(out.logits), boxes_sum = sum(out.boxes);
      return logits + boxes_sum;
    }
    const Tensor loss = set_loss(out, targets);
    total = total.defined() ? total + loss : loss;
  }
  return total;
}

std::vector<std::vector<Detection>> Detr::detect(const Tensor& images) const {
  const NoGrad no_grad;
  const Output out = forward(images).back();
  if (shape_only()) return {};
  const std::vector<double> scores = softmax(out.logits).to_vector<double>(),
                            boxes = out.boxes.to_vector<double>();
  const auto classes = static_cast<std::size_t>(config_.n_class),
             queries = static_cast<std::size_t>(config_.n_query);
  std::vector<std::vector<Detection>> found(static_cast<std::size_t>(images.size(0)));
  for (std::size_t b = 0; b < found.size(); ++b) {
    for (std::size_t q = 0; q < queries; ++q) {
      const double* const own = scores.data() + (b * queries + q) * (classes + 1);
      const auto label = std::max_element(own, own + classes) - own;
      if (!(own[label] >= config_.score_threshold)) continue;
      const Box box = clip_box(pixels(boxes.data() + (b * queries + q) * 4),
                               static_cast<double>(config_.image_height),
                               static_cast<double>(config_.image_width));
      if (box.area() > 0) found[b].push_back({box, label, own[label]});
    }
    std::stable_sort(found[b].begin(), found[b].end(),
                     [](const Detection& a, const Detection& z) { return a.score > z.score; });
  }
  return found;
}

Tensor Detr::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.channels, config_.image_height, config_.image_width},
                       dtype());
}

std::string Detr::details() const {
  return fmt::format("{} layers each way, {} heads, width {}, {} queries, {} classes",
                     config_.n_layer, config_.n_head, config_.n_embd, config_.n_query,
                     config_.n_class);
}

}  // namespace weft::nn
