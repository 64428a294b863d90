#include <doctest/doctest.h>

#include <set>

#include "core/error.h"
#include "core/io/file.h"
#include "tests/train/tiny_runs.h"
#include "train/config/config_fields.h"
#include "train/config/config_sources.h"
#include "train/loop/figures.h"
#include "train/tasks/common/kinds.h"
#include "train/tasks/text/text_model.h"
#include "train/tasks/vision/vision_model.h"

using namespace weft;
using test::TempFolder;
using train::Sources;

namespace {

using Flags = std::vector<std::pair<std::string, std::string>>;

std::string text_error(const Flags& flags, const std::filesystem::path& file = {},
                       const std::string& preset = "") {
  try {
    train::resolve<train::TextConfig>({.preset = preset, .file = file, .flags = flags});
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

std::string vision_error(const Flags& flags) {
  try {
    train::resolve<train::VisionConfig>({.preset = "", .file = {}, .flags = flags});
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("later sources win: defaults, preset, file, flags") {
  const TempFolder folder;
  write_file((folder / "c.toml").string(),
             "preset = \"text-best\"\nwidth = 64  # less\nlr = 3e-3\ntie = true\n");
  const auto c = train::resolve<train::TextConfig>(
      {.preset = "", .file = folder / "c.toml", .flags = {{"lr", "0.5"}}});
  CHECK(c.optimizer == "muon");            // preset
  CHECK(test::value(c, "width") == "64");  // file over preset
  CHECK(test::value(c, "tie") == "yes");
  CHECK(c.lr == 0.5);                       // flag over file
  CHECK(test::value(c, "beta1") == "0.9");  // default
}

TEST_CASE("config.json of a run holds everything and comes back whole") {
  train::TextConfig c = train::resolve<train::TextConfig>(
      {.preset = "text-best",
       .file = {},
       .flags = {{"until", "val_loss=1.93"}, {"dropout", "0.25"}}});
  train::settle_common(c, c.steps, 200);
  const std::string json = train::to_json(c);
  CHECK(train::kind_of_json(json, "x").name() == "text");
  CHECK(train::to_json(train::config_from_json<train::TextConfig>(json, "x")) == json);
  const auto parsed = nlohmann::json::parse(json);
  for (const train::Field* const field : train::kind_of(c).fields(c))
    CHECK_MESSAGE(parsed.contains(field->name), field->name);
  const train::VisionConfig v;
  CHECK(train::to_json(train::config_from_json<train::VisionConfig>(train::to_json(v), "x")) ==
        train::to_json(v));
}

TEST_CASE("config.json and a run's folder serve as --config, of the right task only") {
  const TempFolder folder;
  train::TextConfig c;
  test::set(c, {{"width", "32"}});
  write_file((folder / "config.json").string(), train::to_json(c));
  for (const auto& file : {folder / "config.json", folder / ""})
    CHECK(test::value(train::resolve<train::TextConfig>({.preset = "", .file = file, .flags = {}}),
                      "width") == "32");
  CHECK_THROWS_WITH_AS(train::resolve<train::VisionConfig>(
                           {.preset = "", .file = folder / "config.json", .flags = {}}),
                       doctest::Contains("configuration of a text run"), ConfigError);
}

TEST_CASE("what a run had left to the program is left to it again in a run that is made from it") {
  const TempFolder folder;
  train::TextConfig c = test::tiny_text_config(folder);
  test::set(c, {{"width", "16"}, {"heads", "2"}});
  c.eval_every = 4;
  c.save_every = 0;
  train::train_run(c, {.out = folder / "run"});
  const auto from = [&](const std::vector<std::pair<std::string, std::string>>& flags) {
    return train::resolve<train::TextConfig>(
        {.preset = "", .file = folder / "run", .flags = flags});
  };
  const auto settled = [&](train::TextConfig config) {
    train::settle_common(config, config.steps, 100);
    return config;
  };
  const train::TextConfig wide = settled(from({{"width", "24"}})),
                          more = settled(from({{"heads", "4"}})),
                          one = settled(from({{"heads", "1"}}));
  CHECK(test::value(wide, "head_size") == "12");
  CHECK(test::value(more, "head_size") == "4");
  CHECK(test::value(more, "kv_heads") == "4");
  CHECK(test::value(one, "kv_heads") == "1");
  CHECK(settled(from({{"steps", "2000"}})).warmup == 100);
  CHECK(from({}).eval_every == 4);  // was chosen
  CHECK(from({}).save_every == 0);  // was not
  // Resuming takes what was settled, and writes it again as it was.
  const std::string text = read_file((folder / "run" / "config.json").string());
  const auto again = train::config_from_json<train::TextConfig>(text, "x");
  CHECK(test::value(again, "head_size") == "8");
  CHECK(train::to_json(again) == text);
  CHECK_THROWS_WITH_AS(train::config_from_json<train::TextConfig>("{\"derived\": 3}", "x"),
                       "[x] derived must hold choices and what they were", ConfigError);
  // What somebody has changed in the file since is their choice.
  std::string edited = text;
  const auto at = edited.find("\"head_size\": 8");
  REQUIRE(at != std::string::npos);
  write_file((folder / "edited.json").string(), edited.replace(at, 14, "\"head_size\": 6"));
  CHECK(test::value(train::resolve<train::TextConfig>(
                        {.preset = "", .file = folder / "edited.json", .flags = {{"width", "24"}}}),
                    "head_size") == "6");
}

TEST_CASE(
    "a configuration of a newer version is refused, one of an older version keeps its format") {
  const std::string json = train::to_json(train::TextConfig());
  const auto with_format = [&](const std::string& text) {
    std::string changed = json;
    return changed.replace(changed.find("\"format\": 6,"), 12, text);
  };
  REQUIRE(json.find("\"format\": 6,") != std::string::npos);
  const auto read = [](const std::string& text) {
    return train::config_from_json<train::TextConfig>(text, "c.json");
  };
  CHECK_THROWS_WITH_AS(read(with_format("\"format\": 7,")),
                       "[c.json] was written by a newer weft: format 7, this one reads up to 6",
                       ConfigError);
  CHECK_THROWS_WITH_AS(read(with_format("\"format\": -1,")),
                       "[c.json] format is -1, which no weft has written", ConfigError);
  CHECK(read(with_format("")).format == 1);
  CHECK(train::to_json(read(with_format("\"format\": 2,"))) == with_format("\"format\": 2,"));
  CHECK(train::to_json(read(json)) == json);
}

TEST_CASE("a new run from an old one follows the present rules") {
  const TempFolder folder;
  train::TextConfig old;
  old.format = 2;
  write_file((folder / "config.json").string(), train::to_json(old));
  CHECK(
      train::resolve<train::TextConfig>({.preset = "", .file = folder / "config.json", .flags = {}})
          .format == train::kConfigFormat);
}

TEST_CASE("names are unique, and every preset resolves") {
  for (const train::Kind* kind : train::kinds()) {
    std::set<std::string> names;
    for (const auto& field : kind->fields()) {
      CHECK_MESSAGE(names.insert(field.name).second, kind->name(), ": ", field.name);
      CHECK(!field.help.empty());
    }
    CHECK_NOTHROW(kind->check(*kind->make()));
    CHECK(kind->example().starts_with("weft train " + kind->name()));
    for (const std::string& figure : kind->figures()) CHECK(train::find_figure(figure) != nullptr);
    for (const auto& preset : kind->presets()) {
      CAPTURE(preset.name);
      CHECK_NOTHROW(train::resolve(*kind, {.preset = preset.name, .file = {}, .flags = {}}));
    }
  }
}

TEST_CASE("the published recipe is the published recipe") {
  const auto c =
      train::resolve<train::TextConfig>({.preset = "nanogpt-cpu", .file = {}, .flags = {}});
  CHECK(test::value(c, "layers") == "4");
  CHECK(test::value(c, "heads") == "4");
  CHECK(test::value(c, "width") == "128");
  CHECK(c.context == 64);
  CHECK(c.batch == 12);
  CHECK(c.steps == 2000);
  CHECK(c.lr == 1e-3);
  CHECK(c.schedule == "cosine");
  CHECK(c.final_lr == 0.1);
  CHECK(c.warmup == 100);
  CHECK(c.optimizer == "adamw");
  CHECK(test::value(c, "beta1") == "0.9");
  CHECK(test::value(c, "beta2") == "0.99");
  CHECK(c.weight_decay == 0.1);
  CHECK(c.clip == 1);
  CHECK(test::value(c, "dropout") == "0");
  CHECK(test::value(c, "bias") == "no");
  CHECK(test::value(c, "tie") == "yes");
}

TEST_CASE("wrong values are refused with the rule, the value and the mend") {
  CHECK(text_error({{"lr", "nan"}}) ==
        "[flags] lr must be a number above 0 up to 1000000, got nan");
  CHECK(text_error({{"lr", "0"}}) == "[flags] lr must be a number above 0 up to 1000000, got 0");
  CHECK(text_error({{"lr", "inf"}}) ==
        "[flags] lr must be a number above 0 up to 1000000, got inf");
  CHECK(text_error({{"lr", "1e-3x"}}) ==
        "[flags] lr must be a number above 0 up to 1000000, got 1e-3x");
  CHECK(text_error({{"layers", "2.5"}}) ==
        "[flags] layers must be a whole number from 1 up to 10000, got 2.5");
  CHECK(text_error({{"layers", "99999999999999999999"}})
            .find("layers must be a whole number from 1 up to 10000") != std::string::npos);
  CHECK(text_error({{"layers", ""}}) ==
        "[flags] layers must be a whole number from 1 up to 10000, got nothing");
  CHECK(text_error({{"dropout", "1"}}) ==
        "[flags] dropout must be a number from 0 up to 0.99, got 1");
  CHECK(text_error({{"tie", "maybe"}}) == "[flags] tie must be yes or no, got maybe");
  CHECK(text_error({{"optimizer", "adamv"}}) ==
        "[flags] optimizer must be one of adamw, sgd, adam, lion, muon, rmsprop, got adamv; "
        "did you mean "
        "adamw?");
  CHECK(text_error({{"lrr", "1"}}) == "[flags] unknown key lrr; did you mean lr?");
  CHECK(text_error({{"until", "val_los=2"}}) ==
        "[config] until must be one of what a text run measures, val_loss=NUMBER, "
        "val_bits_per_byte=NUMBER; got val_los=2");
  CHECK(text_error({{"until", "val_loss=nan"}}) ==
        "[config] until must be one of what a text run measures, val_loss=NUMBER, "
        "val_bits_per_byte=NUMBER; got val_loss=nan");
  CHECK(text_error({{"until", "val_accuracy=1"}})
            .find("what a text run measures, val_loss=NUMBER, val_bits_per_byte=NUMBER; got "
                  "val_accuracy=1") != std::string::npos);
  CHECK(text_error({}, {}, "text-bst") ==
        "[config] there is no preset text-bst for text: did you mean text-best?; presets: "
        "nanogpt-cpu, text-best, text-fast, tang");
}

TEST_CASE("combinations that cannot be") {
  CHECK(text_error({{"width", "130"}}) ==
        "[config] width must be divisible by heads: width 130, heads 4; choose a width of 128, or "
        "a --head-size");
  CHECK(text_error({{"width", "130"}, {"head_size", "16"}}) == "no error");
  CHECK(text_error({{"kv_heads", "3"}}) ==
        "[config] heads must be divisible by kv_heads: heads 4, kv_heads 3");
  CHECK(text_error({{"warmup", "3000"}}) ==
        "[config] warmup must not be longer than the run: warmup 3000, steps 2000");
  CHECK(text_error({{"positions", "rope"}, {"head_size", "7"}}).find("must be even, got 7") !=
        std::string::npos);
  CHECK(
      text_error({{"norm_weight", "no"}}).find("a layer norm without weights has no bias either") !=
      std::string::npos);
  CHECK(text_error({{"muon_lr", "0.1"}}) ==
        "[flags] --muon-lr 0.1 has no effect with optimizer adamw: remove one of the two");
  CHECK(text_error({{"decay", "0.5"}}) ==
        "[flags] --decay 0.5 has no effect with schedule cosine: remove one of the two");
  CHECK(text_error({{"bias", "yes"}, {"bias", "no"}}) ==
        "[flags] --bias is given twice, as yes and as no: remove one of the two");
  CHECK(vision_error({{"model", "mlp"}, {"patch", "4"}}) ==
        "[flags] --patch 4 has no effect with model mlp: remove one of the two");
  CHECK(vision_error({{"model", "cnn"}, {"layers", "4"}}) ==
        "[flags] --layers 4 has no effect with model cnn: remove one of the two");
}

TEST_CASE("a file's mistakes are told with their line") {
  const TempFolder folder;
  const auto path = folder / "c.toml";
  const auto error_of = [&](const std::string& text) {
    write_file(path.string(), text);
    return text_error({}, path);
  };
  CHECK(error_of("width = 64\nlayer = 3\n") ==
        "[" + path.string() + ":2] unknown key layer; did you mean layers?");
  CHECK(error_of("width = \"64\"\n") == "[" + path.string() + ":1] width must be a number");
  CHECK(error_of("\n\nbias = 1\n") == "[" + path.string() + ":3] bias must be true or false");
  CHECK(error_of("[model]\nwidth = 64\n").find(":1] model must be a") != std::string::npos);
  CHECK(error_of("width 64\n").find(":1] is not TOML: ") != std::string::npos);
  CHECK(error_of("patch = 4\n").find("unknown key patch") != std::string::npos);
  CHECK_THROWS_AS(
      train::resolve<train::TextConfig>({.preset = "", .file = folder / "none.toml", .flags = {}}),
      IoError);
}

TEST_CASE("what the data decide: context, patch, batch") {
  train::TextConfig c;
  c.context = 1000;
  CHECK_THROWS_WITH_AS(train::check_data(c, 5000, 500),
                       "[config] context is longer than the data: context 1000, 5000 tokens to "
                       "train and 500 to validate on; at most 499 here",
                       ConfigError);
  train::VisionConfig v;
  test::set(v, {{"patch", "5"}});
  CHECK_THROWS_WITH_AS(train::check_data(v, 50000, train::ImageFacts()),
                       "[config] patch must divide the image: patch 5, images 28 x 28; choose a "
                       "common divisor of both sides, such as 28",
                       ConfigError);
  test::set(v, {{"patch", "4"}});
  v.batch = 50001;
  CHECK_THROWS_WITH_AS(train::check_data(v, 50000, train::ImageFacts()),
                       doctest::Contains("batch is larger than the data"), ConfigError);
}

TEST_CASE("what no memory holds is refused before anything is made") {
  train::TextConfig c;
  const auto facts = train::kind_of(c).inspect_data(c);
  train::kind_of(c).check_fits(c, *facts);
  test::set(c, {{"width", "100000"}, {"layers", "1000"}});
  CHECK_THROWS_WITH_AS(train::kind_of(c).check_fits(c, *facts),
                       doctest::Contains("[config] this cannot fit in memory: "), ConfigError);
  train::VisionConfig v;
  const auto images = train::kind_of(v).inspect_data(v);
  test::set(v, {{"width", "200000"}});
  CHECK_THROWS_WITH_AS(train::kind_of(v).check_fits(v, *images),
                       doctest::Contains("cannot fit in memory"), ConfigError);
  test::set(v, {{"width", "64"}});
  v.batch = std::int64_t{1} << 60;
  CHECK_THROWS_WITH_AS(train::kind_of(v).check_fits(v, *images),
                       doctest::Contains("cannot fit in memory"), ConfigError);
}

TEST_CASE("the nearest name") {
  const std::vector<std::string> names = {"layers", "heads", "width", "lr"};
  CHECK(train::nearest("layer", names) == "layers");
  CHECK(train::nearest("widht", names) == "width");
  CHECK(train::nearest("zzzzzz", names).empty());
  CHECK(train::nearest("--steps", {"--items", "--epochs"}).empty());
}
