#include "train/run_data.h"

#include <fmt/format.h>

#include "core/error.h"
#include "data/split.h"
#include "train/kinds/detect/detect_model.h"
#include "train/kinds/recommend/recommend_task.h"

namespace weft::train {
namespace {

void check_unchanged(const std::string& found, const CheckpointFacts& facts,
                     const std::string& data) {
  if (found == facts.data_fingerprint) return;
  fail<ConfigError>(data,
                    "the data have changed since this run was trained; put back what they were");
}

std::string hexadecimal(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace

std::string fingerprint_of(const data::TextData& text) {
  return hexadecimal(
      data::batch_hash(text.ids(data::Split::train), text.ids(data::Split::validation)));
}

std::string fingerprint_of(const data::ImageData& images, std::int64_t format) {
  using data::Split;
  std::uint64_t hash = data::batch_hash(images.images(Split::train), images.labels(Split::train));
  if (format >= 3) {
    for (const Split split : {Split::validation, Split::test})
      hash = data::batch_hash(images.images(split), images.labels(split), hash);
  }
  return hexadecimal(hash);
}

data::TextData text_of_run(const TextRun& run, const CheckpointFacts& facts) {
  data::TextData text = data::load_text(run.config.data, {.with_tokenizer = run.tokenizer});
  check_unchanged(fingerprint_of(text), facts, run.config.data);
  return text;
}

data::ImageData images_of_run(const VisionRun& run, const CheckpointFacts& facts) {
  data::ImageData images = load_images(run.config, run.images.normalization);
  check_unchanged(fingerprint_of(images, run.config.format), facts, run.config.data);
  return images;
}

std::shared_ptr<const data::DetectionData> scenes_of_run(const DetectRun& run,
                                                         const CheckpointFacts& facts) {
  auto scenes = load_scenes(run.config);
  check_unchanged(hexadecimal(scenes->fingerprint(run.config.format >= 3)), facts, run.config.data);
  return scenes;
}

data::ClickData clicks_of_run(const RecommendRun& run, const CheckpointFacts& facts) {
  data::ClickData clicks = load_click_data(run.config);
  check_unchanged(hexadecimal(clicks.fingerprint()), facts, run.config.data);
  return clicks;
}

}  // namespace weft::train
