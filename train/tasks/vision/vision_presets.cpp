// Named recipes of vision runs.
#include "train/tasks/vision/vision_config.h"

namespace weft::train {

std::vector<Preset> vision_presets() {
  return {{"vit-best",
           "the default vision transformer on MNIST, with Muon and shifted images",
           {{"data", "mnist"},
            {"model", "vit"},
            {"patch", "4"},
            {"layers", "6"},
            {"heads", "4"},
            {"width", "64"},
            {"batch", "128"},
            {"epochs", "12"},
            {"pool", "mean"},
            {"shift", "2"},
            {"optimizer", "muon"},
            {"muon_lr", "0.02"},
            {"lr", "3e-3"},
            {"beta2", "0.99"},
            {"weight_decay", "0.05"},
            {"clip", "1"},
            {"schedule", "linear"},
            {"final_lr", "0"}}}};
}

}  // namespace weft::train
