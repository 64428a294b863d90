// The encoder-decoder against PyTorch's nn.Transformer layers: logits, loss and every gradient.
#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "nn/models/encoder_decoder.h"
#include "tests/golden/golden.h"

using namespace weft;

TEST_CASE("the encoder-decoder is PyTorch's") {
  const golden::Arrays all = golden::load("encoder_decoder");
  for (const std::string name : {"post_norm", "pre_norm"})
    for (const DType dtype : {DType::f64, DType::f32}) {
      const golden::Arrays arrays = golden::below(all, name + "/");
      nn::EncoderDecoder model({.vocab_size = 7,
                                .source_size = 5,
                                .block_size = 4,
                                .n_layer = 2,
                                .n_head = 2,
                                .n_embd = 8,
                                .mlp_ratio = 2,
                                .post_norm = name == "post_norm"});
      const golden::Arrays parameters = golden::below(arrays, "param/");
      model.to(dtype);
      model.load_state_dict(nn::NamedTensors(parameters.begin(), parameters.end()));
      const Tensor logits = model(arrays.at("source"), arrays.at("target"), arrays.at("padding"));
      const Tensor loss = cross_entropy(logits, arrays.at("answer"));
      const std::string what = name + " in " + std::string(weft::name(dtype));
      golden::check_close(what + ", logits", logits, arrays.at("logits"), golden::tolerance(dtype));
      golden::check_close(what + ", loss", loss, arrays.at("loss"), golden::tolerance(dtype));
      loss.backward();
      const golden::Arrays gradients = golden::below(arrays, "grad/");
      CHECK(model.named_parameters().size() == gradients.size());
      for (const auto& [path, parameter] : model.named_parameters())
        golden::check_close(what + ", gradient of " + path, parameter.grad(), gradients.at(path),
                            golden::tolerance(dtype));
    }
}
