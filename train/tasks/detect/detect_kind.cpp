// The kind of run called detect: its choices, its rules, and how it begins.
#include <algorithm>

#include "core/error.h"
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

/// Scenes of digits, and what is chosen of them.
std::string own_pictures(const DetectConfig& c) {
  return data::has_boxes(c.data) ? "data " + c.data : "";
}

Fields detect_fields() {
  Fields all = {
      {"data", "Data", &DetectConfig::data,
       "digits of the scenes: mnist, or a folder with the four IDX files; or a folder with your "
       "own PNG files and boxes.csv: file,label,x0,y0,x1,y1"},
      Field{"validation_rule",
            "Data",
            &DetectConfig::validation_rule,
            "which training digits are held out for the validation scenes: a fixed sample of each "
            "class (stratified), or the last of the file",
            0,
            0,
            {kHeldOutStratified, kHeldOutLast}}
          .idle_where<DetectConfig>(own_pictures),
      Field{"max_digits", "Data", &DetectConfig::max_digits, "largest number of digits in a scene",
            1, 100}
          .idle_where<DetectConfig>(own_pictures),
      Field{"clutter", "Data", &DetectConfig::clutter,
            "largest number of digit fragments (clutter) in a scene", 0, 1000}
          .idle_where<DetectConfig>(own_pictures),
      Field{"eval_scenes", "Data", &DetectConfig::eval_scenes,
            "scenes to validate on, and to test on", 1, 100000}
          .idle_where<DetectConfig>(own_pictures),
      model_field(detect_models()),
  };
  append(all, {{"steps", "Optimization", &DetectConfig::steps, "optimizer steps", 1, kMany}});
  append(all, optimizer_fields("a detect run"));
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

  const Fields& own_fields() const override {
    static const Fields table = detect_fields();
    return table;
  }

  void check(const RunConfig& config) const override {
    const DetectConfig& c = own(config);
    check_common(c);
    check_warmup(c, c.steps);
    check_target(c, figures(), name());
    const std::int64_t most = model_of(c).most_objects(c);
    if (most > 0 && !data::has_boxes(c.data) &&
        most < c.max_digits) {  // how many boxes there are is looked at in prepare()
      fail<ConfigError>(
          "config",
          "queries must be at least max_digits: queries {}, max_digits {}; raise --queries", most,
          c.max_digits);
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
    const std::int64_t most = model_of(c).most_objects(c);
    if (most > 0 && most < scenes->most_boxes())
      fail<ConfigError>("config",
                        "queries must be at least the boxes of one picture: queries {}, boxes {}; "
                        "raise --queries",
                        most, scenes->most_boxes());
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
};

}  // namespace

DetectConfig::DetectConfig() : RunConfig(detect_models()) {
  batch = 8;
  lr = 2e-3;
  weight_decay = 0.05;
  final_lr = 0.01;
  clip = 5;
}

const Kind& kind_of(const DetectConfig&) {
  static const DetectKind kind;
  return kind;
}

}  // namespace weft::train
