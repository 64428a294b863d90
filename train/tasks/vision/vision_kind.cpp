// The kind of run called vision: its choices, its rules, and how it begins.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/ops/loss.h"
#include "core/error.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/vision/vision_model.h"
#include "train/tasks/vision/vision_run.h"
#include "train/tasks/vision/vision_task.h"

namespace weft::train {
namespace {

struct VisionFacts : DataFacts {
  ImageFacts images;
  std::int64_t train_images = 0;
};

Fields vision_fields() {
  Fields all = {
      {"data", "Data", &VisionConfig::data,
       "mnist, or a folder with the four IDX files (.gz or not)"},
      {"validation", "Data", &VisionConfig::validation,
       "training images held out for validation (0: a tenth, at most 5000)", 0, kMany},
      {"validation_rule",
       "Data",
       &VisionConfig::validation_rule,
       "which images are held out: a fixed sample of each class (stratified), or the last of the "
       "file",
       0,
       0,
       {kHeldOutStratified, kHeldOutLast}},
      {"train_share", "Data", &VisionConfig::train_share,
       "fraction of the training images that is used, drawn by the seed", kTiny, 1},
      {"shuffle_pixels", "Data", &VisionConfig::shuffle_pixels,
       "permute the pixels of all images, in the same way for every image"},
      {"shift", "Data", &VisionConfig::shift,
       "augmentation: shift training images by up to this many pixels", 0, 1000},
      {"flip", "Data", &VisionConfig::flip,
       "augmentation: flip training images horizontally with probability 0.5"},
      {"model",
       "Model",
       &VisionConfig::model,
       "vision transformer, multi-layer perceptron, or a convolutional net: two layers (cnn), "
       "LeNet-5, ResNet",
       0,
       0,
       {"vit", "mlp", "cnn", "lenet", "resnet"}},
      {"patch", "Model", &VisionConfig::patch, "patch size of vit, in pixels", 1, 10000},
      {"pool", "Model", &VisionConfig::pool,
       "pooling before the head: a class token (cls), or the mean of all tokens", 0, 0,
       nn::choices<nn::Pooling>()},
      {"positions",
       "Model",
       &VisionConfig::positions,
       "positional encoding",
       0,
       0,
       {"none", "learned", "sinusoidal", "rope"}},
  };
  append(
      all,
      block_fields(
          "transformer blocks, hidden layers of an mlp, blocks of each of resnet's three stages"));
  append(all, {{"epochs", "Optimization", &VisionConfig::epochs, "passes over all training images",
                1, 1e6}});
  append(all, optimizer_fields());
  append(all, run_fields());
  return all;
}

/// One label alone cannot be told from another.
void check_labels_differ(const VisionConfig& c, const data::ImageData& data) {
  const Tensor& labels = data.labels(data::Split::train);
  const auto* const first = labels.data<std::uint8_t>();
  if (std::any_of(first, first + labels.numel(),
                  [&](std::uint8_t label) { return label != *first; }))
    return;
  fail<ConfigError>(c.data,
                    "all {} training images have the label {}: there is nothing to distinguish",
                    labels.numel(), *first);
}

/// Throws ConfigError unless a trained model can read other images.
void check_same_shape(const data::ImageData& data, const ImageFacts& model) {
  const bool same = data.channels() == model.channels && data.height() == model.height &&
                    data.width() == model.width;
  if (same && data.classes() <= model.classes) return;
  fail<ConfigError>(
      "eval",
      "the model expects images {} x {} x {} of up to {} classes, these are {} x {} x {} of {}",
      model.channels, model.height, model.width, model.classes, data.channels(), data.height(),
      data.width(), data.classes());
}

class VisionKind : public UsedAs<VisionRun, KindOf<VisionConfig>> {
 public:
  std::string name() const override { return "vision"; }
  std::string about() const override {
    return "train a vision transformer, an MLP or a convolutional net to classify images";
  }
  std::string command(Use use) const override {
    return command_of(use) + (use == Use::explain_attention ? " (of model vit)" : "");
  }
  bool has_test_set() const override { return true; }
  std::string example() const override {
    return "weft train vision --data mnist --model vit --patch 4 --layers 6 --heads 4 --width 64 "
           "--epochs 5 --out runs/mnist";
  }

  const Fields& fields() const override {
    static const Fields table = vision_fields();
    return table;
  }

  void start_from_model(RunConfig& c, const RunConfig& wanted) const override {
    const std::string& model = own(wanted).model;
    if (model == "vit") return;
    c.layers = model == "resnet" ? 1 : 2;
    c.width = model == "resnet" ? 16 : model == "mlp" ? 256 : 128;
    c.activation = "relu";
    c.lr = model == "resnet" ? 1e-2 : 1e-3;
  }

  std::string meaningless(const RunConfig& config, const std::string& field) const override {
    const VisionConfig& c = own(config);
    constexpr const char* kBlockOnly[] = {"heads",     "kv_heads",    "head_size", "attention",
                                          "norm",      "norm_weight", "post_norm", "qk_norm",
                                          "mlp_ratio", "zero_init",   "bias",      "init",
                                          "init_std",  "patch",       "pool",      "positions"};
    const bool block_only = std::any_of(std::begin(kBlockOnly), std::end(kBlockOnly),
                                        [&](const char* name) { return field == name; });
    if (block_only && c.model != "vit") return "model " + c.model;
    const bool fixed = c.model == "cnn" || c.model == "lenet";
    if (field == "layers" && fixed) return "model " + c.model;
    if (field == "activation" && (fixed || c.model == "resnet")) return "model " + c.model;
    if (field == "width" && c.model == "lenet") return "model " + c.model;
    if (field == "dropout" && (c.model == "lenet" || c.model == "resnet"))
      return "model " + c.model;
    return Kind::meaningless(config, field);
  }

  void check(const RunConfig& config) const override {
    check_common(config);
    if (own(config).model == "vit") check_heads(config);
    check_target(config, figures(), name());
  }

  std::vector<Preset> presets() const override { return vision_presets(); }

  std::vector<std::string> figures() const override { return {"accuracy"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    VisionConfig& c = own(*config);
    c.data = absolute_data_path(c.data);
    std::optional<ImageFacts> learned;
    if (!known.data.empty()) learned = ImageFacts::from_json(known.data, "checkpoint");
    if (known.whole) {
      c.train_share = 1;
      c.batch = c.accumulate = 1;
    }
    // Nothing is taken from a training set that is measured, however small.
    data::ImageData data = load_images(
        c, learned ? std::optional(learned->normalization) : std::nullopt, !known.whole);
    if (known.whole) check_same_shape(data, *learned);
    check_data(c, data.size(data::Split::train), data.height(), data.width());
    VisionFacts facts;
    facts.images = facts_of(data);
    check_fits(c, facts);
    if (c.format >= 3 && !known.whole) check_labels_differ(c, data);
    if (c.validation == 0) {
      c.validation = data.size(data::Split::validation);
      c.derived.emplace_back("validation");
    }
    const std::int64_t per_epoch = data.batches_per_epoch({.batch = c.batch});
    Prepared run;
    run.steps = per_epoch * c.epochs / c.accumulate;
    if (run.steps < 1)
      fail<ConfigError>("config",
                        "accumulate is longer than the run: accumulate {}, {} batches; lower "
                        "--accumulate, or raise --epochs",
                        c.accumulate, per_epoch * c.epochs);
    settle_common(c, run.steps, per_epoch / c.accumulate);
    run.has_test = data.size(data::Split::test) > 0;
    run.task =
        std::make_unique<VisionTask>(c, std::move(data), known.whole ? learned : std::nullopt);
    run.config = std::move(config);
    return run;
  }

  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    const data::ImageData data = load_images(own(config));
    auto facts = std::make_unique<VisionFacts>();
    facts->images = facts_of(data);
    facts->train_images = data.size(data::Split::train);
    return facts;
  }
  Length length(const RunConfig& config, const DataFacts& data) const override {
    const VisionConfig& c = own(config);
    const std::int64_t per_epoch = static_cast<const VisionFacts&>(data).train_images /
                                   c.batch;  // the odd ones out sit the epoch out
    const std::int64_t steps = per_epoch * c.epochs / c.accumulate;
    return {.steps = steps,
            .samples = static_cast<double>(steps) * static_cast<double>(c.batch * c.accumulate)};
  }
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const std::shared_ptr<nn::Model> model =
        build_model(own(config), static_cast<const VisionFacts&>(data).images);
    return {.model = model,
            .loss =
                [model](std::int64_t batch) {
                  return cross_entropy((*model)(model->example_input(batch)),
                                       sketched_ids({batch}));
                },
            .is_exact = true};
  }
  std::int64_t width_granularity(const RunConfig& config) const override {
    return own(config).model == "vit" ? heads_granularity(config, own(config).positions) : 1;
  }
  void set_steps(RunConfig& config, std::int64_t steps, const DataFacts& data) const override {
    VisionConfig& c = own(config);
    const double per_epoch =
        static_cast<double>(static_cast<const VisionFacts&>(data).train_images / c.batch) /
        static_cast<double>(c.accumulate);
    c.epochs = std::max<std::int64_t>(1, std::llround(static_cast<double>(steps) / per_epoch));
  }
};

}  // namespace

void check_data(const VisionConfig& c, std::int64_t train_images, std::int64_t height,
                std::int64_t width) {
  if (c.model == "vit" && (height % c.patch != 0 || width % c.patch != 0)) {
    fail<ConfigError>("config",
                      "patch must divide the image: patch {}, images {} x {}; choose a common "
                      "divisor of both sides, such as {}",
                      c.patch, height, width, std::gcd(height, width));
  }
  if (c.batch > train_images)
    fail<ConfigError>("config",
                      "batch is larger than the data: batch {}, {} training images; lower --batch",
                      c.batch, train_images);
  if (c.shift >= std::min(height, width))
    fail<ConfigError>(
        "config", "shift must be smaller than the image: shift {}, images {} x {}; lower --shift",
        c.shift, height, width);
}

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

const Kind& kind_of(const VisionConfig&) {
  static const VisionKind kind;
  return kind;
}

}  // namespace weft::train
