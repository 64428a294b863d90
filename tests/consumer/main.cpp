#include <weft/weft.h>

#include <cstdio>
#include <cstdlib>

/// Usage: consumer [TEXT [STEPS]]
int main(int argc, char** argv) {
  const char* const file = argc > 1 ? argv[1] : "tinyshakespeare.txt";
  const long steps = argc > 2 ? std::atol(argv[2]) : 2000;
  auto text = weft::data::load_text(file);
  weft::nn::Gpt model({.vocab_size = text.vocab_size(),
                       .block_size = 64,
                       .n_layer = 4,
                       .n_head = 4,
                       .n_embd = 128});
  weft::optim::AdamW optimizer(model.parameters(), {.lr = 1e-3});
  double first = 0, last = 0;
  for (auto [inputs, targets] : text.train_batches({.batch = 12, .steps = steps, .seed = 1})) {
    weft::Tensor loss = weft::cross_entropy(model(inputs), targets);  // (B, T, V), (B, T) -> ()
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    last = loss.item();
    if (first == 0) first = last;
  }
  std::printf("loss %.4f -> %.4f\n", first, last);
  return last < first ? 0 : 1;
}
