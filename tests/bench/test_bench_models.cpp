// `weft bench gpt|vit`: the fields, how they hang together, and what is refused.
#include "tests/cli/refused.h"

using namespace weft;
using test::check_refused;
using test::operator+;
using test::Outcome;
using test::TempFolder;
using test::weft_with;

namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

const Words kTinyGpt{"bench",   "gpt", "--layers",  "2", "--heads",  "2",
                     "--width", "16",  "--context", "8", "--batch",  "3",
                     "--vocab", "11",  "--steps",   "6", "--warmup", "3"};
const Words kTinyVit{"bench",   "vit", "--layers", "1", "--heads",    "2", "--width",   "8",
                     "--image", "8",   "--patch",  "4", "--channels", "3", "--classes", "5",
                     "--batch", "3",   "--steps",  "5", "--warmup",   "2"};

/// One line of JSON on stdout, nothing on stderr.
Json measured(const Outcome& outcome) {
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  CHECK(outcome.err.empty());
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 1);
  return Json::parse(outcome.out);
}

/// Norms, qkv and proj, up and down.
std::int64_t block_parameters(std::int64_t width) {
  return 4 * width + (3 * width * width + 3 * width) + (width * width + width) +
         (8 * width * width + 5 * width);
}

}  // namespace

TEST_CASE("a measurement holds the peer's fields and ours, and they agree with each other") {
  const TempFolder folder;
  const Json gpt = measured(weft_with(folder, kTinyGpt + Words{"--threads", "2", "--json"}));
  for (const char* name :
       {"peer", "kind", "median_ms", "min_ms", "items_per_s", "params", "peak_mib", "threads",
        "loss", "gemm_floor_ms", "gemm_floor_gflop", "efficiency", "allocator_peak_mib",
        "system_peak_mib", "system_allocations", "ops"})
    CHECK_MESSAGE(gpt.contains(name), name);
  const auto value = [&](const char* name) { return gpt[name].get<double>(); };
  CHECK(gpt["kind"] == "gpt");
  CHECK(gpt["threads"] == 2);
  CHECK(value("min_ms") > 0);
  CHECK(value("min_ms") <= value("median_ms"));
  CHECK(value("items_per_s") == doctest::Approx(3 * 8 / value("median_ms") * 1e3).epsilon(0.02));
  CHECK(value("gemm_floor_ms") > 0);
  CHECK(value("efficiency") ==
        doctest::Approx(value("gemm_floor_ms") / value("median_ms")).epsilon(0.05));
  CHECK(value("loss") > 0);
  CHECK(value("loss") < 10);
  CHECK(value("peak_mib") == value("system_peak_mib"));
  CHECK(value("allocator_peak_mib") <= value("system_peak_mib"));
  CHECK(value("system_allocations") >= 0);

  // Per layer four linear layers of 12 width^2 in all, three times over; per head six products of 8
  // x 8 x 8; the head's three.
  const double rows = 3 * 8, linear = 3 * 2 * rows * 12 * 16 * 16,
               attention = 6 * 2 * 6 * 8 * 8 * 8, head = 3 * 2 * rows * 16 * 11;
  CHECK(value("gemm_floor_gflop") ==
        doctest::Approx((2 * (linear + attention) + head) * 1e-9).epsilon(0.1));

  double forward = 0, backward = 0;
  for (const auto& [op, times] : gpt["ops"].items()) {
    CHECK(times["forward_ms"].get<double>() >= 0);
    CHECK(times["backward_ms"].get<double>() >= 0);
    forward += times["forward_ms"].get<double>();
    backward += times["backward_ms"].get<double>();
  }
  CHECK(gpt["ops"].size() >= 5);
  CHECK(gpt["ops"].contains("update"));
  CHECK(forward > 0);
  CHECK(backward > 0);
}

TEST_CASE("the models have as many parameters as the PyTorch script's") {
  const TempFolder folder;
  const Json gpt = measured(weft_with(folder, kTinyGpt + Words{"--steps", "1", "--json"}));
  CHECK(gpt["params"] == 2 * 11 * 16 + 8 * 16 + 2 * block_parameters(16) + 2 * 16);
  const Json vit = measured(weft_with(folder, kTinyVit + Words{"--json"}));
  CHECK(vit["kind"] == "vit");
  CHECK(vit["params"] ==
        (3 * 4 * 4 * 8 + 8) + 8 + 5 * 8 + block_parameters(8) + 2 * 8 + (8 * 5 + 5));
  CHECK(vit["items_per_s"].get<double>() ==
        doctest::Approx(3 / vit["median_ms"].get<double>() * 1e3).epsilon(0.02));
  // With the defaults: the figures that the PyTorch script prints.
  const Json defaults =
      measured(weft_with(folder, {"bench", "gpt", "--steps", "1", "--warmup", "0", "--json"}));
  CHECK(defaults["params"] == 818176);
}

TEST_CASE("a person gets a table") {
  const TempFolder folder;
  const Outcome outcome = weft_with(folder, kTinyVit);
  CHECK(outcome.code == 0);
  for (const char* text :
       {"ViT: layers 1, heads 2, width 8, image 8, patch 4", "bare sgemm", "efficiency",
        "MiB resident", "linear", "backward ms", "scaled_dot_product_attention", "cross_entropy"})
    CHECK_MESSAGE(outcome.out.find(text) != std::string::npos, text);
}

TEST_CASE("the loss does not depend on the number of threads") {
  const TempFolder folder;
  const Json one = measured(weft_with(folder, kTinyGpt + Words{"--threads", "1", "--json"}));
  const Json three = measured(weft_with(folder, kTinyGpt + Words{"--threads", "3", "--json"}));
  CHECK(one["threads"] == 1);
  CHECK(three["threads"] == 3);
  CHECK(one["loss"] == three["loss"]);
  CHECK(one["system_allocations"] ==
        0);  // with one thread every step asks for the same blocks in the same order
}

TEST_CASE("what cannot be measured is refused") {
  const TempFolder folder;
  check_refused(weft_with(folder, kTinyGpt + Words{"--steps", "0"}), 2,
                "--steps must be from 1 to 1000000, got 0");
  check_refused(weft_with(folder, kTinyGpt + Words{"--steps", "-5"}), 2, "steps must be from 1");
  check_refused(weft_with(folder, kTinyGpt + Words{"--warmup", "-1"}), 2, "warmup must be from 0");
  check_refused(weft_with(folder, kTinyGpt + Words{"--threads", "-1"}), 2,
                "threads must be from 0 to 1024, got -1");
  check_refused(weft_with(folder, kTinyGpt + Words{"--threads", "100000"}), 2, "threads must be");
  check_refused(weft_with(folder, kTinyGpt + Words{"--layers", "0"}), 2, "layers must be from 1");
  check_refused(weft_with(folder, kTinyGpt + Words{"--heads", "3"}), 2,
                "width must be divisible by heads: width 16, heads 3");
  check_refused(weft_with(folder, kTinyGpt + Words{"--width", "99999999999"}), 2, "width must be");
  check_refused(weft_with(folder, kTinyGpt + Words{"--width", "999999999999999999999"}), 2,
                "width must be");
  check_refused(weft_with(folder, kTinyGpt + Words{"--width", "wide"}), 2, "--width");
  check_refused(weft_with(folder, kTinyGpt + Words{"--width", "65536", "--layers", "1000"}), 2,
                "this cannot fit in memory");
  check_refused(weft_with(folder, kTinyGpt + Words{"--batch", "1000000", "--context", "1000000"}),
                2, "this cannot fit in memory");
  check_refused(weft_with(folder, kTinyGpt + Words{"--vocab", "0"}), 2, "vocab must be");
  check_refused(weft_with(folder, kTinyGpt + Words{"--image", "28"}), 2, "unknown option --image");
  check_refused(weft_with(folder, kTinyVit + Words{"--patch", "3"}), 2,
                "patch must divide the image: patch 3, image 8 x 8");
  check_refused(weft_with(folder, kTinyVit + Words{"--image", "0"}), 2, "image must be");
  check_refused(weft_with(folder, kTinyVit + Words{"--batch", "1048576", "--image", "4096"}), 2,
                "this cannot fit in memory");
  check_refused(weft_with(folder, {"bench"}), 2, "a model (gpt, vit, ...), attention, ops or ulps");
  check_refused(weft_with(folder, {"bench", "gtp"}), 2, "did you mean gpt?");
}
