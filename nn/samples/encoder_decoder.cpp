// Samples of EncoderDecoder and DecoderBlock. Their values are held against PyTorch's by the golden
// files.
#include "nn/models/encoder_decoder.h"

#include "nn/samples/module_case.h"

namespace weft::samples::encoder_decoder_samples {
namespace {

using namespace nn;

Case encoder_decoder_case(std::string label, EncoderDecoderConfig config, bool padded = false) {
  config.vocab_size = 7;
  config.source_size = 5;
  config.block_size = 4;
  config.n_layer = 1;
  config.n_embd = 8;
  config.mlp_ratio = 2;
  std::vector<Tensor> inputs{ids({2, 5}, 7, 1), ids({2, 3}, 7, 2)};
  if (padded) {
    inputs.push_back(Tensor::zeros({2, 5}, DType::u8));
    inputs.back().data<std::uint8_t>()[4] = 1;
  }
  Case result = module_case<EncoderDecoder>(
      std::move(label), std::make_shared<EncoderDecoder>(config), inputs,
      [padded](EncoderDecoder& model, const std::vector<Tensor>& in) {
        return model.forward(in[0], in[1], padded ? in[2] : Tensor());
      });
  result.check.max_elements = 6;
  result.f32_tolerance = 5e-4;
  return result;
}

const Register encoder_decoder_sample("EncoderDecoder", Kind::model, [] {
  Sample sample{.name = "EncoderDecoder", .kind = Kind::model};
  sample.cases = {encoder_decoder_case("as first described", {.n_head = 2}),
                  encoder_decoder_case("pre-norm, learned positions, padding",
                                       {.n_head = 2,
                                        .positions = Positions::learned,
                                        .activation = Activation::gelu_erf,
                                        .tie_weights = false,
                                        .post_norm = false},
                                       true),
                  encoder_decoder_case("lightning", {.n_head = 2,
                                                     .attention = AttentionKind::lightning,
                                                     .positions = Positions::none}),
                  encoder_decoder_case("rope, grouped keys", {.n_head = 4,
                                                              .n_kv_head = 2,
                                                              .positions = Positions::rope,
                                                              .norm = NormKind::rms,
                                                              .post_norm = false})};
  sample.errors = {
      {"vocabulary", [] { EncoderDecoder({}); },
       "[encoder_decoder] vocab_size must be 1 to 268435456, got 0"},
      {"source size", [] { EncoderDecoder({.vocab_size = 5, .source_size = 0}); },
       "[encoder_decoder] source_size must be 1 to 16777216, got 0"},
      {"long source",
       [] {
         EncoderDecoder({.vocab_size = 5, .source_size = 4, .n_layer = 1, .n_embd = 8})
             .forward(Tensor::zeros({1, 5}, DType::i64), Tensor::zeros({1, 2}, DType::i64));
       },
       "[encoder_decoder] a source of 5 tokens is longer than 4"},
      {"long target",
       [] {
         EncoderDecoder({.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_embd = 8})
             .forward(Tensor::zeros({1, 2}, DType::i64), Tensor::zeros({1, 5}, DType::i64));
       },
       "[encoder_decoder] a target of 5 tokens is longer than 4"},
      {"rank",
       [] {
         EncoderDecoder({.vocab_size = 5, .n_layer = 1, .n_embd = 8})
             .forward(Tensor::zeros({2}, DType::i64), Tensor::zeros({1, 2}, DType::i64));
       },
       "[encoder_decoder] expects source ids (B, T), got (2,)"}};
  return sample;
});

const Register decoder_block_sample("DecoderBlock", Kind::module, [] {
  Sample sample{
      .name = "DecoderBlock", .kind = Kind::module, .no_errors = "its errors are its parts'"};
  for (const bool post_norm : {false, true}) {
    const BlockOptions block{.attention = {.n_embd = 8, .n_head = 2, .causal = true},
                             .feed_forward = {.n_embd = 8, .hidden = 12},
                             .post_norm = post_norm};
    sample.cases.push_back(module_case<DecoderBlock>(
        post_norm ? "post-norm" : "pre-norm",
        std::make_shared<DecoderBlock>(
            block, MultiHeadAttentionOptions{.n_embd = 8, .n_head = 2, .context_embd = 8}),
        {values({2, 3, 8}, 1), values({2, 4, 8}, 2)},
        [](DecoderBlock& module, const std::vector<Tensor>& in) {
          return module.forward(in[0], in[1]);
        }));
  }
  return sample;
});

}  // namespace
}  // namespace weft::samples::encoder_decoder_samples
