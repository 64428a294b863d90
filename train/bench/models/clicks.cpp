// Models that are mostly tables read by id: word embeddings, and what predicts clicks.
#include "autograd/ops/loss.h"
#include "core/error.h"
#include "core/shape_only.h"
#include "nn/models/recommender.h"
#include "nn/models/skip_gram.h"
#include "train/bench/plan.h"

namespace weft::bench {
namespace {

constexpr std::int64_t kMostRows = 1 << 24, kMostEmbedding = 1 << 16;

Work make_skip_gram(const Plan& p, Generator& data) {
  const auto model = std::make_shared<nn::SkipGram>(
      nn::SkipGramConfig{.vocab_size = p["vocab"], .n_embd = p["width"]});
  const Tensor ids = random_ids({p["batch"], 2 + p["negatives"]}, p["vocab"], data);
  return {model, [=] { return nn::negative_sampling_loss((*model)(ids)); }};
}

/// Histories of 1 to all places, the latest click first, 0 behind.
Work make_recommender(const Plan& p, Generator& data, nn::ClickModel kind) {
  nn::RecommenderConfig config;
  config.n_item = p["items"];
  config.n_category = p["categories"];
  config.history = p["history"];
  config.model = kind;
  config.n_embd = p["width"];
  if (p["hidden"] > 0) config.hidden = {p["hidden"], std::max<std::int64_t>(1, p["hidden"] / 2)};
  if (p["unit"] > 0) config.unit_hidden = p["unit"];
  if (p["layers"] > 0) config.n_layer = p["layers"];
  if (p["heads"] > 0) config.n_head = p["heads"];
  const auto model = std::make_shared<nn::Recommender>(config);
  const std::int64_t batch = p["batch"], places = p["history"], columns = 3 + 2 * places;
  const Tensor ids = Tensor::zeros({batch, columns}, DType::i64), clicked = Tensor::empty({batch});
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(data.next_below(static_cast<std::uint64_t>(high - low)));
  };
  for (std::int64_t b = 0; b < batch && !shape_only(); ++b) {
    auto* const row = ids.data<std::int64_t>() + b * columns;
    row[1] = draw(1, p["items"]);
    row[2] = draw(1, p["categories"]);
    for (std::int64_t l = 0, length = draw(1, places + 1); l < length; ++l) {
      row[3 + l] = draw(1, p["items"]);
      row[3 + places + l] = draw(1, p["categories"]);
    }
    clicked.data<float>()[b] = static_cast<float>(draw(0, 2));
  }
  return {model, [=] { return bce_with_logits((*model)(ids), clicked); }};
}

BenchModel click_model(const char* title, nn::ClickModel kind, const std::vector<Size>& more) {
  BenchModel model;
  model.name = nn::to_name(kind);
  model.title = title;
  model.about = std::string("training steps of ") + title + " on random clicks";
  model.item = "examples";
  model.sizes = {{"items", 601, kMostRows, "rows of the item table", 2},
                 {"categories", 11, kMostRows, "rows of the category table", 2},
                 {"history", 30, 1 << 16, "earlier clicks at most"},
                 {"width", 8, 1 << 12, "embedding dimension"},
                 {"batch", 128, 1 << 20, "examples per step"}};
  model.sizes.insert(model.sizes.begin() + 4, more.begin(), more.end());
  model.items = [](const Plan& p) { return p["batch"]; };
  if (kind == nn::ClickModel::bst)
    model.check = [](const Plan& p) {
      if (2 * p["width"] % p["heads"] != 0)
        fail<ConfigError>("bench", "twice the width must be divisible by heads: width {}, heads {}",
                          p["width"], p["heads"]);
    };
  model.make = [kind](const Plan& p, Generator& data) { return make_recommender(p, data, kind); };
  return model;
}

}  // namespace

std::vector<BenchModel> click_models() {
  std::vector<BenchModel> all;
  all.push_back(
      {.name = "embedding",
       .title = "skip-gram",
       .about =
           "training steps of word embeddings (skip-gram with negative sampling) on random words",
       .item = "pairs",
       .sizes = {{"vocab", 3300, kMostRows, "vocabulary size"},
                 {"width", 64, kMostEmbedding, "embedding dimension"},
                 {"negatives", 5, 1000, "negative samples (noise words) per pair"},
                 {"batch", 512, 1 << 20, "pairs per step"}},
       .items = [](const Plan& p) { return p["batch"]; },
       .check = {},
       .make = make_skip_gram});
  const Size hidden{"hidden", 80, 1 << 16,
                    "first hidden layer of the MLP; the second is half of it"},
      unit{"unit", 36, 1 << 16, "hidden layer of the local activation unit"};
  const Size layers{"layers", 1, 1000, "transformer blocks, or interacting layers"},
      heads{"heads", 2, 4096, "attention heads"};
  all.push_back(click_model("a factorization machine", nn::ClickModel::fm, {}));
  all.push_back(click_model("DeepFM", nn::ClickModel::deepfm, {hidden}));
  all.push_back(click_model("the summed history", nn::ClickModel::sum, {hidden}));
  all.push_back(click_model("DIN", nn::ClickModel::din, {hidden, unit}));
  all.push_back(click_model("BST", nn::ClickModel::bst, {hidden, layers, heads}));
  all.push_back(click_model("AutoInt", nn::ClickModel::autoint, {layers, heads}));
  return all;
}

}  // namespace weft::bench
