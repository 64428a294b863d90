#include "train/bench/workload.h"

#include "autograd/ops/loss.h"
#include "core/error.h"
#include "core/random.h"
#include "nn/models/gpt.h"
#include "nn/models/vit.h"

namespace weft::bench {
namespace {

void check_range(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high) fail<ConfigError>("bench", "{} must be from {} to {}, got {}", name, low, high, value);
}

double number(std::int64_t value) { return static_cast<double>(value); }

/// Bytes that the step surely holds at once, as doubles since the product of what is typed may be beyond 64 bits: parameters, gradients and two
/// moments; what the backward needs of each block at the least; logits.
double least_bytes(const Plan& plan) {
  const double width = number(plan.width), rows = number(plan.batch) * number(plan.tokens());
  const double patch = number(plan.channels) * number(plan.patch) * number(plan.patch);
  const double tables = width * (plan.vit ? patch + number(plan.tokens()) + number(plan.classes) : 2 * number(plan.vocab) + number(plan.context));
  const double parameters = number(plan.layers) * 12 * width * width + tables;
  const double inputs = plan.vit ? number(plan.batch) * number(plan.channels) * number(plan.image) * number(plan.image) : 4 * rows;
  const double weights = plan.attention == "plain" ? number(plan.layers) * number(plan.batch) * number(plan.heads) * number(plan.tokens()) * number(plan.tokens()) : 0;
  const double logits = plan.vit ? number(plan.batch) * number(plan.classes) : rows * number(plan.vocab);
  return 4 * (4 * parameters + number(plan.layers) * rows * width * 9 + weights + inputs + logits);
}

Tensor random_ids(const Shape& shape, std::int64_t bound, Generator& generator) {
  Tensor ids = Tensor::empty(shape, DType::i64);
  auto* const out = ids.data<std::int64_t>();
  for (std::int64_t i = 0, n = ids.numel(); i < n; ++i) out[i] = static_cast<std::int64_t>(generator.next_below(static_cast<std::uint64_t>(bound)));
  return ids;
}

}  // namespace

void Plan::validate() const {
  check_range("layers", layers, 1, 1000);
  check_range("heads", heads, 1, 4096);
  check_range("width", width, 1, 1 << 16);
  check_range("batch", batch, 1, 1 << 20);
  check_range("steps", steps, 1, 1'000'000);
  check_range("warmup", warmup, 0, 1'000'000);
  check_range("threads", threads, 0, 1024);
  nn::from_name<nn::AttentionKind>(attention, "attention");
  if (width % heads != 0) fail<ConfigError>("bench", "width must be divisible by heads: width {}, heads {}", width, heads);
  if (vit) {
    check_range("image", image, 1, 4096);
    check_range("patch", patch, 1, 4096);
    check_range("channels", channels, 1, 64);
    check_range("classes", classes, 1, 1 << 20);
    if (image % patch != 0) fail<ConfigError>("bench", "patch must divide the image: patch {}, image {} x {}", patch, image, image);
  } else {
    check_range("context", context, 1, 1 << 20);
    check_range("vocab", vocab, 1, 1 << 20);
  }
  const double wanted = least_bytes(*this), limit = number(memory_limit());
  if (wanted > limit)
    fail<ConfigError>("bench", "this cannot fit in memory: at least {:.1f} GiB for a step, {:.1f} GiB are there; lower width, layers, {} or batch",
                      wanted / 0x1p30, limit / 0x1p30, vit ? "image" : "context");
}

Workload::Workload(const Plan& plan) {
  plan.validate();
  random::seed(0);
  Generator data(0, "data");
  if (plan.vit) {
    model_ = std::make_unique<nn::Vit>(nn::VitConfig{.n_class = plan.classes,
                                                     .image_height = plan.image,
                                                     .image_width = plan.image,
                                                     .channels = plan.channels,
                                                     .patch_size = plan.patch,
                                                     .n_layer = plan.layers,
                                                     .n_head = plan.heads,
                                                     .n_embd = plan.width,
                                                     .bias = true,
                                                     .pooling = nn::Pooling::cls,
                                                     .attention = nn::from_name<nn::AttentionKind>(plan.attention, "attention"),
                                                     .init = nn::InitScheme::torch});
    inputs_ = Tensor::empty({plan.batch, plan.channels, plan.image, plan.image});
    data.fill_uniform(inputs_);
    targets_ = random_ids({plan.batch}, plan.classes, data);
  } else {
    model_ = std::make_unique<nn::Gpt>(nn::GptConfig{.vocab_size = plan.vocab,
                                                     .block_size = plan.context,
                                                     .n_layer = plan.layers,
                                                     .n_head = plan.heads,
                                                     .n_embd = plan.width,
                                                     .bias = true,
                                                     .attention = nn::from_name<nn::AttentionKind>(plan.attention, "attention"),
                                                     .tie_weights = false,
                                                     .init = nn::InitScheme::torch});
    inputs_ = random_ids({plan.batch, plan.context}, plan.vocab, data);
    targets_ = random_ids({plan.batch, plan.context}, plan.vocab, data);
  }
  const optim::AdamWOptions options{.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1, .decay = optim::Decay::all};
  optimizer_ = std::make_unique<optim::AdamW>(model_->named_parameters(), options);
}

Tensor Workload::loss() const { return cross_entropy((*model_)(inputs_), targets_); }

Tensor Workload::step() {
  zero_grad();
  Tensor loss = this->loss();
  loss.backward();
  update();
  return loss;
}

}  // namespace weft::bench
