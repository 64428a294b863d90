// The LSTM against PyTorch's: logits and every gradient; and token by token what it gives at once.
#include "autograd/autograd.h"
#include "autograd/ops/loss.h"
#include "nn/models/lstm.h"
#include "tests/golden/golden.h"

namespace weft {
TEST_CASE("an LSTM gives PyTorch's logits and gradients") {
  const golden::Arrays arrays = golden::load("lstm");
  for (const DType dtype : {DType::f64, DType::f32}) {
    const double tolerance = golden::tolerance(dtype);
    nn::Lstm model({.vocab_size = 11, .block_size = 7, .n_layer = 2, .n_embd = 6});
    model.to(dtype);
    const golden::Arrays values = golden::below(arrays, "param/");
    model.load_state_dict(nn::NamedTensors(values.begin(), values.end()));
    const Tensor logits = model(arrays.at("x"));
    const Tensor loss = cross_entropy(logits, arrays.at("y"));
    golden::check_close("logits", logits, arrays.at("logits"), tolerance);
    golden::check_close("loss", loss, arrays.at("loss"), tolerance);
    loss.backward();
    const golden::Arrays gradients = golden::below(arrays, "grad/");
    CHECK(model.named_parameters().size() == gradients.size());
    for (const auto& [name, parameter] : model.named_parameters())
      golden::check_close("gradient of " + name, parameter.grad(), gradients.at(name), tolerance);

    const NoGrad no_grad;
    const auto memory = model.new_memory();
    for (std::int64_t t = 0; t < 7; ++t) {
      const Tensor id = raw::slice(raw::slice(arrays.at("x"), 0, 0, 1), 1, t, t + 1);
      const Tensor wanted = raw::slice(raw::slice(arrays.at("logits"), 0, 0, 1), 1, t, t + 1);
      golden::check_close("token by token", model.next_logits(id, *memory), wanted, tolerance);
    }
    CHECK(memory->length() == 7);
  }
}

}  // namespace weft
