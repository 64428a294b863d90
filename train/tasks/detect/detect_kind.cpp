// The kind of run called detect: its choices, its rules, and how it begins.
#include <algorithm>

#include "core/error.h"
#include "core/random.h"
#include "data/image/annotated_images.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/common/run_facts.h"
#include "train/tasks/detect/detect_run.h"
#include "train/tasks/detect/detect_task.h"

namespace weft::train {
namespace {

struct DetectFacts : DataFacts {
  ImageFacts images;
  std::int64_t most_boxes = 1;  ///< of one picture
};

Fields detect_fields() {
  Fields all = {
      {"data", "Data", &DetectConfig::data,
       "digits of the scenes: mnist, or a folder with the four IDX files; or a folder with your "
       "own PNG files and boxes.csv: file,label,x0,y0,x1,y1"},
      {"validation_rule",
       "Data",
       &DetectConfig::validation_rule,
       "which training digits are held out for the validation scenes: a fixed sample of each class "
       "(stratified), or the last of the file",
       0,
       0,
       {kHeldOutStratified, kHeldOutLast}},
      {"max_digits", "Data", &DetectConfig::max_digits, "largest number of digits in a scene", 1,
       100},
      {"clutter", "Data", &DetectConfig::clutter,
       "largest number of digit fragments (clutter) in a scene", 0, 1000},
      {"eval_scenes", "Data", &DetectConfig::eval_scenes, "scenes to validate on, and to test on",
       1, 100000},
      {"model",
       "Model",
       &DetectConfig::model,
       "Faster R-CNN over convolutions or over a vision transformer, or DETR",
       0,
       0,
       {"faster_rcnn", "faster_rcnn_vit", "detr"}},
      {"patch", "Model", &DetectConfig::patch, "patch size of the vision transformer, in pixels", 4,
       kSceneSide},
      {"positions",
       "Model",
       &DetectConfig::positions,
       "positional encoding of the vision transformer",
       0,
       0,
       {"none", "learned", "sinusoidal", "rope"}},
      {"queries", "Model", &DetectConfig::queries,
       "object queries of detr: the most objects that it can find", 1, 1000},
  };
  append(all, block_fields(
                  "blocks of the vision transformer; layers of detr's encoder and of its decoder"));
  append(all, {{"steps", "Optimization", &DetectConfig::steps, "optimizer steps", 1, kMany}});
  append(all, optimizer_fields());
  append(all, run_fields());
  return all;
}

class DetectKind : public UsedAs<DetectRun, KindBySteps<DetectConfig>> {
 public:
  std::string name() const override { return "detect"; }
  std::string about() const override {
    return "train Faster R-CNN or DETR to find digits in scenes, or what your own pictures hold";
  }
  std::string example() const override {
    return "weft train detect --model faster_rcnn --steps 2000 --out runs/scenes";
  }

  const Fields& fields() const override {
    static const Fields table = detect_fields();
    return table;
  }

  void start_from_model(RunConfig& c, const RunConfig& wanted) const override {
    const std::string& model = own(wanted).model;
    if (model == "detr") c.layers = 3;
    if (model != "faster_rcnn") c.lr = 5e-4;
  }

  std::string meaningless(const RunConfig& config, const std::string& field) const override {
    const DetectConfig& c = own(config);
    const auto is = [&](std::initializer_list<const char*> names) {
      return std::any_of(names.begin(), names.end(), [&](const char* one) { return field == one; });
    };
    const bool of_vit =
        is({"patch", "positions", "kv_heads", "head_size", "norm", "norm_weight", "post_norm",
            "qk_norm", "activation", "bias", "init", "init_std", "zero_init", "attention"});
    const bool of_transformers = is({"layers", "heads", "mlp_ratio", "dropout"});
    if (of_vit && c.model != "faster_rcnn_vit") return "model " + c.model;
    if (of_transformers && c.model == "faster_rcnn") return "model " + c.model;
    if (is({"validation_rule", "max_digits", "clutter", "eval_scenes"}) && data::has_boxes(c.data))
      return "data " + c.data;
    if (field == "queries" && c.model != "detr") return "model " + c.model;
    if (field == "label_smoothing") return "a detect run";
    return Kind::meaningless(config, field);
  }

  void check(const RunConfig& config) const override {
    const DetectConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    check_target(c, figures(), name());
    if (c.model != "faster_rcnn") check_heads(c);
    if (c.model != "faster_rcnn_vit" && c.width % 4 != 0)
      fail<ConfigError>("config", "width must be a multiple of 4 in a {}, got {}; choose {}",
                        c.model, c.width, std::max<std::int64_t>(4, c.width / 4 * 4));
    if (c.model == "faster_rcnn_vit" && (kSceneSide % c.patch != 0 || c.patch % 4 != 0)) {
      fail<ConfigError>("config",
                        "patch must be a multiple of 4 that divides the scene: patch {}, scenes {} "
                        "x {}; choose 4, 8, 12, 16, 24, 32, 48 or 96",
                        c.patch, kSceneSide, kSceneSide);
    }
    if (c.model == "detr" && !data::has_boxes(c.data) &&
        c.queries < c.max_digits) {  // how many boxes there are is looked at in prepare()
      fail<ConfigError>(
          "config",
          "queries must be at least max_digits: queries {}, max_digits {}; raise --queries",
          c.queries, c.max_digits);
    }
  }

  std::vector<std::string> figures() const override { return {"map50", "map"}; }

  Prepared prepare(std::unique_ptr<RunConfig> config, const Known& known) const override {
    DetectConfig& c = own(*config);
    if (known.whole)
      fail<ConfigError>("eval",
                        "--data is not for detect runs: train further, or draw what is found in "
                        "other pictures with `weft detect RUN FILE`");
    settle(c, 5);
    c.data = absolute_data_path(c.data);
    auto scenes = load_scenes(c);
    if (c.model == "detr" && c.queries < scenes->most_boxes())
      fail<ConfigError>("config",
                        "queries must be at least the boxes of one picture: queries {}, boxes {}; "
                        "raise --queries",
                        c.queries, scenes->most_boxes());
    DetectFacts facts;
    facts.images = facts_of(*scenes).images;
    facts.most_boxes = scenes->most_boxes();
    check_fits(c, facts);
    Prepared run;
    run.has_test = scenes->has_test();
    run.notes = scenes->notes();
    run.task = std::make_unique<DetectTask>(c, std::move(scenes));
    run.steps = c.steps;
    run.config = std::move(config);
    return run;
  }

  std::unique_ptr<DataFacts> inspect_data(const RunConfig& config) const override {
    auto facts = std::make_unique<DetectFacts>();
    const auto scenes = load_scenes(own(config));
    facts->images = facts_of(*scenes).images;
    facts->most_boxes = scenes->most_boxes();
    return facts;
  }
  Sketch sketch(const RunConfig& config, const DataFacts& data) const override {
    const auto& facts = static_cast<const DetectFacts&>(data);
    const std::shared_ptr<nn::Detector> model = build_detector(own(config), facts.images);
    return {.model = model, .loss = [model, boxes = facts.most_boxes](std::int64_t batch) {
              return model->loss(model->example_input(batch), Tensor::empty({batch, boxes, 5}));
            }};
  }
  std::int64_t width_granularity(const RunConfig& config) const override {
    const DetectConfig& c = own(config);
    return c.model == "faster_rcnn" ? 4
           : c.model == "detr"      ? 4 * c.heads
                                    : heads_granularity(c, c.positions);
  }
};

}  // namespace

DetectConfig::DetectConfig() {
  layers = 4;
  heads = 4;
  width = 64;
  batch = 8;
  lr = 2e-3;
  beta2 = 0.99;
  weight_decay = 0.05;
  final_lr = 0.01;
  init = "torch";
  clip = 5;
}

const Kind& kind_of(const DetectConfig&) {
  static const DetectKind kind;
  return kind;
}

}  // namespace weft::train
