// Equal budgets: widths solved for parameters, and arithmetic by formula against the calls that are
// counted.
#include <doctest/doctest.h>

#include <cmath>

#include "nn/describe.h"
#include "nn/models/gpt.h"
#include "tests/core/error_text.h"
#include "tests/train/tiny_runs.h"
#include "train/compare/budget.h"
#include "train/tasks/common/image_facts.h"
#include "train/tasks/common/sketch.h"
#include "train/tasks/text/text_model.h"
#include "train/tasks/vision/vision_model.h"

using namespace weft;
using namespace weft::compare;
using weft::test::error_text;

namespace {

double square_law(std::int64_t width) {
  return 12.0 * static_cast<double>(width) * static_cast<double>(width);
}

}  // namespace

TEST_CASE("the width nearest the target is found, in steps of the heads") {
  CHECK(solve_width(square_law, {.target = 12.0 * 128 * 128, .granularity = 4}) == 128);
  CHECK(solve_width(square_law, {.target = 12.0 * 128 * 128}) == 128);
  CHECK(solve_width(square_law, {.target = 12.0 * 127 * 127, .granularity = 4}) == 128);
  CHECK(solve_width(square_law, {.target = 12.0 * 129 * 129, .granularity = 4}) == 128);
  CHECK(solve_width(square_law, {.target = 12}) == 1);
  CHECK(solve_width([](std::int64_t) { return 1000.0; }, {.target = 1010}) >
        0);  // a model without a width may still fit
  for (std::int64_t width = 50; width < 3000; width += 7)
    CHECK(solve_width(square_law, {.target = square_law(width)}) == width);
}

TEST_CASE("a budget that no width can meet is refused with the widths around it") {
  CHECK(error_text<ConfigError>([] {
          solve_width(
              square_law,
              {.target = 100000, .granularity = 64, .where = "s.toml:8", .arm = "heads-64"});
        }) ==
        "[s.toml:8] no width gives arm heads-64 the 100,000 parameters of the budget within 2 %: "
        "width 64 has 49,152, width 128 has 196,608 (widths are multiples of 64); choose a "
        "larger target or fewer heads, or label it: unequal = true");
  CHECK(error_text<ConfigError>([] { solve_width(square_law, {.target = 5}); }) ==
        "[budget] no width gives the model the 5 parameters of the budget within 2 %: width 1 has "
        "12; choose a larger target or fewer layers, or label it: unequal = true");
  CHECK(error_text<ConfigError>([] {
          solve_width(square_law, {.target = 1e18});
        }).find("choose a smaller target or more layers") != std::string::npos);
  CHECK(error_text<ConfigError>([] {
          solve_width([](std::int64_t) { return 17.0; },
                      {.target = 5000, .where = "s.toml:3", .arm = "logistic"});
        }) ==
        "[s.toml:3] no width gives arm logistic the 5,000 parameters of the budget within 2 %: it "
        "has 17, whatever its width; choose another target, or label it: unequal = true");
  CHECK(error_text<ConfigError>([] { solve_width(square_law, {.target = NAN}); }) ==
        "[budget] a budget expects at least 1 parameter, got nan");
  CHECK(error_text<ConfigError>([] {
          solve_width(square_law, {.target = 10, .granularity = 0});
        }) == "[budget] a width cannot be a multiple of 0");
  CHECK_THROWS_AS(solve_width([](std::int64_t) { return NAN; }, {.target = 100}), ConfigError);
}

TEST_CASE("configurations are brought to equal parameters") {
  const train::TextConfig reference;
  const train::Kind& text = train::kind_of(reference);
  const auto shakespeare = text.inspect_data(reference);
  const double target = text.parameters(reference, *shakespeare);
  CHECK(target == static_cast<double>(train::build_model(reference, 65)->num_parameters()));
  for (const std::int64_t heads : {1, 2, 8}) {
    train::TextConfig arm = reference;
    test::set(arm, {{"heads", std::to_string(heads)},
                    {"activation", heads == 2 ? "swiglu" : "gelu_erf"},
                    {"positions", heads == 8 ? "rope" : "learned"}});
    const auto solved = with_width(text, arm, *shakespeare, {.target = target});
    const std::int64_t width = train::width_of(*solved);
    CAPTURE(width);
    CHECK(width % (heads == 8 ? 16 : heads) == 0);
    CHECK(std::abs(text.parameters(*solved, *shakespeare) - target) <= 0.02 * target);
    text.check(*solved);
  }
  const train::VisionConfig vit;
  const train::Kind& vision = train::kind_of(vit);
  const auto mnist = vision.inspect_data(vit);
  const double vit_target = vision.parameters(vit, *mnist);
  CHECK(vit_target ==
        static_cast<double>(train::build_model(vit, train::ImageFacts())->num_parameters()));
  for (const char* kind : {"mlp", "cnn"}) {
    train::VisionConfig arm = vit;
    arm.model = kind;
    const auto solved = with_width(vision, arm, *mnist, {.target = vit_target});
    CHECK(std::abs(vision.parameters(*solved, *mnist) - vit_target) <= 0.02 * vit_target);
    const auto built =
        train::build_model(static_cast<const train::VisionConfig&>(*solved), train::ImageFacts());
    CHECK(static_cast<double>(built->num_parameters()) == vision.parameters(*solved, *mnist));
  }
  train::TextConfig wide_heads;
  test::set(wide_heads, {{"heads", "3"}, {"head_size", "20"}});
  CHECK(text.width_granularity(wide_heads) == 1);
  CHECK(text.length(reference, *shakespeare).samples == 2000.0 * 12);
  CHECK(vision.length(vit, *mnist).steps ==
        (55000 + 127) / 128 * 5);  // the last batch of each epoch is smaller
  CHECK(vision.length(vit, *mnist).samples == 55000 * 5);
}

TEST_CASE("training is three forwards, and a budget of FLOPs is so many steps") {
  // nanoGPT's character model, batch 12: 6 parameters tokens, and the attention over 64 tokens.
  const nn::GptConfig config{
      .vocab_size = 65, .block_size = 64, .n_layer = 4, .n_head = 4, .n_embd = 128};
  nn::Gpt model(config);
  const double step = train::training_flops(nn::describe(model).flops, 12);
  const double matrices = 4 * 12.0 * 128 * 128 + 65 * 128;
  CHECK(step == 6 * matrices * 12 * 64 + 3 * 12 * 4 * 4.0 * 64 * 64 * 128);
  CHECK(solve_steps(step, 2000 * step, "s.toml:1", "a") == 2000);
  CHECK(solve_steps(step, 0.6 * step, "s.toml:1", "a") == 1);
  CHECK(error_text<ConfigError>([] { solve_steps(1e9, 1e8, "s.toml:1", "a"); }) ==
        "[s.toml:1] the budget of 1e+08 FLOPs is less than one step of arm a, 1e+09; give a larger "
        "one");
  CHECK_THROWS_AS(solve_steps(1, 1e12, "s", "a"), ConfigError);
  CHECK_THROWS_AS(solve_steps(0, 1e12, "s", "a"), ConfigError);
  CHECK_THROWS_AS(solve_steps(NAN, 1e12, "s", "a"), ConfigError);
}

TEST_CASE("what was spent is the budget within its tolerance, above it and below") {
  const auto refused = [](double spent) {
    return error_text<ConfigError>(
        [&] { require_spent(spent, 100, 0.02, "FLOPs", "s.toml:8", "a"); });
  };
  CHECK_NOTHROW(require_spent(102, 100, 0.02, "FLOPs", "s.toml:8", "a"));
  CHECK_NOTHROW(require_spent(98, 100, 0.02, "FLOPs", "s.toml:8", "a"));
  CHECK(refused(103) ==
        "[s.toml:8] arm a would spend 103 FLOPs of the budget of 100, +3.0 %, and 2 % are allowed; "
        "give a larger budget, a smaller batch, or label it: unequal = true");
  CHECK(refused(97).find("-3.0 %") != std::string::npos);
  CHECK(refused(NAN).starts_with("[s.toml:8] arm a would spend nan"));
}
