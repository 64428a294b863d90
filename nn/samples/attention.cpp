// Samples of MultiHeadAttention and Block.
#include "nn/attention.h"

#include "nn/block.h"
#include "nn/samples/module_case.h"
#include "nn/samples/naive.h"

namespace weft::samples::nn_attention_samples {
namespace {

using namespace nn;

constexpr std::int64_t kBatch = 2, kQueries = 5, kWidth = 8;

struct Setting {
  std::string label;
  MultiHeadAttentionOptions options;
  std::int64_t keys = kQueries;
  bool mask = false, padding = false, weights = false;
};

std::size_t to_size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// q, k and v one after another in each row -> three arrays.
std::vector<naive::Values> columns(const naive::Values& x, const std::vector<std::size_t>& widths) {
  std::size_t total = 0, begin = 0;
  for (const std::size_t width : widths) total += width;
  std::vector<naive::Values> parts;
  for (const std::size_t width : widths) {
    naive::Values part;
    for (std::size_t row = 0; row < x.size() / total; ++row)
      part.insert(part.end(), x.begin() + static_cast<std::ptrdiff_t>(row * total + begin),
                  x.begin() + static_cast<std::ptrdiff_t>(row * total + begin + width));
    parts.push_back(part);
    begin += width;
  }
  return parts;
}

/// Inputs of a case: x, then context, mask and padding where asked for, then the parameters.
Reference reference(const Setting& s) {
  return [s](const std::vector<Tensor>& t) {
    const MultiHeadAttentionOptions& o = s.options;
    const std::size_t heads = to_size(o.n_head),
                      kv_heads = to_size(o.n_kv_head ? o.n_kv_head : o.n_head);
    const std::size_t size = to_size(o.head_size ? o.head_size : o.n_embd / o.n_head),
                      width = to_size(o.n_embd);
    std::size_t next = 1;
    naive::Attention how{.batch = kBatch,
                         .queries = kQueries,
                         .keys = to_size(s.keys),
                         .heads = heads,
                         .kv_heads = kv_heads,
                         .size = size,
                         .causal = o.causal,
                         .qk_norm = o.qk_norm,
                         .rope = o.positions == Positions::rope,
                         .alibi = o.positions == Positions::alibi,
                         .kind = o.kind,
                         .decay = o.decay};
    const naive::Values context = o.context_embd ? flat(t[next++]) : naive::Values();
    if (s.mask) how.mask = flat(t[next++]);
    if (s.padding) how.padding = flat(t[next++]);
    const auto apply = [&](const naive::Values& x, std::size_t in, std::size_t out) {
      const auto weight = flat(t[next++]);
      return naive::linear(x, weight, o.bias ? flat(t[next++]) : naive::Values(), in, out);
    };
    std::vector<naive::Values> parts;
    if (o.context_embd) {
      parts = {apply(flat(t[0]), width, heads * size)};
      const auto kv = columns(apply(context, to_size(o.context_embd), 2 * kv_heads * size),
                              {kv_heads * size, kv_heads * size});
      parts.insert(parts.end(), kv.begin(), kv.end());
    } else {
      parts = columns(apply(flat(t[0]), width, (heads + 2 * kv_heads) * size),
                      {heads * size, kv_heads * size, kv_heads * size});
    }
    if (o.kind == AttentionKind::channels) how.temperature = flat(t.back());
    naive::Values weights;
    const auto out = naive::attention(how, parts[0], parts[1], parts[2], &weights);
    return s.weights ? weights : apply(out, heads * size, width);
  };
}

Case attention_case(const Setting& s) {
  std::vector<Tensor> inputs{values({kBatch, kQueries, kWidth}, 1)};
  if (s.options.context_embd) inputs.push_back(values({kBatch, s.keys, s.options.context_embd}, 2));
  if (s.mask) inputs.push_back(values({kQueries, s.keys}, 3));
  if (s.padding) {
    const Tensor padding = Tensor::zeros({kBatch, s.keys}, DType::u8);
    padding.data<std::uint8_t>()[1] = padding.data<std::uint8_t>()[s.keys] = 1;
    inputs.push_back(padding);
  }
  return module_case<MultiHeadAttention>(
      s.label, std::make_shared<MultiHeadAttention>(s.options), inputs,
      [s](MultiHeadAttention& module, const std::vector<Tensor>& in) {
        AttentionCall call;
        std::size_t next = 1;
        Tensor weights;
        if (s.options.context_embd) call.context = in[next++];
        if (s.mask) call.mask = in[next++];
        if (s.padding) call.key_padding = in[next++];
        if (s.weights) call.weights = &weights;
        const Tensor out = module.forward(in[0], call);
        return s.weights ? weights : out;
      },
      reference(s));
}

Sample make_attention() {
  Sample sample{.name = "MultiHeadAttention", .kind = Kind::module};
  const std::vector<Setting> settings{
      {"plain", {.n_embd = kWidth, .n_head = 2}},
      {"causal, no bias", {.n_embd = kWidth, .n_head = 2, .causal = true, .bias = false}},
      {"grouped keys, head size",
       {.n_embd = kWidth, .n_head = 4, .n_kv_head = 2, .head_size = 3, .causal = true}},
      {"qk-norm and rope",
       {.n_embd = kWidth,
        .n_head = 2,
        .causal = true,
        .qk_norm = true,
        .positions = Positions::rope}},
      {"alibi", {.n_embd = kWidth, .n_head = 4, .positions = Positions::alibi}},
      {"cross", {.n_embd = kWidth, .n_head = 2, .n_kv_head = 1, .context_embd = 6}, 3},
      {.label = "mask and padding",
       .options = {.n_embd = kWidth, .n_head = 2},
       .mask = true,
       .padding = true},
      {"whole matrix",
       {.n_embd = kWidth,
        .n_head = 4,
        .kind = AttentionKind::plain,
        .n_kv_head = 2,
        .causal = true}},
      {"sigmoid, rope",
       {.n_embd = kWidth,
        .n_head = 2,
        .kind = AttentionKind::sigmoid,
        .causal = true,
        .bias = false,
        .qk_norm = true,
        .positions = Positions::rope}},
      {"sigmoid, alibi, grouped keys",
       {.n_embd = kWidth,
        .n_head = 4,
        .kind = AttentionKind::sigmoid,
        .n_kv_head = 2,
        .causal = true,
        .positions = Positions::alibi}},
      {"sigmoid, cross",
       {.n_embd = kWidth,
        .n_head = 2,
        .kind = AttentionKind::sigmoid,
        .n_kv_head = 1,
        .context_embd = 6},
       3},
      {.label = "sigmoid, mask and padding",
       .options = {.n_embd = kWidth, .n_head = 2, .kind = AttentionKind::sigmoid},
       .mask = true,
       .padding = true},
      {.label = "sigmoid, weights",
       .options = {.n_embd = kWidth, .n_head = 2, .kind = AttentionKind::sigmoid, .causal = true},
       .padding = true,
       .weights = true},
      {"lightning",
       {.n_embd = kWidth,
        .n_head = 2,
        .kind = AttentionKind::lightning,
        .causal = true,
        .bias = false}},
      {"lightning, rope, grouped keys",
       {.n_embd = kWidth,
        .n_head = 4,
        .kind = AttentionKind::lightning,
        .n_kv_head = 2,
        .causal = true,
        .decay = 0.5,
        .qk_norm = true,
        .positions = Positions::rope}},
      {.label = "lightning both ways, padding",
       .options = {.n_embd = kWidth, .n_head = 2, .kind = AttentionKind::lightning},
       .padding = true},
      {"linear", {.n_embd = kWidth, .n_head = 2, .kind = AttentionKind::linear, .causal = true}},
      {.label = "linear both ways, padding",
       .options = {.n_embd = kWidth, .n_head = 2, .kind = AttentionKind::linear},
       .padding = true},
      {"channels",
       {.n_embd = kWidth, .n_head = 4, .kind = AttentionKind::channels, .n_kv_head = 2}},
      {"channels, rope",
       {.n_embd = kWidth,
        .n_head = 2,
        .kind = AttentionKind::channels,
        .bias = false,
        .qk_norm = true,
        .positions = Positions::rope}},
      {.label = "weights",
       .options = {.n_embd = kWidth, .n_head = 2, .causal = true},
       .weights = true}};
  for (const Setting& setting : settings) sample.cases.push_back(attention_case(setting));
  sample.cases.push_back(module_case<MultiHeadAttention>(
      "dropout",
      std::make_shared<MultiHeadAttention>(MultiHeadAttentionOptions{
          .n_embd = kWidth, .n_head = 4, .n_kv_head = 2, .dropout = 0.2, .attention_dropout = 0.3}),
      std::vector<Tensor>{values({kBatch, kQueries, kWidth}, 1)},
      [](MultiHeadAttention& module, const std::vector<Tensor>& in) {
        random::stream("dropout").set_position(3);
        return module.forward(in[0]);
      }));
  sample.errors = {
      {"heads", [] { MultiHeadAttention({.n_embd = 130, .n_head = 4}); },
       "[attention] n_embd 130 is not divisible by n_head 4; use 128 or 132"},
      {"groups", [] { MultiHeadAttention({.n_embd = 8, .n_head = 4, .n_kv_head = 3}); },
       "[attention] n_head 4 is not divisible by n_kv_head 3; use one of 1, 2, 4"},
      {"rope", [] { MultiHeadAttention({.n_embd = 6, .n_head = 2, .positions = Positions::rope}); },
       "[attention] rope rotates pairs of features and needs an even head size, got 3; set "
       "head_size 4"},
      {"alibi without softmax",
       [] {
         MultiHeadAttention({.n_embd = 8,
                             .n_head = 2,
                             .kind = AttentionKind::lightning,
                             .positions = Positions::alibi});
       },
       "[attention] alibi is added to scores, and lightning attention has none; use none or "
       "rope"},
      {"cross without softmax",
       [] {
         MultiHeadAttention(
             {.n_embd = 8, .n_head = 2, .kind = AttentionKind::linear, .context_embd = 4});
       },
       "[attention] cross attention needs scores, and linear attention has none; use softmax"},
      {"causal channels",
       [] {
         MultiHeadAttention(
             {.n_embd = 8, .n_head = 2, .kind = AttentionKind::channels, .causal = true});
       },
       "[attention] channels attention sees all tokens at once and cannot be causal; use "
       "softmax"},
      {"padded channels",
       [] {
         MultiHeadAttention({.n_embd = 8, .n_head = 2, .kind = AttentionKind::channels})
             .forward(Tensor::zeros({2, 3, 8}), {.key_padding = Tensor::zeros({2, 3}, DType::u8)});
       },
       "[attention] attention between channels takes no mask and no padding; use softmax"},
      {"mask without softmax",
       [] {
         MultiHeadAttention({.n_embd = 8, .n_head = 2, .kind = AttentionKind::linear})
             .forward(Tensor::zeros({2, 3, 8}), {.mask = Tensor::zeros({3, 3})});
       },
       "[attention] linear attention takes no mask on scores; pad keys, or use softmax"},
      {"input",
       [] {
         MultiHeadAttention({.n_embd = 8, .n_head = 2}).forward(Tensor::zeros({2, 3, 7}));
       },
       "[attention] expects (B, T, 8), got (2, 3, 7)"},
      {"context",
       [] {
         MultiHeadAttention({.n_embd = 8, .n_head = 2, .context_embd = 4})
             .forward(Tensor::zeros({2, 3, 8}));
       },
       "[attention] built for cross-attention, but given no context"}};
  return sample;
}

/// Parameters by timm's order: norm1 (2), qkv (2), proj (2), norm2 (2), fc1 (2), fc2 (2).
Reference block_reference(bool post_norm) {
  return [=](const std::vector<Tensor>& t) {
    const auto part = [&](std::size_t i) { return flat(t[i + 1]); };
    const auto add = [](naive::Values a, const naive::Values& b) {
      for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
      return a;
    };
    const auto norm1 = [&](const naive::Values& x) {
      return naive::layer_norm(x, part(0), part(1), kWidth);
    };
    const auto norm2 = [&](const naive::Values& x) {
      return naive::layer_norm(x, part(6), part(7), kWidth);
    };
    const auto attend = [&](const naive::Values& x) {
      const auto qkv =
          columns(naive::linear(x, part(2), part(3), kWidth, 3 * kWidth), {kWidth, kWidth, kWidth});
      const naive::Attention how{.batch = kBatch,
                                 .queries = kQueries,
                                 .keys = kQueries,
                                 .heads = 2,
                                 .kv_heads = 2,
                                 .size = kWidth / 2};
      return naive::linear(naive::attention(how, qkv[0], qkv[1], qkv[2]), part(4), part(5), kWidth,
                           kWidth);
    };
    const auto feed = [&](const naive::Values& x) {
      auto hidden = naive::linear(x, part(8), part(9), kWidth, 2 * kWidth);
      for (double& value : hidden) value = naive::activate(value, Activation::gelu_erf);
      return naive::linear(hidden, part(10), part(11), 2 * kWidth, kWidth);
    };
    const naive::Values x = flat(t[0]);
    if (post_norm) {
      const auto middle = norm1(add(x, attend(x)));
      return norm2(add(middle, feed(middle)));
    }
    const auto middle = add(x, attend(norm1(x)));
    return add(middle, feed(norm2(middle)));
  };
}

Sample make_block() {
  Sample sample{.name = "Block", .kind = Kind::module, .no_errors = "its errors are its parts'"};
  for (const bool post_norm : {false, true}) {
    const BlockOptions options{
        .attention = {.n_embd = kWidth, .n_head = 2, .naming = Naming::timm},
        .feed_forward = {.n_embd = kWidth, .hidden = 2 * kWidth, .naming = Naming::timm},
        .post_norm = post_norm};
    sample.cases.push_back(
        module_case(post_norm ? "post-norm" : "pre-norm", std::make_shared<Block>(options),
                    values({kBatch, kQueries, kWidth}, 1), block_reference(post_norm)));
  }
  return sample;
}

const Register attention_sample("MultiHeadAttention", Kind::module, make_attention);
const Register block_sample("Block", Kind::module, make_block);

}  // namespace
}  // namespace weft::samples::nn_attention_samples
