// The models of `weft bench` beyond gpt and vit: each trains, says the same fields, and refuses
// what cannot be.
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

struct SmallModel {
  const char* name;
  Words sizes;
  std::int64_t parameters;  ///< as tests/peers/torch_peer.py prints them
  double items;             ///< of a step
};

/// Small, and every size other than its default where there is one.
const std::vector<SmallModel>& small_models() {
  static const std::vector<SmallModel> all{
      {"bert",
       {"--layers", "1", "--heads", "2", "--width", "16", "--context", "8", "--vocab", "30",
        "--batch", "2"},
       4286,
       16},
      {"translate",
       {"--layers", "1", "--heads", "2", "--width", "16", "--context", "6", "--vocab", "30",
        "--batch", "2"},
       8160,
       12},
      {"lenet", {"--image", "16", "--batch", "3"}, 21386, 3},
      {"cnn", {"--width", "8", "--image", "8", "--batch", "3"}, 20962, 3},
      {"resnet", {"--layers", "2", "--width", "4", "--image", "8", "--batch", "3"}, 11302, 3},
      {"faster_rcnn", {"--width", "8", "--batch", "2"}, 62286, 2},
      {"detr",
       {"--layers", "1", "--heads", "2", "--width", "16", "--queries", "5", "--batch", "2"},
       82063,
       2},
      {"embedding", {"--vocab", "30", "--width", "8", "--negatives", "3", "--batch", "7"}, 480, 7},
      {"fm",
       {"--items", "20", "--categories", "5", "--history", "6", "--width", "4", "--batch", "7"},
       251,
       7},
      {"deepfm",
       {"--items", "20", "--categories", "5", "--history", "6", "--width", "4", "--hidden", "8",
        "--batch", "7"},
       440,
       7},
      {"sum",
       {"--items", "20", "--categories", "5", "--history", "6", "--width", "4", "--hidden", "8",
        "--batch", "7"},
       289,
       7},
      {"din",
       {"--items", "20", "--categories", "5", "--history", "6", "--width", "4", "--hidden", "8",
        "--unit", "3", "--batch", "7"},
       395,
       7},
      {"bst",
       {"--items", "20", "--categories", "5", "--history", "6", "--width", "4", "--hidden", "8",
        "--layers", "1", "--heads", "2", "--batch", "7"},
       1217,
       7},
      {"autoint",
       {"--items", "20", "--categories", "5", "--history", "6", "--width", "4", "--layers", "2",
        "--heads", "2", "--batch", "7"},
       617,
       7}};
  return all;
}

}  // namespace

TEST_CASE("every model trains for two steps and says the fields of the PyTorch script") {
  const TempFolder folder;
  const Outcome help = weft_with(folder, {"bench", "--help"});
  for (const SmallModel& entry : small_models()) {
    CAPTURE(entry.name);
    CHECK(help.out.find(std::string("\n  ") + entry.name + " ") != std::string::npos);
    const Outcome outcome =
        weft_with(folder, Words{"bench", entry.name} + entry.sizes +
                              Words{"--steps", "2", "--warmup", "0", "--threads", "1", "--json"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    const Json json = Json::parse(outcome.out);
    CHECK(json["kind"] == entry.name);
    CHECK(json["params"] == entry.parameters);
    CHECK(json["items_per_s"].get<double>() ==
          doctest::Approx(entry.items / json["median_ms"].get<double>() * 1e3).epsilon(0.02));
    CHECK(std::isfinite(json["loss"].get<double>()));
    CHECK(json["ops"].contains("update"));
    // The floor is asked of the model too: none where nothing is multiplied.
    CHECK(json.contains("gemm_floor_ms") == (std::string(entry.name) != "fm"));
    CHECK(json.contains("efficiency") == json.contains("gemm_floor_ms"));
  }
}

TEST_CASE("the same bits for any number of threads, of a detector as well") {
  const TempFolder folder;
  for (const char* name : {"faster_rcnn", "din"}) {
    CAPTURE(name);
    const auto loss = [&](const char* threads) {
      const Outcome outcome = weft_with(folder, {"bench", name, "--batch", "4", "--steps", "2",
                                                 "--warmup", "0", "--threads", threads, "--json"});
      REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
      return Json::parse(outcome.out)["loss"].get<double>();
    };
    CHECK(loss("1") == loss("3"));
  }
}

TEST_CASE("a person gets a table, with the floor of the products that the model tells of") {
  const TempFolder folder;
  const Outcome outcome =
      weft_with(folder, Words{"bench"} + Words{small_models()[4].name} + small_models()[4].sizes +
                            Words{"--steps", "2", "--warmup", "0"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.find("ResNet: layers 2, width 4, image 8, batch 3") != std::string::npos);
  CHECK(outcome.out.find("batch_norm") != std::string::npos);
  CHECK(outcome.out.find("bare sgemm") != std::string::npos);
}

TEST_CASE("a peer gets the sizes that were asked for") {
  const TempFolder folder;
  const Outcome outcome =
      weft_with(folder, {"bench", "fm", "--items", "20", "--width", "4", "--batch", "7", "--steps",
                         "2", "--rounds", "1", "--json", "--against", "echo '{\"median_ms\": 1}'"});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  const Json ours = Json::parse(outcome.out)["ours"]["runs"][0];
  CHECK(ours["kind"] == "fm");
  CHECK(ours["params"] == 2 * (20 + 11) * (4 + 1) + 1);
}

TEST_CASE("sizes that cannot be are refused by name") {
  const TempFolder folder;
  const auto refused = [&](const Words& words, const std::string& says) {
    check_refused(weft_with(folder, Words{"bench"} + words), 2, says);
  };
  refused({"bert", "--heads", "3"}, "[bench] width must be divisible by heads: width 128, heads 3");
  refused({"bert", "--vocab", "1"}, "vocab must be from 2");
  refused({"bert", "--attention", "plain"}, "unknown option --attention");
  refused({"bert", "--batch", "1000000", "--context", "1000000"}, "this cannot fit in memory");
  refused({"translate", "--steps", "0"}, "steps must be from 1 to 1000000, got 0");
  refused({"lenet", "--image", "8"}, "image must be from 12 to 4096, got 8");
  refused({"cnn", "--batch", "0"}, "batch must be from 1");
  refused({"resnet", "--width", "-4"}, "width must be from 1");
  refused({"resnet", "--image", "4096", "--batch", "1000000"}, "this cannot fit in memory");
  refused({"faster_rcnn", "--width", "6"}, "width must be a multiple of 4, got 6");
  refused({"faster_rcnn", "--batch", "1000000"}, "this cannot fit in memory");
  refused({"detr", "--queries", "3"}, "queries must be from 4");
  refused({"detr", "--heads", "5"}, "width must be divisible by heads");
  refused({"embedding", "--vocab", "16000000", "--width", "65536"}, "this cannot fit in memory");
  refused({"din", "--items", "1"}, "items must be from 2");
  refused({"din", "--history", "0"}, "history must be from 1");
  refused({"bst", "--heads", "3"}, "twice the width must be divisible by heads: width 8, heads 3");
  refused({"fm", "--hidden", "8"}, "unknown option --hidden");
  refused({"resnett"}, "did you mean resnet?");
}
