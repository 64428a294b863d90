// The kind of run called vision: its choices, its rules, and how it begins.
#include <algorithm>
#include <cmath>

#include "autograd/ops/loss.h"
#include "core/error.h"
#include "train/tasks/common/assumed_data.h"
#include "train/tasks/common/epochs.h"
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
       "mnist, or a folder: one of PNG, JPEG or WebP files for each class (perhaps in train, val "
       "and test), IDX files, or CIFAR's .bin files; or a CSV file with the columns file and "
       "label"},
      {"image_size", "Data", &VisionConfig::image_size,
       "scale pictures and cut them to so many pixels a side (0: as they are; 64 where sizes "
       "differ)",
       0, 4096},
      {"skip_bad", "Data", &VisionConfig::skip_bad,
       "leave out pictures that cannot be read, and say how many"},
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
      {"least_crop", "Data", &VisionConfig::least_crop,
       "augmentation: train on crops of at least this share of an image's area, scaled back (1: "
       "none)",
       0.01, 1},
      {"rand_augment", "Data", &VisionConfig::rand_augment,
       "augmentation: so many random changes of an image (RandAugment)", 0, 10},
      Field{"rand_magnitude", "Data", &VisionConfig::rand_magnitude, "how strong these changes are",
            0, 30}
          .idle_where<VisionConfig>(
              [](const VisionConfig& c) { return c.rand_augment == 0 ? "rand_augment 0" : ""; }),
      {"rotate", "Data", &VisionConfig::rotate,
       "augmentation: rotate training images by up to this many degrees", 0, 180},
      {"color_jitter", "Data", &VisionConfig::color_jitter,
       "augmentation: vary brightness, contrast and saturation by up to this factor", 0, 1},
      {"erase", "Data", &VisionConfig::erase,
       "augmentation: the chance that a rectangle of an image is erased", 0, 1},
      {"mixup", "Data", &VisionConfig::mixup,
       "augmentation: mix pairs of images and labels, in shares of Beta(alpha, alpha) (0: never)",
       0, 10},
      {"cutmix", "Data", &VisionConfig::cutmix,
       "augmentation: put rectangles of other images into images, and their labels by the area; "
       "alpha "
       "(0: never)",
       0, 10},
  };
  all.push_back(model_field(vision_models()));
  append(all, length_fields<VisionConfig>("images"));
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

class VisionKind : public UsedAs<VisionRun, KindByEpochs<VisionConfig>>,
                   public ModelsOfAssumedData {
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

  const Fields& own_fields() const override {
    static const Fields table = vision_fields();
    return table;
  }

  void check(const RunConfig& config) const override {
    check_common(config);
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
      c.steps = 0;
    }
    // Nothing is taken from a training set that is measured, however small.
    data::ImageData data = load_images(c, learned, !known.whole);
    if (known.whole) check_same_shape(data, *learned);
    VisionFacts facts;
    facts.images = facts_of(data);
    check_data(c, data.size(data::Split::train), facts.images);
    check_fits(c, facts);
    if (c.format >= 3 && !known.whole) check_labels_differ(c, data);
    if (c.validation == 0) {
      c.validation = data.size(data::Split::validation);
      c.derived.emplace_back("validation");
    }
    const std::int64_t per_epoch = data.batches_per_epoch({.batch = c.batch});
    Prepared run;
    run.steps = steps_of(c, per_epoch);
    settle_common(c, run.steps, per_epoch / c.accumulate);
    run.has_test = data.size(data::Split::test) > 0;
    run.notes = data.notes();
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
  std::unique_ptr<nn::Model> model_for(const RunConfig& config,
                                       const AssumedData& data) const override {
    return build_model(own(config), {.channels = data.channels,
                                     .height = data.height,
                                     .width = data.width,
                                     .classes = data.classes});
  }
  std::vector<std::string> sizes() const override { return {"--image", "--channels", "--classes"}; }
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

 protected:
  std::int64_t batches_per_epoch(const VisionConfig& c, const DataFacts& data) const override {
    // The last batch of an epoch has what is left.
    return (examples_per_epoch(c, data) + c.batch - 1) / c.batch;
  }
  std::int64_t examples_per_epoch(const VisionConfig&, const DataFacts& data) const override {
    return static_cast<const VisionFacts&>(data).train_images;
  }
};

}  // namespace

void check_data(const VisionConfig& c, std::int64_t train_images, const ImageFacts& images) {
  static_cast<const VisionModel&>(c.model.entry()).check_images(c, images);
  if (c.batch > train_images)
    fail<ConfigError>("config",
                      "batch is larger than the data: batch {}, {} training images; lower --batch",
                      c.batch, train_images);
  if (c.shift >= std::min(images.height, images.width))
    fail<ConfigError>(
        "config", "shift must be smaller than the image: shift {}, images {} x {}; lower --shift",
        c.shift, images.height, images.width);
}

VisionConfig::VisionConfig() : RunConfig(vision_models()) {
  batch = 128;
  lr = 3e-3;
  optimizer.begin_with({{"beta2", 0.99}});
  weight_decay = 0.05;
  final_lr = 0.01;
}

const Kind& kind_of(const VisionConfig&) {
  static const VisionKind kind;
  return kind;
}

}  // namespace weft::train
