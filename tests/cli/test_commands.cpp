// The commands as a user meets them.
#include <doctest/doctest.h>

#include "data/image/png.h"
#include "data/text/utf8.h"
#include "tests/cli/run_program.h"

using namespace weft;
using test::operator+;
using test::Outcome;
using test::TempFolder;
using test::tiny_train;
using test::weft_with;
namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

std::int64_t characters(const std::string& text) {
  return static_cast<std::int64_t>(data::decode_utf8(text, "output").size());
}

}  // namespace

TEST_CASE("every command has help with an example, and says its defaults") {
  const TempFolder folder;
  for (const Words& command : std::vector<Words>{{"demo"},
                                                 {"train"},
                                                 {"train", "text"},
                                                 {"train", "vision"},
                                                 {"sample"},
                                                 {"predict"},
                                                 {"eval"},
                                                 {"gradcheck"},
                                                 {"bench"},
                                                 {"bench", "gpt"},
                                                 {"bench", "vit"},
                                                 {"bench", "ops"},
                                                 {"info"},
                                                 {"info", "model"}}) {
    CAPTURE(command.back());
    const Outcome outcome = weft_with(folder, command + Words{"--help"});
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find("Example") != std::string::npos);
    CHECK(outcome.err.empty());
  }
  const std::string help = weft_with(folder, {"train", "text", "--help"}).out;
  CHECK(help.find("--lr NUMBER=0.001") != std::string::npos);
  CHECK(help.find("nanogpt-cpu") != std::string::npos);
  CHECK(weft_with(folder, {"--help"}).out.find("weft demo") != std::string::npos);
  CHECK(weft_with(folder, {"--version"}).out.rfind("weft ", 0) == 0);
  CHECK(weft_with(folder, {}).code == 2);
}

TEST_CASE("train, sample, eval, info of text") {
  const TempFolder folder;
  const std::string run = (folder / "run").string();
  const Outcome trained =
      weft_with(folder, tiny_train(folder, run) +
                            Words{"--json", "--no-bias", "--tie", "no", "--threads", "1"});
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  const Json summary = Json::parse(trained.out);
  CHECK(summary["steps"] == 12);
  CHECK(trained.err.find("val loss") != std::string::npos);  // plain lines, no terminal
  CHECK(trained.err.find('\r') == std::string::npos);
  CHECK(trained.err.find('\x1b') == std::string::npos);
  const Json config = Json::parse(read_file(run + "/config.json"));
  CHECK(config["bias"] == false);
  CHECK(config["tie"] == false);
  CHECK(config["kv_heads"] == 2);

  const Outcome once =
      weft_with(folder, {"sample", run, "--chars", "50", "--seed", "3", "--prompt", "the "});
  CHECK(once.code == 0);
  CHECK(once.out.rfind("the ", 0) == 0);
  CHECK(characters(once.out) == 4 + 50 + 1);
  CHECK(
      weft_with(folder, {"sample", run, "--chars", "50", "--seed", "3", "--prompt", "the "}).out ==
      once.out);
  CHECK(
      weft_with(folder, {"sample", run, "--chars", "50", "--seed", "4", "--prompt", "the "}).out !=
      once.out);
  const Json sample = Json::parse(weft_with(folder, {"sample", run, "--chars", "50", "--seed", "3",
                                                     "--prompt", "the ", "--json"})
                                      .out);
  CHECK("the " + sample["text"].get<std::string>() + "\n" == once.out);

  const Json eval = Json::parse(weft_with(folder, {"eval", run, "--json"}).out);
  CHECK(eval["loss"].get<double>() ==
        doctest::Approx(summary["val_loss"].get<double>()).epsilon(1e-12));
  CHECK(eval["bits_per_byte"].get<double>() ==
        doctest::Approx(summary["val_bits_per_byte"].get<double>()).epsilon(1e-12));
  CHECK(Json::parse(weft_with(folder, {"eval", run + "/best.safetensors", "--json"}).out)
            .contains("loss"));
  CHECK(Json::parse(weft_with(folder, {"info", run, "--json"}).out)["step"] == 12);
  CHECK(weft_with(folder, {"info", run}).out.find("transformer") != std::string::npos);

  // Another run from the first one's configuration, one flag changed.
  const std::string second = (folder / "second").string();
  CHECK(
      weft_with(folder, {"train", "text", "--config", run, "--seed", "2", "--out", second}).code ==
      0);
  CHECK(Json::parse(read_file(second + "/config.json"))["width"] == 16);
  // Resuming a finished run does no harm.
  const std::string before = read_file(run + "/last.safetensors");
  CHECK(weft_with(folder, {"train", "text", "--resume", "--out", run}).code == 0);
  CHECK(read_file(run + "/last.safetensors") == before);
}

TEST_CASE("a byte model's sample holds whole characters only") {
  const TempFolder folder;
  std::string poem;
  for (int i = 0; i < 200; ++i) poem += i % 2 == 0 ? "水月花鳥風" : "ü—é";
  write_file((folder / "poem.txt").string(), poem);
  const std::string run = (folder / "run").string();
  REQUIRE(weft_with(folder, {"train", "text", "--data", (folder / "poem.txt").string(),
                             "--tokenizer", "byte", "--layers", "1", "--width", "16", "--heads",
                             "2", "--context", "8", "--steps", "3", "--out", run})
              .code == 0);
  for (const char* seed : {"1", "2", "3"}) {
    const Outcome sample = weft_with(folder, {"sample", run, "--chars", "40", "--seed", seed});
    CHECK(sample.code == 0);
    CHECK(characters(sample.out) == 41);  // throws where it is not UTF-8
  }
}

TEST_CASE("train, predict, eval of images") {
  const TempFolder folder;
  test::write_tiny_images(folder / "images");
  const std::string run = (folder / "run").string();
  const Outcome trained =
      weft_with(folder, {"train", "vision", "--data", (folder / "images").string(), "--model",
                         "mlp", "--width", "32", "--batch", "8", "--epochs", "30", "--validation",
                         "10", "--lr", "1e-2", "--out", run, "--json"});
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  CHECK(Json::parse(trained.out)["test_accuracy"] == 1.0);
  CHECK(Json::parse(weft_with(folder, {"eval", run, "--json"}).out)["accuracy"] == 1.0);

  const Json guesses =
      Json::parse(weft_with(folder, {"predict", run, "--test-image", "0", "1", "2", "--json"}).out);
  REQUIRE(guesses.size() == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(guesses[static_cast<std::size_t>(i)]["class"] == i);
    CHECK(guesses[static_cast<std::size_t>(i)]["truth"] == i);
    CHECK(guesses[static_cast<std::size_t>(i)]["probabilities"].size() == 3);
  }
  // A larger picture of class 1, as a file.
  std::vector<std::uint8_t> pixels(32 * 32);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = i / 32 / 4 / 3 == 1 ? 200 : 40;
  const std::string png = (folder / "one.png").string();
  data::save_png(png, Tensor::from(pixels, {32, 32}));
  CHECK(Json::parse(
            weft_with(folder, {"predict", run, png, "--json", "--invert", "no"}).out)[0]["class"] ==
        1);
  CHECK(weft_with(folder, {"predict", run, png, "--invert", "no"}).out.find("one.png:  1 ") !=
        std::string::npos);

  CHECK(weft_with(folder, {"predict", run}).code == 2);
  CHECK(weft_with(folder, {"predict", run, "--test-image", "9"}).code == 1);
  CHECK(weft_with(folder, {"predict", run, (folder / "none.png").string()}).code == 1);
  write_file(png, "no picture");
  CHECK(weft_with(folder, {"predict", run, png}).code == 1);
}

TEST_CASE("info of the machine and of models") {
  const TempFolder folder;
  const Json machine = Json::parse(weft_with(folder, {"info", "--json"}).out);
  for (const char* name : {"version", "cpu", "blas", "threads", "cores"})
    CHECK_MESSAGE(machine.contains(name), name);
  const Json gpt = Json::parse(
      weft_with(folder, {"info", "model", "--kind", "gpt", "--layers", "4", "--heads", "4",
                         "--width", "128", "--context", "64", "--bias", "no", "--json"})
          .out);
  // 65 x 128 embedding (shared with the head), 64 x 128 positions, 4 blocks of 12 width^2 and two
  // norms, a last norm.
  CHECK(gpt["params"] == 65 * 128 + 64 * 128 + 4 * (12 * 128 * 128 + 2 * 128) + 128);
  const Json vit = Json::parse(
      weft_with(folder, {"info", "model", "--kind", "vit", "--layers", "2", "--json"}).out);
  CHECK(vit["params"].get<int>() > 0);
  CHECK(weft_with(folder, {"info", "model", "--kind", "gpt", "--patch", "4"}).code == 2);
  CHECK(weft_with(folder, {"info", "model", "--kind", "cnn"}).out.find("Conv2d") !=
        std::string::npos);
  // Whatever is in the table of a model is a flag here.
  CHECK(weft_with(folder, {"info", "model", "--kind", "gpt", "--attention", "linear"})
            .out.find("causal, linear") != std::string::npos);
}

TEST_CASE("gradcheck of one op") {
  const TempFolder folder;
  const Outcome outcome = weft_with(folder, {"gradcheck", "relu", "--json"});
  CHECK(outcome.code == 0);
  const Json list = Json::parse(outcome.out);
  REQUIRE(!list.empty());
  for (const auto& entry : list) CHECK(entry["passed"] == true);
  CHECK(weft_with(folder, {"gradcheck", "no-such-op"}).code == 2);
}
