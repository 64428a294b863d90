#include "train/tasks/classify/classify_model.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace weft::train {

std::string ClassifierFacts::to_json() const {
  return nlohmann::ordered_json{{"classes", classes},
                                {"tokenizer", nlohmann::ordered_json::parse(tokenizer->to_json())}}
      .dump();
}

ClassifierFacts ClassifierFacts::from_json(const std::string& text, const std::string& where) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("classes") || !json["classes"].is_array() ||
      !json.contains("tokenizer"))
    fail<ConfigError>(where, "expects the classes and the tokenizer of a text classifier");
  ClassifierFacts facts;
  for (const auto& label : json["classes"]) {
    if (!label.is_string()) fail<ConfigError>(where, "class {} has no name", facts.classes.size());
    facts.classes.push_back(label.get<std::string>());
  }
  if (facts.classes.size() < 2)
    fail<ConfigError>(where, "a classifier needs at least two classes, got {}",
                      facts.classes.size());
  facts.tokenizer = data::WordTokenizer::from_json(json["tokenizer"].dump(), where);
  return facts;
}

nn::BertConfig classifier_config(const ClassifyConfig& c, std::int64_t vocabulary,
                                 std::int64_t classes) {
  return bert_config(c, vocabulary, classes, c.pretrain > 0);
}

void take_encoder(nn::Bert& model, const nn::Bert& pretrained) {
  nn::NamedTensors encoder;
  for (const auto& [name, tensor] : pretrained.state_dict())
    if (name.starts_with("bert.")) encoder.emplace_back(name, tensor);
  model.load_state_dict(encoder, false);
}

void check_same_encoder(const ClassifyConfig& config, const BertRunConfig& pretrained) {
  const auto& c = config.model.as<BertChoices>();
  const auto& before = pretrained.model.as<BertChoices>();
  const auto same = [&](const char* field, double own, double theirs) {
    if (own != theirs)
      fail<ConfigError>("config", "{} is {} here but {} in the run it begins with: leave it out",
                        field, own, theirs);
  };
  same("layers", static_cast<double>(c.layers), static_cast<double>(before.layers));
  same("heads", static_cast<double>(c.heads), static_cast<double>(before.heads));
  same("width", static_cast<double>(c.width), static_cast<double>(before.width));
  same("mlp_ratio", c.mlp_ratio, before.mlp_ratio);
  same("context", static_cast<double>(config.context), static_cast<double>(pretrained.context));
}

}  // namespace weft::train
