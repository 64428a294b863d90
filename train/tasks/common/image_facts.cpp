#include "train/tasks/common/image_facts.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace weft::train {

std::string ImageFacts::to_json() const {
  nlohmann::ordered_json json{
      {"channels", channels}, {"height", height}, {"width", width}, {"classes", classes}};
  json["normalization"] = nlohmann::ordered_json::parse(normalization.to_json());
  if (edges != data::Edges::unknown) json["edges"] = data::name(edges);
  if (!class_names.empty()) json["class_names"] = class_names;
  return json.dump();
}

std::string ImageFacts::class_name(std::int64_t label) const {
  return class_names.empty() ? fmt::format("{}", label)
                             : class_names[static_cast<std::size_t>(label)];
}

ImageFacts ImageFacts::from_json(const std::string& text, const std::string& where) {
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(text, nullptr, false);
  ImageFacts facts;
  const auto size = [&](const char* name, std::int64_t high) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_number_integer();
    const std::int64_t value = there ? json[name].get<std::int64_t>() : 0;
    if (value < 1 || value > high)
      fail<ConfigError>(where, "{} of the images must be a number from 1 to {}", name, high);
    return value;
  };
  facts.channels = size("channels", 1024);
  facts.height = size("height", 65536);
  facts.width = size("width", 65536);
  facts.classes = size("classes", 1'000'000);
  if (!json.contains("normalization"))
    fail<ConfigError>(where, "the normalization of the images is missing");
  facts.normalization = data::Normalization::from_json(json["normalization"].dump(), where);
  if (json.contains("edges")) {
    if (!json["edges"].is_string()) fail<ConfigError>(where, "edges of the images must be a word");
    facts.edges = data::edges_from_name(json["edges"].get<std::string>(), where);
  }
  if (json.contains("class_names")) {
    const auto& names = json["class_names"];
    if (!names.is_array() || std::ssize(names) != facts.classes)
      fail<ConfigError>(where, "class_names of the images must be {} names", facts.classes);
    for (const auto& one : names) {
      if (!one.is_string()) fail<ConfigError>(where, "class_names of the images must be texts");
      facts.class_names.push_back(one.get<std::string>());
    }
  }
  return facts;
}

data::HeldOut held_out(const std::string& validation_rule) {
  return validation_rule == kHeldOutLast ? data::HeldOut::last : data::HeldOut::stratified;
}

bool invert_where_needed(Tensor& pixels, const ImageFacts& images, const std::string& invert) {
  const bool wanted =
      invert == "yes" ||
      (invert == "auto" && data::looks_inverted(pixels, images.edges, images.normalization));
  if (wanted) pixels = data::invert_image(pixels);
  return wanted;
}

std::string inversion_note(const std::string& file, const ImageFacts& images) {
  const std::string trained_on =
      images.edges == data::Edges::dark
          ? "its edge is light, and those of the training images are dark"
      : images.edges == data::Edges::light
          ? "its edge is dark, and those of the training images are light"
          : "its edge does not look like the mean of the training images, and this run "
            "of an earlier version does not say more of them";
  return fmt::format("{}: light and dark are inverted, because {}", file, trained_on);
}

}  // namespace weft::train
