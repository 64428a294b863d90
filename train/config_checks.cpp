#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/storage.h"
#include "train/config.h"

namespace weft::train {
namespace {

void check_heads(const RunConfig& c) {
  if (c.head_size == 0 && c.width % c.heads != 0) {
    fail<ConfigError>("config", "width must be divisible by heads: width {}, heads {}; choose a width of {}, or a --head-size", c.width, c.heads,
                      std::max(c.heads, c.width / c.heads * c.heads));
  }
  if (c.kv_heads > 0 && c.heads % c.kv_heads != 0) {
    fail<ConfigError>("config", "heads must be divisible by kv_heads: heads {}, kv_heads {}", c.heads, c.kv_heads);
  }
}

void check_common(const RunConfig& c) {
  if (c.norm == "layer" && !c.norm_weight && c.bias) {
    fail<ConfigError>("config", "a layer norm without weights has no bias either: norm_weight no, bias yes; add --no-bias, or --norm rms");
  }
  parse_target(c.until);
}

void check_warmup(const RunConfig& c, std::int64_t steps) {
  if (c.warmup > steps) fail<ConfigError>("config", "warmup must not be longer than the run: warmup {}, steps {}", c.warmup, steps);
}

void settle_common(RunConfig& c, std::int64_t steps, std::int64_t eval_every) {
  if (c.kv_heads == 0) c.kv_heads = c.heads;
  if (c.head_size == 0) c.head_size = c.width / c.heads;
  if (c.warmup < 0) c.warmup = std::min<std::int64_t>(100, steps / 20);
  check_warmup(c, steps);
  if (c.eval_every == 0) c.eval_every = std::max<std::int64_t>(1, eval_every);
  if (c.save_every == 0) c.save_every = c.eval_every;
}

// Sizes as doubles: what is typed may be far beyond 64 bits once multiplied.
double block_parameters(const RunConfig& c) {
  const double width = static_cast<double>(c.width);
  const double head = c.head_size > 0 ? static_cast<double>(c.head_size) : width / static_cast<double>(c.heads);
  const double queries = head * static_cast<double>(c.heads);
  const double keys = head * static_cast<double>(c.kv_heads > 0 ? c.kv_heads : c.heads);
  return 2 * width * queries + 2 * width * keys + 2 * width * width * c.mlp_ratio;
}

/// Floats that training surely holds at once, from below: weights, gradients, optimizer, and what backward needs of each block.
void check_memory(const RunConfig& c, double parameters, double tokens, double outputs) {
  const double state = c.optimizer == "adam" || c.optimizer == "adamw" ? 2 : 1;
  const double copies = 2 + state + (c.ema > 0 ? 1 : 0);
  const double width = static_cast<double>(c.width);
  const double activations = static_cast<double>(c.layers) * tokens * width * (6 + c.mlp_ratio) + 2 * outputs;
  const double wanted = 4 * (parameters * copies + activations);
  const double limit = static_cast<double>(memory_limit());
  if (limit > 0 && wanted > limit) {
    fail<ConfigError>("config", "this cannot fit in memory: at least {:.1f} GiB for {:.3g} parameters and a batch of {}, {:.1f} GiB are there; {}",
                      wanted / 0x1p30, parameters, c.batch, limit / 0x1p30, "lower width, layers, context or batch (--accumulate makes up for a smaller batch)");
  }
}

}  // namespace

VisionConfig::VisionConfig() {
  layers = 6;
  heads = 4;
  width = 64;
  batch = 128;
  lr = 3e-3;
  beta2 = 0.99;
  weight_decay = 0.05;
  final_lr = 0.01;
  init = "torch";
}

Target parse_target(const std::string& text) {
  if (text.empty()) return {};
  const auto equals = text.find('=');
  Target target{.figure = text.substr(0, equals)};
  const bool known = target.figure == "val_loss" || target.figure == "val_accuracy";
  bool number = false;
  if (equals != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, target.value);
    number = error == std::errc() && stop == end && std::isfinite(target.value);
  }
  if (!known || !number) fail<ConfigError>("config", "until must be val_loss=NUMBER or val_accuracy=NUMBER, got {}", text);
  return target;
}

void check(const TextConfig& c) {
  check_common(c);
  check_heads(c);
  check_warmup(c, c.steps);
  const std::int64_t head = c.head_size > 0 ? c.head_size : c.width / c.heads;
  if (c.positions == "rope" && head % 2 != 0) fail<ConfigError>("config", "rope turns pairs of numbers, so the size of a head must be even: it is {}", head);
  if (parse_target(c.until).figure == "val_accuracy") fail<ConfigError>("config", "a text run has no val_accuracy: until {}; use val_loss=NUMBER", c.until);
}

void check(const VisionConfig& c) {
  check_common(c);
  if (c.model == "vit") check_heads(c);
}

void settle(TextConfig& c) { settle_common(c, c.steps, std::min(c.steps, std::max<std::int64_t>(100, c.steps / 10))); }

void settle(VisionConfig& c, std::int64_t steps, std::int64_t steps_per_epoch) { settle_common(c, steps, steps_per_epoch); }

void check_against_data(const TextConfig& c, std::int64_t vocabulary, std::int64_t train_tokens, std::int64_t val_tokens) {
  const std::int64_t shorter = std::min(train_tokens, val_tokens);
  if (c.context + 1 > shorter) {
    fail<ConfigError>("config", "context is longer than the data: context {}, {} tokens to train and {} to validate on; at most {} here", c.context,
                      train_tokens, val_tokens, std::max<std::int64_t>(0, shorter - 1));
  }
  const double width = static_cast<double>(c.width);
  const double words = static_cast<double>(vocabulary);
  const double table = words * width * (c.tie ? 1 : 2) + (c.positions == "learned" ? static_cast<double>(c.context) * width : 0);
  const double tokens = static_cast<double>(c.batch) * static_cast<double>(c.context);
  check_memory(c, table + static_cast<double>(c.layers) * block_parameters(c), tokens, tokens * words);
}

void check_against_data(const VisionConfig& c, std::int64_t train_images, std::int64_t height, std::int64_t width, std::int64_t channels, std::int64_t classes) {
  if (c.model == "vit" && (height % c.patch != 0 || width % c.patch != 0)) {
    fail<ConfigError>("config", "patch must divide the image: patch {}, images {} x {}", c.patch, height, width);
  }
  if (c.batch > train_images) fail<ConfigError>("config", "batch is larger than the data: batch {}, {} training images", c.batch, train_images);
  if (c.shift >= std::min(height, width)) fail<ConfigError>("config", "shift must be smaller than the image: shift {}, images {} x {}", c.shift, height, width);
  const double pixels = static_cast<double>(height * width * channels);
  const double model_width = static_cast<double>(c.width);
  const double batch = static_cast<double>(c.batch);
  if (c.model == "vit") {
    const double tokens = static_cast<double>((height / c.patch) * (width / c.patch));
    const double patch_pixels = static_cast<double>(c.patch * c.patch * channels);
    check_memory(c, static_cast<double>(c.layers) * block_parameters(c) + (patch_pixels + tokens) * model_width, batch * tokens, batch * pixels);
  } else {
    const double hidden = static_cast<double>(c.layers - 1) * model_width * model_width;
    const double ends = model_width * static_cast<double>(classes) + (c.model == "mlp" ? pixels * model_width : 0);
    check_memory(c, c.model == "mlp" ? hidden + ends : ends, batch, batch * pixels);
  }
}

}  // namespace weft::train
