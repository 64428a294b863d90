// Lstm: a recurrent language model.
#pragma once

#include <memory>
#include <vector>

#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/language_model.h"
#include "nn/linear.h"

namespace weft::nn {

struct LstmConfig {
  std::int64_t vocab_size = 0;   ///< must be given
  std::int64_t block_size = 64;  ///< tokens that it is trained to see at once
  std::int64_t n_layer = 2;
  std::int64_t n_embd = 128;  ///< of a token's vector, the hidden state and the cell
  double dropout = 0;         ///< of the embeddings, and behind each layer

  /// Throws ConfigError that names the field, its value and what it may be.
  void validate() const;
};

/// One layer: input, forget, cell and output gates, i, f, g, o from W_ih x + b_ih + W_hh h + b_hh;
/// c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'). Parameters as in PyTorch's
/// LSTM: weight_ih (4 H, C), weight_hh (4 H, H), bias_ih and bias_hh (4 H,), the gates one above
/// the other. Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000 (the forget gate).
class LstmLayer : public Module {
 public:
  /// Of inputs of size `in`; weights and biases begin uniform in +-1 / sqrt(hidden).
  LstmLayer(std::int64_t in, std::int64_t hidden);

  /// What a layer keeps of the tokens that it has seen, each (B, H); undefined: nothing, zeros.
  struct State {
    Tensor hidden;
    Tensor cell;
  };
  /// Shape: x (B, T, C) -> (B, T, H). `state` becomes that after the last token.
  Tensor forward(const Tensor& x, State& state) const;
  Tensor operator()(const Tensor& x, State& state) const { return forward(x, state); }  ///< forward
  std::string details() const override;

 private:
  std::int64_t hidden_;
  Parameter weight_ih;
  Parameter weight_hh;
  Parameter bias_ih;
  Parameter bias_hh;
};

class Lstm : public LanguageModel {
 public:
  /// Throws ConfigError from config.validate().
  explicit Lstm(const LstmConfig& config);

  /// Shape: ids (B, T) -> logits (B, T, V), for any T. Throws: ShapeError, IndexError for an id
  /// outside the vocabulary.
  Tensor forward(const Tensor& ids) const override;
  Tensor example_input(std::int64_t batch = 1) const override;
  std::string details() const override;

  std::int64_t vocab_size() const override { return config_.vocab_size; }
  std::int64_t context() const override { return config_.block_size; }
  std::unique_ptr<Memory> new_memory() const override;
  Tensor next_logits(const Tensor& ids, Memory& memory) const override;

  const LstmConfig& config() const { return config_; }  ///< as it was built

 private:
  Tensor run(const Tensor& ids, std::vector<LstmLayer::State>& states) const;

  LstmConfig config_;
  Child<Embedding> wte;
  Child<Dropout> drop;
  ModuleList<LstmLayer> layers;
  Child<Linear> lm_head;
};

}  // namespace weft::nn
