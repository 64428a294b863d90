// Samples of recurrent models: gradients with respect to every parameter. Their values are held
// against PyTorch's by the golden file.
#include "nn/models/lstm.h"
#include "nn/samples/module_case.h"

namespace weft::samples::nn_recurrent_samples {
namespace {

using namespace nn;

Case lstm_case(std::string label, std::int64_t layers, std::int64_t tokens) {
  const auto model = std::make_shared<Lstm>(
      LstmConfig{.vocab_size = 7, .block_size = 6, .n_layer = layers, .n_embd = 4});
  Case result = module_case(std::move(label), model, ids({2, tokens}, 7, 1));
  result.check.max_elements = 6;
  result.f32_tolerance = 5e-4;
  return result;
}

Case layer_case(std::string label, std::int64_t tokens) {
  return module_case<LstmLayer>(std::move(label), std::make_shared<LstmLayer>(3, 2),
                                {values({2, tokens, 3}, 1)},
                                [](LstmLayer& layer, const std::vector<Tensor>& in) {
                                  LstmLayer::State state;
                                  return layer.forward(in[0], state);
                                });
}

const Register layer_sample("LstmLayer", Kind::module, [] {
  Sample sample{.name = "LstmLayer", .kind = Kind::module};
  sample.cases = {layer_case("five tokens", 5), layer_case("one token", 1)};
  sample.errors = {{"width",
                    [] {
                      LstmLayer::State state;
                      LstmLayer(3, 2).forward(Tensor::zeros({1, 2, 4}), state);
                    },
                    "[lstm] expects x (B, T, 3) with T above 0, got (1, 2, 4)"}};
  return sample;
});

const Register lstm_sample("Lstm", Kind::model, [] {
  Sample sample{.name = "Lstm", .kind = Kind::model};
  sample.cases = {lstm_case("one layer", 1, 5), lstm_case("two layers", 2, 3)};
  sample.errors = {
      {"vocabulary", [] { Lstm({}); }, "[lstm] vocab_size must be 1 to 268435456, got 0"},
      {"dropout", [] { Lstm({.vocab_size = 5, .dropout = 1.5}); },
       "[lstm] dropout must be at least 0 and below 1, got 1.5"},
      {"shape", [] { Lstm({.vocab_size = 5, .n_embd = 4}).forward(ids({4}, 5, 1)); },
       "[lstm] expects ids (B, T), got (4,)"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_recurrent_samples
