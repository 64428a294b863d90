// Choices of `weft train` as they are typed and as they hold: derived from the tables of all kinds.
// And what commands refuse because it would do nothing.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "train/cli/command_line.h"
#include "train/cli/config_flags.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/tokens/tokens_config.h"
#include "train/tasks/vision/vision_config.h"

using namespace weft;

namespace {

using Texts = std::vector<std::string>;

/// What `weft train KIND` would write into config.json for these words, or the error.
std::string written(const train::Kind& kind, const Texts& words) {
  CLI::App app("", "weft");
  train::Sources sources;
  sources.checked = false;
  cli::add_config_flags(app, kind, sources);
  try {
    cli::parse_literally(app, words);
    return train::to_json(kind, *train::resolve(kind, sources));
  } catch (const Error& error) {
    return error.what();
  }
}

bool is_error(const std::string& text) { return text.starts_with("["); }
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Words that make a choice mean something, as far as another choice decides that.
std::vector<Texts> settings_of(const train::Kind& kind) {
  std::vector<Texts> all{{}};
  for (const std::string& model : train::models_of(kind)) all.push_back({"--model=" + model});
  for (const char* more :
       {"--optimizer=muon", "--optimizer=sgd", "--optimizer=rmsprop", "--schedule=wsd",
        "--pretrain=10", "--init=gpt2", "--data=wine", "--data=modular_addition"})
    all.push_back({more});
  return all;
}

/// Runs a command that refuses what it was asked for before it does anything.
std::string refused(Texts words) {
  words.insert(words.begin(), "weft");
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  const cli::CommandLine line =
      cli::read_command_line(static_cast<int>(pointers.size()), pointers.data());
  if (!line.error.empty()) return line.error;
  try {
    line.action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "done";
}

std::string help_of(const train::Kind& kind) {
  const char* const words[] = {"weft", "train", nullptr, "--help"};
  std::vector<const char*> pointers(std::begin(words), std::end(words));
  const std::string name = kind.name();
  pointers[2] = name.c_str();
  return cli::read_command_line(4, pointers.data()).answer;
}

}  // namespace

TEST_CASE(
    "a yes/no choice of any kind is yes when it is bare, and config.json has what was asked for") {
  std::set<std::string> seen;
  for (const train::Kind* kind : train::kinds()) {
    for (const train::Field& field : kind->fields()) {
      if (!std::holds_alternative<bool>(field.like)) continue;
      CAPTURE(kind->name());
      CAPTURE(field.name);
      bool taken = false;
      for (const Texts& setting : settings_of(*kind)) {
        const auto value = [&](const Texts& words) {
          Texts all = setting;
          all.insert(all.end(), words.begin(), words.end());
          return written(*kind, all);
        };
        const std::string bare = value({field.flag()});
        if (is_error(bare)) continue;
        taken = true;
        const auto truth = [&](const std::string& json) {
          return nlohmann::json::parse(json)[field.name].get<bool>();
        };
        CHECK(truth(bare));
        for (const char* yes : {"yes", "true", "on", "1"}) {
          CHECK(truth(value({field.flag(), yes})));
          CHECK(truth(value({field.flag() + "=" + yes})));
        }
        for (const char* no : {"no", "false", "off", "0"}) {
          CHECK_FALSE(truth(value({field.flag(), no})));
          CHECK_FALSE(truth(value({field.flag() + "=" + no})));
        }
        const std::string no_flag = "--no-" + field.flag().substr(2);
        CHECK_FALSE(truth(value({no_flag})));
        for (const Texts& twice : {Texts{field.flag(), no_flag}, Texts{no_flag, no_flag},
                                   Texts{no_flag, field.flag() + "=no"}})
          CHECK(contains(value(twice), "given twice"));
        for (const char* wrong : {"", "perhaps", "[yes]", "YES", "2"})
          CHECK(contains(value({field.flag() + "=" + wrong}), "must be yes or no"));
      }
      CHECK(taken);
      seen.insert(field.name);
    }
  }
  for (const char* name : {"standardize", "flip", "qk_norm", "post_norm", "zero_init", "one_token",
                           "user_id", "tie", "shuffle_pixels"})
    CHECK_MESSAGE(seen.contains(name), name);
}

TEST_CASE("every other choice arrives as it was typed, or is refused") {
  const Texts hostile{"[MASK]", "[1]", "a,b", "\"1\"", "1=1",   "a\nb", "水",  "",    " 1", "1 ",
                      "0x1",    "nan", "inf", "1e999", "-1e30", "1",    "0.5", "--1", "yes"};
  for (const train::Kind* kind : train::kinds()) {
    for (const train::Field& field : kind->fields()) {
      const train::Value& normal = field.like;
      if (std::holds_alternative<bool>(normal)) continue;
      CAPTURE(kind->name());
      CAPTURE(field.name);
      if (field.name == "init" && field.choices.empty()) continue;  // a run that is read at once
      for (const std::string& text : hostile) {
        CAPTURE(text);
        const std::string json = written(*kind, {field.flag() + "=" + text});
        const bool meaningless = contains(json, "has no effect with");
        if (std::holds_alternative<std::string>(normal)) {
          if (!field.choices.empty())
            CHECK(contains(json, field.name + " must be one of"));
          else if (!meaningless)
            CHECK(nlohmann::json::parse(json)[field.name].get<std::string>() == text);
        } else if (text != "1" && text != "0.5" && text != "-1e30") {
          CHECK(contains(json, field.name + " must be a "));
        } else if (!is_error(json)) {
          CHECK(nlohmann::json::parse(json)[field.name].get<double>() == std::stod(text));
        }
      }
      for (const std::string& choice : field.choices) {
        const std::string json = written(*kind, {field.flag(), choice});
        if (!contains(json, "has no effect with"))
          CHECK(nlohmann::json::parse(json)[field.name].get<std::string>() == choice);
      }
    }
  }
}

TEST_CASE("the help of every kind shows for each model what will hold") {
  std::size_t different = 0;
  for (const train::Kind* kind : train::kinds()) {
    const std::string help = help_of(*kind);
    for (const train::Field& field : kind->fields()) {
      CAPTURE(kind->name());
      CAPTURE(field.name);
      const std::size_t at = help.find("\n  " + field.flag() + " ");
      REQUIRE(at != std::string::npos);
      const std::string line = help.substr(at, help.find("\n  --", at + 1) - at);
      const bool of_optimizers = !train::optimizers().with_field(field.name).empty();
      for (const std::string& entry :
           of_optimizers ? train::optimizers().names() : train::models_of(*kind)) {
        CAPTURE(entry);
        const auto config = of_optimizers ? train::defaults_for(*kind, "", entry)
                                          : train::defaults_for(*kind, entry);
        if (field.name == "model") continue;
        const std::string because = kind->meaningless(*config, field.name);
        if (because.starts_with("model ") || because.starts_with("optimizer ")) continue;
        const std::string value =
            train::value_text(*config, *kind->find_field(*config, field.name));
        const train::Defaults defaults = train::defaults_of(*kind, field);
        const auto own =
            std::find_if(defaults.by_entry.begin(), defaults.by_entry.end(), [&](const auto& one) {
              return std::find(one.second.begin(), one.second.end(), entry) != one.second.end();
            });
        REQUIRE(own != defaults.by_entry.end());
        CHECK(own->first == value);
        const bool one_default = defaults.by_entry.size() == 1 && !defaults.some;
        CHECK_MESSAGE(contains(line, one_default ? value.empty() ? "" : "=" + value
                                                 : train::defaults_text(defaults)),
                      line);
        different += defaults.by_entry.size() > 1 ? 1 : 0;
      }
    }
  }
  CHECK(different > 20);
  const std::string vision = help_of(train::kind_of(train::VisionConfig()));
  CHECK(contains(vision, "(default: vit 6; mlp 2; resnet 1)"));
  CHECK(contains(vision, "(default: vit 64; mlp 256; cnn 128; resnet 16)"));
  CHECK(contains(vision, "(default: vit 0.003; mlp, cnn, lenet 0.001; resnet 0.01)"));
}

TEST_CASE("--until names the figures that the kind measures") {
  for (const train::Kind* kind : train::kinds()) {
    CAPTURE(kind->name());
    const auto error = [&](const std::string& until) -> std::string {
      try {
        train::resolve(*kind, {.preset = "", .file = {}, .flags = {{"until", until}}});
        return "";
      } catch (const ConfigError& refusal) {
        return refusal.what();
      }
    };
    for (const char* wrong : {"nonsense=3", "val_nonsense=3", "val_loss",
                              "val_loss=", "val_loss=nan", "loss=1", "val_loss=1 "}) {
      const std::string text = error(wrong);
      CHECK(contains(text, "val_loss=NUMBER"));
      CHECK(contains(text, std::string("got ") + wrong));
    }
    CHECK(error("val_loss=1") == "");
  }
  const auto tokens_error = [](const std::string& data, const std::string& until) -> std::string {
    try {
      train::resolve(train::kind_of(train::TokensConfig()),
                     {.preset = "", .file = {}, .flags = {{"data", data}, {"until", until}}});
      return "";
    } catch (const ConfigError& refusal) {
      return refusal.what();
    }
  };
  CHECK(tokens_error("wine", "val_r2=0.5") == "");
  CHECK(contains(tokens_error("wine", "val_accuracy=0.5"),
                 "val_loss=NUMBER, val_mse=NUMBER, val_r2=NUMBER"));
  CHECK(contains(tokens_error("additive", "val_mse=0.5"), "val_loss=NUMBER, val_accuracy=NUMBER"));
}

TEST_CASE("what would do nothing is refused") {
  CHECK(contains(refused({"train", "tokens", "--data", "wine", "--label-smoothing", "0.1"}),
                 "--label-smoothing 0.1 has no effect with a target that is a number"));
  CHECK(contains(refused({"train", "text", "--init", "torch", "--init-std", "0.1"}),
                 "--init-std 0.1 has no effect with init torch"));
  CHECK(contains(refused({"train", "bert", "--tokenizer", "words", "--whole-words"}),
                 "--whole-words yes has no effect with tokenizer words"));
  CHECK(contains(refused({"explain", "embedding", "RUN", "--shown", "3"}),
                 "--shown has no effect with no picture"));
  CHECK(contains(refused({"sample", WEFT_SOURCE_DIR "/README.md", "--checkpoint", "best"}),
                 "--checkpoint has no effect with " WEFT_SOURCE_DIR
                 "/README.md, which is a checkpoint"));
  CHECK(contains(refused({"train", "text", "--resume", "--out", "x", "--no-estimate"}),
                 "--no-estimate has no effect with --resume"));
  CHECK(contains(refused({"compare", "--list", "--seeds", "3"}),
                 "--seeds has no effect with --list"));
  CHECK(contains(refused({"compare", "cross-dimension", "--list"}),
                 "suite has no effect with --list"));
  CHECK(contains(refused({"compare", "--check", "--jobs", "3"}),
                 "--jobs has no effect with --check"));
  CHECK(contains(refused({"bench", "gpt", "--rounds", "3"}),
                 "--rounds has no effect with no --against"));
  CHECK(contains(refused({"info", "model", "--kind", "gpt", "--classes", "3"}),
                 "--classes has no effect with kind gpt"));
  CHECK(contains(refused({"info", "model", "--kind", "vit", "--vocabulary", "3"}),
                 "--vocabulary has no effect with kind vit"));
  CHECK(contains(refused({"predict", "RUN", "x.png", "--beam", "2"}),
                 "--beam has no effect with images"));
  CHECK(contains(refused({"predict", "RUN", "x.png", "--top", "2", "--json"}),
                 "--top has no effect with --json"));
  CHECK(contains(refused({"predict", "RUN", "--test-image", "0", "--invert", "yes"}),
                 "--invert has no effect with no files"));
  CHECK(contains(refused({"predict", "RUN", "--text", "x", "--invert", "yes"}),
                 "--invert has no effect with texts"));
  CHECK(contains(refused({"detect", "RUN", "--scene", "0", "--invert", "yes"}),
                 "--invert has no effect with no files"));
  CHECK(contains(refused({"sample", "RUN", "--temperature", "0", "--top-k", "3"}),
                 "--top-k has no effect with --temperature 0"));
  CHECK(contains(refused({"explain", "attention", "--matrices", "full", "--json"}),
                 "--matrices has no effect with --json"));
  CHECK(contains(refused({"explain", "attention", "--samples", "3"}),
                 "--samples has no effect without a run"));
}
