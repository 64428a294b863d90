// Transformers: pre-norm blocks with biases in linear and norm layers, exact GELU, learned
// positions and no dropout where nothing else is said.
#include "autograd/ops/loss.h"
#include "core/error.h"
#include "core/shape_only.h"
#include "nn/models/bert.h"
#include "nn/models/encoder_decoder.h"
#include "nn/models/gpt.h"
#include "nn/models/vit.h"
#include "train/bench/plan.h"

namespace weft::bench {
namespace {

constexpr std::int64_t kMostTokens = 1 << 20, kMostWidth = 1 << 16;

std::vector<Size> block_sizes(std::int64_t layers, std::int64_t heads, std::int64_t width) {
  return {{"layers", layers, 1000, "transformer blocks"},
          {"heads", heads, 4096, "attention heads"},
          {"width", width, kMostWidth, "features of a token"}};
}

std::vector<Size> with(std::vector<Size> sizes, const std::vector<Size>& more) {
  sizes.insert(sizes.end(), more.begin(), more.end());
  return sizes;
}

Work make_gpt(const Plan& p, Generator& data) {
  // The head is untied and has no bias.
  const auto model = std::make_shared<nn::Gpt>(
      nn::GptConfig{.vocab_size = p["vocab"],
                    .block_size = p["context"],
                    .n_layer = p["layers"],
                    .n_head = p["heads"],
                    .n_embd = p["width"],
                    .bias = true,
                    .attention = nn::from_name<nn::AttentionKind>(p.attention, "attention"),
                    .tie_weights = false,
                    .init = nn::InitScheme::torch});
  const Tensor inputs = random_ids({p["batch"], p["context"]}, p["vocab"], data),
               targets = random_ids({p["batch"], p["context"]}, p["vocab"], data);
  return {model, [=] { return cross_entropy((*model)(inputs), targets); }};
}

Work make_vit(const Plan& p, Generator& data) {
  // The head reads a class token.
  const auto model = std::make_shared<nn::Vit>(
      nn::VitConfig{.n_class = p["classes"],
                    .image_height = p["image"],
                    .image_width = p["image"],
                    .channels = p["channels"],
                    .patch_size = p["patch"],
                    .n_layer = p["layers"],
                    .n_head = p["heads"],
                    .n_embd = p["width"],
                    .bias = true,
                    .pooling = nn::Pooling::cls,
                    .attention = nn::from_name<nn::AttentionKind>(p.attention, "attention"),
                    .init = nn::InitScheme::torch});
  const Tensor images = Tensor::empty({p["batch"], p["channels"], p["image"], p["image"]});
  data.fill_uniform(images);
  const Tensor classes = random_ids({p["batch"]}, p["classes"], data);
  return {model, [=] { return cross_entropy((*model)(images), classes); }};
}

void check_patches(const Plan& p) {
  check_heads(p);
  if (p["image"] % p["patch"] != 0)
    fail<ConfigError>("bench", "patch must divide the image: patch {0}, image {1} x {1}",
                      p["patch"], p["image"]);
}

/// Tokens of a batch that are hidden and predicted: 15 %, evenly spread.
std::int64_t hidden_tokens(const Plan& p) {
  return std::max<std::int64_t>(1, p["batch"] * p["context"] * 15 / 100);
}

Work make_bert(const Plan& p, Generator& data) {
  // No token is padding, but that is looked at, as in training.
  const auto model = std::make_shared<nn::Bert>(nn::BertConfig{.vocab_size = p["vocab"],
                                                               .block_size = p["context"],
                                                               .n_layer = p["layers"],
                                                               .n_head = p["heads"],
                                                               .n_embd = p["width"],
                                                               .dropout = 0});
  const std::int64_t count = hidden_tokens(p), all = p["batch"] * p["context"];
  const Tensor ids = random_ids({p["batch"], p["context"]}, p["vocab"], data, 1),
               targets = random_ids({count}, p["vocab"], data, 1);
  const Tensor places = Tensor::empty({count}, DType::i64);
  for (std::int64_t i = 0; i < count && !shape_only(); ++i)
    places.data<std::int64_t>()[i] = i * all / count;
  return {model, [=] {
            return cross_entropy(model->predict_tokens(model->encode(ids), places), targets);
          }};
}

Work make_translate(const Plan& p, Generator& data) {
  // The paper's: norms after sums, ReLU, sinusoids, one table of embeddings, label smoothing of
  // 0.1.
  const auto model =
      std::make_shared<nn::EncoderDecoder>(nn::EncoderDecoderConfig{.vocab_size = p["vocab"],
                                                                    .source_size = p["context"],
                                                                    .block_size = p["context"],
                                                                    .n_layer = p["layers"],
                                                                    .n_head = p["heads"],
                                                                    .n_embd = p["width"]});
  const Shape shape{p["batch"], p["context"]};
  const Tensor source = random_ids(shape, p["vocab"], data),
               inputs = random_ids(shape, p["vocab"], data),
               targets = random_ids(shape, p["vocab"], data);
  return {model, [=] {
            return cross_entropy((*model)(source, inputs), targets, {.label_smoothing = 0.1});
          }};
}

}  // namespace

std::vector<BenchModel> transformer_models() {
  const auto tokens = [](const Plan& p) { return p["batch"] * p["context"]; };
  const auto images = [](const Plan& p) { return p["batch"]; };
  const auto texts = [](std::int64_t context, std::int64_t vocab, std::int64_t batch) {
    return std::vector<Size>{{"context", context, kMostTokens, "tokens per sequence"},
                             {"vocab", vocab, kMostTokens, "vocabulary size"},
                             {"batch", batch, kMostTokens, "sequences per step"}};
  };
  std::vector<BenchModel> all;
  all.push_back(
      {.name = "gpt",
       .title = "GPT",
       .about = "training steps of a GPT on random tokens",
       .item = "tokens",
       .sizes = with(block_sizes(4, 4, 128), texts(64, 65, 12)),
       .items = tokens,
       .check = check_heads,
       .make = make_gpt,
       .example =
           "Examples:\n  weft bench gpt --layers 6 --heads 6 --width 384 --context 256 --batch 8\n"
           "  weft bench gpt --attention lightning --layers 1 --context 16384 --batch 1 --steps 3 "
           "--warmup 1\n"
           "  weft bench gpt --against \"python3 tests/peers/torch_peer.py gpt\"",
       .attention = true});
  all.push_back(
      {.name = "vit",
       .title = "ViT",
       .about = "training steps of a ViT on random images",
       .item = "images",
       .sizes = with(block_sizes(4, 4, 128), {{"image", 28, 4096, "height and width of an image"},
                                              {"patch", 4, 4096, "height and width of a patch"},
                                              {"channels", 1, 64, "of an image"},
                                              {"classes", 10, kMostTokens, "of images"},
                                              {"batch", 12, kMostTokens, "images per step"}}),
       .items = images,
       .check = check_patches,
       .make = make_vit,
       .example = "Example:\n  weft bench vit --layers 6 --heads 4 --width 64 --batch 64",
       .attention = true});
  all.push_back({.name = "bert",
                 .title = "BERT",
                 .about = "pretraining steps of a BERT: 15 % of random tokens are predicted",
                 .item = "tokens",
                 .sizes = with(block_sizes(2, 4, 128), texts(128, 4000, 32)),
                 .items = tokens,
                 .check = check_heads,
                 .make = make_bert});
  all.back().sizes[4].least = 2;  // padding, and a word
  all.push_back({.name = "translate",
                 .title = "encoder-decoder",
                 .about = "training steps of the encoder-decoder transformer on random pairs",
                 .item = "tokens",
                 .sizes = with(block_sizes(2, 4, 128), texts(16, 3500, 64)),
                 .items = tokens,
                 .check = check_heads,
                 .make = make_translate});
  return all;
}

}  // namespace weft::bench
