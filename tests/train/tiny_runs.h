// Data and configurations so small that a whole run takes a moment.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "core/tensor.h"
#include "data/image/idx.h"
#include "train/tasks/common/kind.h"
#include "train/tasks/text/text_config.h"
#include "train/tasks/vision/vision_config.h"

namespace weft::test {

namespace fs = std::filesystem;

/// A folder that is gone with its scope.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "weft-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

/// Makes choices by their names, as flags do: `set(c, {{"width", "16"}})`.
inline void set(train::RunConfig& config, const train::Schema& schema,
                const std::vector<std::pair<std::string, std::string>>& choices) {
  for (const auto& [name, text] : choices) {
    const train::Field* const field = schema.find_field(config, name);
    if (field == nullptr) throw std::runtime_error("no choice " + name);
    train::set_from_text(config, *field, text, "test");
  }
}
template <class C>
void set(C& config, const std::vector<std::pair<std::string, std::string>>& choices) {
  set(config, kind_of(config), choices);
}
/// Those that its model has.
template <class C>
void set_known(C& config, const std::vector<std::pair<std::string, std::string>>& choices) {
  for (const auto& choice : choices)
    if (kind_of(config).find_field(config, choice.first) != nullptr) set(config, {choice});
}
/// The value of a choice, as text.
template <class C>
std::string value(const C& config, const std::string& name) {
  const train::Field* const field = kind_of(config).find_field(config, name);
  return field == nullptr ? "no such choice" : train::value_text(config, *field);
}

/// What the checks of a configuration say against it.
template <class C>
std::string refusal(const C& config) {
  try {
    kind_of(config).check(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing thrown";
}

inline std::string tiny_text() {
  std::string text;
  for (int i = 0; i < 150; ++i)
    text += "the cat " + std::to_string(i * 7 % 13) + " sat on mat " + std::to_string(i * 5 % 9) +
            ".\n";
  return text;
}

inline train::TextConfig tiny_text_config(const TempFolder& folder) {
  const fs::path data = folder / "text.txt";
  if (!fs::exists(data)) write_file(data.string(), tiny_text());
  train::TextConfig c;
  c.data = data.string();
  set(c, {{"layers", "1"}, {"heads", "2"}, {"width", "16"}});
  c.context = 8;
  c.batch = 3;
  c.steps = 12;
  c.eval_every = 4;
  c.save_every = 5;
  return c;
}

/// 8 x 8 images of three classes: where the bright bar lies.
inline void write_tiny_images(const fs::path& folder) {
  fs::create_directories(folder);
  const auto write = [&](const std::string& part, std::int64_t count) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * 64));
    std::vector<std::uint8_t> labels(static_cast<std::size_t>(count));
    for (std::int64_t n = 0; n < count; ++n) {
      labels[static_cast<std::size_t>(n)] = static_cast<std::uint8_t>(n % 3);
      for (std::int64_t i = 0; i < 64; ++i) {
        const bool bar = i / 8 / 3 == n % 3;
        pixels[static_cast<std::size_t>(n * 64 + i)] =
            static_cast<std::uint8_t>((bar ? 180 : 20) + (n * 31 + i * 17) % 40);
      }
    }
    data::write_idx((folder / (part + "-images-idx3-ubyte")).string(),
                    Tensor::from(pixels, {count, 8, 8}));
    data::write_idx((folder / (part + "-labels-idx1-ubyte")).string(),
                    Tensor::from(labels, {count}));
  };
  write("train", 50);
  write("t10k", 9);
}

inline train::VisionConfig tiny_vision_config(const TempFolder& folder) {
  const fs::path data = folder / "images";
  if (!fs::exists(data)) write_tiny_images(data);
  train::VisionConfig c;
  c.data = data.string();
  set(c, {{"layers", "1"}, {"heads", "2"}, {"width", "16"}, {"patch", "4"}});
  c.batch = 8;
  c.epochs = 2;
  c.validation = 10;
  c.shift = 1;
  c.flip = true;
  return c;
}

inline std::vector<nlohmann::json> read_metrics(const fs::path& run) {
  std::ifstream file(run / "metrics.jsonl");
  std::vector<nlohmann::json> records;
  for (std::string line; std::getline(file, line);) records.push_back(nlohmann::json::parse(line));
  return records;
}

}  // namespace weft::test
