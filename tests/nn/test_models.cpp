// Whole models: sizes, causality, generation, configurations.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "autograd/sample.h"
#include "nn/nn.h"
#include "tests/nn/nn_test.h"

using namespace weft;
using namespace weft::nn;

namespace {

/// One configuration of each kind of positions, and both norms; and of each kind of attention.
std::vector<GptConfig> variants() {
  std::vector<GptConfig> all;
  for (const Positions positions : {Positions::none, Positions::learned, Positions::sinusoidal,
                                    Positions::rope, Positions::alibi}) {
    const bool plain = positions == Positions::learned;
    all.push_back({.vocab_size = 13,
                   .block_size = 8,
                   .n_layer = 2,
                   .n_head = 4,
                   .n_embd = 16,
                   .bias = plain,
                   .n_kv_head = plain ? 0 : 2,
                   .positions = positions,
                   .norm = plain ? NormKind::layer : NormKind::rms,
                   .qk_norm = !plain,
                   .tie_weights = plain,
                   .logit_cap = plain ? 0.0 : 15.0,
                   .init_std = 0.3});
  }
  for (const std::string& name : choices<AttentionKind>()) {
    const auto attention = from_name<AttentionKind>(name, "attention");
    if (!traits(attention).causal || attention == AttentionKind::softmax) continue;
    all.push_back({.vocab_size = 13,
                   .block_size = 8,
                   .n_layer = 2,
                   .n_head = 4,
                   .n_embd = 16,
                   .n_kv_head = 2,
                   .attention = attention,
                   .positions = Positions::rope});
    all.push_back({.vocab_size = 13,
                   .block_size = 8,
                   .n_layer = 2,
                   .n_head = 2,
                   .n_embd = 16,
                   .attention = attention,
                   .positions = Positions::learned});
  }
  return all;
}

}  // namespace

TEST_CASE("nanoGPT's character model has its number of parameters and its names") {
  Gpt model({.vocab_size = 65, .block_size = 64, .n_layer = 4, .n_head = 4, .n_embd = 128});
  // Embeddings (65 + 64) 128; four layers of 12 * 128^2 + 2 * 128; the last norm 128.
  CHECK(model.num_parameters() == 129 * 128 + 4 * (12 * 128 * 128 + 2 * 128) + 128);
  CHECK(model.num_parameters() == 804096);
  const auto parameters = model.named_parameters();
  const std::vector<std::pair<std::string, Shape>> expected{
      {"transformer.wte.weight", {65, 128}},
      {"transformer.wpe.weight", {64, 128}},
      {"transformer.h.0.ln_1.weight", {128}},
      {"transformer.h.0.attn.c_attn.weight", {384, 128}},
      {"transformer.h.0.attn.c_proj.weight", {128, 128}},
      {"transformer.h.0.ln_2.weight", {128}},
      {"transformer.h.0.mlp.c_fc.weight", {512, 128}},
      {"transformer.h.0.mlp.c_proj.weight", {128, 512}}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(parameters[i].first == expected[i].first);
    CHECK(parameters[i].second.shape() == expected[i].second);
  }
  CHECK(parameters.back().first == "transformer.ln_f.weight");
  CHECK(parameters.size() == 2 + 4 * 6 + 1);
}

TEST_CASE("timm's names, with and without a class token") {
  Vit model({.n_layer = 1, .pooling = Pooling::cls});
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model.named_parameters()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"cls_token",
                                          "pos_embed",
                                          "patch_embed.proj.weight",
                                          "patch_embed.proj.bias",
                                          "blocks.0.norm1.weight",
                                          "blocks.0.norm1.bias",
                                          "blocks.0.attn.qkv.weight",
                                          "blocks.0.attn.qkv.bias",
                                          "blocks.0.attn.proj.weight",
                                          "blocks.0.attn.proj.bias",
                                          "blocks.0.norm2.weight",
                                          "blocks.0.norm2.bias",
                                          "blocks.0.mlp.fc1.weight",
                                          "blocks.0.mlp.fc1.bias",
                                          "blocks.0.mlp.fc2.weight",
                                          "blocks.0.mlp.fc2.bias",
                                          "norm.weight",
                                          "norm.bias",
                                          "head.weight",
                                          "head.bias"});
  CHECK(model.named_parameters()[1].second.shape() == Shape{1, 50, 64});
  CHECK(Vit({.n_layer = 1}).named_parameters()[0].second.shape() == Shape{1, 49, 64});
  std::vector<Tensor> attention;
  CHECK(model.forward(model.example_input(2), &attention).shape() == Shape{2, 10});
  REQUIRE(attention.size() == 1);
  CHECK(attention[0].shape() == Shape{2, 4, 50, 50});
}

TEST_CASE("a later token never changes an earlier logit") {
  for (const GptConfig& config : variants()) {
    CAPTURE(to_name(config.positions));
    CAPTURE(to_name(config.attention));
    Gpt model(config);
    const Tensor ids = samples::ids({1, 6}, 13, 1), changed = raw::clone(ids);
    changed.data<std::int64_t>()[4] = (changed.data<std::int64_t>()[4] + 1) % 13;
    const Tensor a = model(ids), b = model(changed);
    CHECK(distance(raw::slice(a, 1, 0, 4), raw::slice(b, 1, 0, 4)) == 0);
    CHECK(distance(raw::slice(a, 1, 4, 5), raw::slice(b, 1, 4, 5)) > 0);
  }
}

TEST_CASE("with a cache, piece by piece, come the logits of the whole") {
  for (const GptConfig& config : variants()) {
    CAPTURE(to_name(config.positions));
    CAPTURE(to_name(config.attention));
    Gpt model(config);
    const NoGrad no_grad;
    const Tensor ids = samples::ids({2, 8}, 13, 1);
    const Tensor whole = model(ids);
    GptCache cache;
    std::int64_t at = 0;
    for (const std::int64_t piece : {3, 1, 1, 2, 1}) {
      const Tensor part = model.forward(raw::slice(ids, 1, at, at + piece), cache);
      CHECK(distance(part, raw::slice(whole, 1, at, at + piece)) < 1e-5);
      at += piece;
    }
    CHECK(cache.length() == 8);
    if (config.positions == Positions::learned)
      CHECK(message([&] { model.forward(raw::slice(ids, 1, 0, 1), cache); }) ==
            "[gpt] 9 tokens are more than block_size 8, and learned positions end there");
  }
}

TEST_CASE("generation is greedy decoding of full forwards, past the context's end too") {
  for (const GptConfig& config : variants())
    for (const std::int64_t keep : {0, 3, 8}) {
      CAPTURE(to_name(config.positions));
      CAPTURE(to_name(config.attention));
      CAPTURE(keep);
      Gpt model(config);
      std::vector<std::int64_t> tokens{1, 2, 3}, streamed;
      const auto generated = model.generate(
          tokens, {.max_new_tokens = 22, .temperature = 0, .keep = keep}, [&](std::int64_t id) {
            streamed.push_back(id);
            return true;
          });
      const NoGrad no_grad;
      std::int64_t seen = 3;
      for (int i = 0; i < 22; ++i) {
        const Tensor logits = model(
            Tensor::from(std::vector<std::int64_t>(tokens.end() - seen, tokens.end()), {1, seen}));
        const auto row = raw::slice(logits, 1, seen - 1, seen).to_vector<double>();
        tokens.push_back(std::max_element(row.begin(), row.end()) - row.begin());
        seen = seen < 8 ? seen + 1 : keep > 0 ? keep : 4;
      }
      CHECK(generated == std::vector<std::int64_t>(tokens.begin() + 3, tokens.end()));
      CHECK(streamed == generated);
      CHECK(model
                .generate({1}, {.max_new_tokens = 50},
                          [n = 0](std::int64_t) mutable { return ++n < 4; })
                .size() == 4);
    }
}

TEST_CASE("sampling follows temperature, top-k and top-p") {
  const Tensor logits = Tensor::from<float>({0, std::log(2.0f), std::log(4.0f), std::log(1.0f)},
                                            {4});  // 1 2 4 1 of 8
  Generator generator(3, "sample");
  const auto shares = [&](const GenerateOptions& options) {
    std::vector<double> share(4, 0);
    for (int i = 0; i < 8000; ++i)
      share[static_cast<std::size_t>(sample_id(logits, options, generator))] += 1.0 / 8000;
    return share;
  };
  const auto close = [](const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) < 0.025);
  };
  close(shares({}), {0.125, 0.25, 0.5, 0.125});
  close(shares({.temperature = 0.5}), {1.0 / 22, 4.0 / 22, 16.0 / 22, 1.0 / 22});
  close(shares({.top_k = 2}), {0, 1.0 / 3, 2.0 / 3, 0});
  close(shares({.top_p = 0.5}), {0, 0, 1, 0});
  close(shares({.top_p = 0.6}), {0, 1.0 / 3, 2.0 / 3, 0});
  CHECK(sample_id(logits, {.temperature = 0}, generator) == 2);
  close(shares({.forbidden = {2}}), {0.25, 0.5, 0, 0.25});
  close(shares({.top_k = 2, .forbidden = {2, 0}}), {0, 2.0 / 3, 0, 1.0 / 3});
  close(shares({.top_p = 0.1, .forbidden = {0, 2}}), {0, 1, 0, 0});
  CHECK(sample_id(logits, {.temperature = 0, .forbidden = {2}}, generator) == 1);
  for (const double temperature : {0.0, 1.0})
    CHECK(message([&] {
            sample_id(logits, {.temperature = temperature, .forbidden = {0, 1, 2, 3}}, generator);
          }) == "[generate] every logit is -infinity, or its id forbidden");
  CHECK(message([&] { sample_id(logits, {.forbidden = {4}}, generator); }) ==
        "[generate] the forbidden id 4 is outside the vocabulary of 4");
  CHECK(message([&] { sample_id(Tensor::full({2}, NAN), {}, generator); }) ==
        "[generate] the model's logits hold a NaN or an infinity");

  Gpt model({.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_head = 2, .n_embd = 4});
  random::seed(9);
  const auto first = model.generate({1}, {.max_new_tokens = 20});
  random::seed(9);
  CHECK(model.generate({1}, {.max_new_tokens = 20}) == first);
  CHECK(message([&] { model.generate({}); }) ==
        "[generate] the prompt is empty; give at least one token");
  CHECK(message([&] { model.generate({5}); }) ==
        "[generate] the prompt's id 5 is outside the vocabulary of 5");
  CHECK(message([&] { model.generate({1}, {.temperature = -1}); }) ==
        "[generate] temperature must be finite and at least 0, got -1");
  CHECK(message([&] { model.generate({1}, {.keep = -1}); }) ==
        "[generate] keep must be at least 0, got -1");
  CHECK(message([&] { model.generate({1}, {.keep = 5}); }) ==
        "[generate] keep 5 is more than the context, 4");
  CHECK(message([&] { model.generate({1}, {.top_p = 0}); }) ==
        "[generate] top_p must be above 0 and at most 1, got 0");
}

TEST_CASE("logits stay below their cap") {
  GptConfig config = variants()[3];
  config.logit_cap = 0.5;
  config.init_std = 2;
  for (const double logit : Gpt(config)(samples::ids({1, 8}, 13, 1)).to_vector<double>())
    CHECK(std::abs(logit) <= 0.5);
}

TEST_CASE("a configuration that cannot be says so before anything is allocated") {
  const auto gpt = [](GptConfig config) { return message([&] { Gpt model(config); }); };
  CHECK(gpt({.vocab_size = 65, .n_embd = -128}) == "[gpt] n_embd must be 1 to 1048576, got -128");
  CHECK(gpt({.vocab_size = 65, .block_size = 0}) ==
        "[gpt] block_size must be 1 to 16777216, got 0");
  CHECK(gpt({.vocab_size = 65, .n_head = 256}) ==
        "[gpt] n_embd 128 is not divisible by n_head 256; use 256");
  CHECK(gpt({.vocab_size = 65, .n_kv_head = 3}) ==
        "[gpt] n_head 4 is not divisible by n_kv_head 3; use one of 1, 2, 4");
  CHECK(
      gpt({.vocab_size = 65, .n_embd = 132, .positions = Positions::rope}) ==
      "[gpt] rope rotates pairs of features and needs an even head size, got 33; set head_size 34");
  CHECK(gpt({.vocab_size = 65, .mlp_ratio = NAN}) ==
        "[gpt] mlp_ratio must be finite and above 0, got nan");
  CHECK(gpt({.vocab_size = 65, .logit_cap = -1}) ==
        "[gpt] logit_cap must be finite and at least 0, got -1");
  const std::string huge = gpt({.vocab_size = 65, .n_layer = 10000, .n_embd = 65536});
  CHECK(huge.starts_with("[gpt] 5.15e+14 parameters need 1.92e+06 GiB, and memory allows "));
  CHECK(huge.ends_with(" GiB; use fewer or narrower layers"));
  CHECK(message([] { Vit model({.n_class = 0}); }) ==
        "[vit] n_class must be 1 to 268435456, got 0");
  CHECK(message([] { from_name<NormKind>("batch", "norm"); }) ==
        "[norm] must be one of layer, rms: got \"batch\"");
  CHECK(from_name<Activation>("gelu_tanh", "activation") == Activation::gelu_tanh);
  CHECK(to_name(Positions::sinusoidal) == "sinusoidal");
}

TEST_CASE("describe() counts what a layer holds and does") {
  Gpt model({.vocab_size = 65, .block_size = 64, .n_layer = 2, .n_head = 4, .n_embd = 128});
  const Description info = describe(model);
  CHECK(info.parameters == model.num_parameters());
  // A layer: 2 * 12 C^2 a token for its matrices and 4 T C for attention; the head 2 V C.
  CHECK(info.flops == 64.0 * (2 * (24.0 * 128 * 128 + 4.0 * 64 * 128) + 2.0 * 65 * 128));
  CHECK(model.is_training());
  const std::string table = info.table();
  CHECK(table.find("transformer.h.1.mlp.c_fc") != std::string::npos);
  CHECK(table.find("(64, 512)") != std::string::npos);
  Mlp mlp({.hidden = {32}});
  CHECK(describe(mlp).flops == 2.0 * (784 * 32 + 32 * 10));
  Cnn cnn({});
  CHECK(describe(cnn).flops ==
        2.0 * (28 * 28 * 32 * 9 + 14 * 14 * 64 * 32 * 9 + 3136 * 128 + 128 * 10));
  Vit vit({.n_layer = 1});
  CHECK(describe(vit).flops == 49.0 * (2 * 16 * 64 + 24 * 64 * 64 + 4 * 49 * 64) + 2 * 64 * 10);
}
