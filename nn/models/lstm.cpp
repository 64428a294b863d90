#include "nn/models/lstm.h"

#include <cmath>

#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const LstmConfig& checked_lstm(const LstmConfig& config) {
  config.validate();
  return config;
}

/// PyTorch's: uniform in +-1 / sqrt(H), weights and biases.
init::Initializer lstm_init(std::int64_t hidden) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  return init::uniform(-bound, bound);
}

struct LstmMemory : LanguageModel::Memory {
  explicit LstmMemory(std::size_t layers) : states(layers) {}
  std::int64_t length() const override { return seen; }
  void clear() override {
    states.assign(states.size(), {});
    seen = 0;
  }

  std::vector<LstmLayer::State> states;
  std::int64_t seen = 0;
};

}  // namespace

void LstmConfig::validate() const {
  const ConfigCheck check("lstm");
  check.size("vocab_size", vocab_size, kMaxVocabulary);
  check.size("block_size", block_size, kMaxContext);
  check.size("n_layer", n_layer, kMaxLayers);
  check.size("n_embd", n_embd, kMaxWidth);
  check.probability("dropout", dropout);
  check_fits<Lstm>(check, *this);
}

LstmLayer::LstmLayer(std::int64_t in, std::int64_t hidden)
    : Module("LstmLayer"),
      hidden_(hidden),
      weight_ih(*this, "weight_ih", {4 * hidden, in}, lstm_init(hidden)),
      weight_hh(*this, "weight_hh", {4 * hidden, hidden}, lstm_init(hidden)),
      bias_ih(*this, "bias_ih", {4 * hidden}, lstm_init(hidden)),
      bias_hh(*this, "bias_hh", {4 * hidden}, lstm_init(hidden)) {}

Tensor LstmLayer::forward(const Tensor& x, State& state) const {
  const std::int64_t in = static_cast<const Tensor&>(weight_ih).size(1);
  if (x.rank() != 3 || x.size(2) != in || x.size(1) == 0)
    fail<ShapeError>("lstm", "expects x (B, T, {}) with T above 0, got {}", in, x.shape().str());
  const std::int64_t batch = x.size(0), length = x.size(1);
  if (!state.hidden.defined()) {
    state.hidden = Tensor::zeros({batch, hidden_}, x.dtype());
    state.cell = Tensor::zeros({batch, hidden_}, x.dtype());
  }
  const Tensor from_inputs = linear(x, weight_ih, bias_ih);  // of all tokens at once
  std::vector<Tensor> all;
  for (std::int64_t t = 0; t < length; ++t) {
    const Tensor now = select(from_inputs, 1, t), before = linear(state.hidden, weight_hh, bias_hh);
    const Tensor gates = now + before;
    const auto gate = [&](std::int64_t k) {
      return slice(gates, 1, k * hidden_, (k + 1) * hidden_);
    };
    state.cell = sigmoid(gate(1)) * state.cell + sigmoid(gate(0)) * weft::tanh(gate(2));
    state.hidden = sigmoid(gate(3)) * weft::tanh(state.cell);
    all.push_back(state.hidden);
  }
  return stack(all, 1);
}

std::string LstmLayer::details() const {
  return fmt::format("{} -> {}", static_cast<const Tensor&>(weight_ih).size(1), hidden_);
}

Lstm::Lstm(const LstmConfig& config)
    : LanguageModel("Lstm"),
      config_(checked_lstm(config)),
      wte(*this, "wte", config_.vocab_size, config_.n_embd, init::normal(0.1)),
      drop(*this, "drop", config_.dropout),
      layers(*this, "layers"),
      lm_head(*this, "lm_head", config_.n_embd, config_.vocab_size, LinearOptions{}) {
  for (std::int64_t i = 0; i < config_.n_layer; ++i) layers.emplace(config_.n_embd, config_.n_embd);
}

Tensor Lstm::run(const Tensor& ids, std::vector<LstmLayer::State>& states) const {
  if (ids.rank() != 2 || ids.size(1) == 0)
    fail<ShapeError>("lstm", "expects ids (B, T), got {}", ids.shape().str());
  Tensor x = drop(wte(ids));
  for (std::size_t i = 0; i < layers.size(); ++i) x = drop(layers.call(i, x, states[i]));
  return x;
}

Tensor Lstm::forward(const Tensor& ids) const {
  std::vector<LstmLayer::State> states(layers.size());
  return lm_head(run(ids, states));
}

std::unique_ptr<LanguageModel::Memory> Lstm::new_memory() const {
  return std::make_unique<LstmMemory>(layers.size());
}

Tensor Lstm::next_logits(const Tensor& ids, Memory& memory) const {
  auto& known = static_cast<LstmMemory&>(memory);
  const Tensor x = run(ids, known.states);
  known.seen += ids.size(1);
  return lm_head(slice(x, 1, x.size(1) - 1, x.size(1)));
}

Tensor Lstm::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, config_.block_size}, DType::i64);
}

std::string Lstm::details() const {
  return fmt::format("{} layers, width {}, context {}, vocabulary {}", config_.n_layer,
                     config_.n_embd, config_.block_size, config_.vocab_size);
}

}  // namespace weft::nn
