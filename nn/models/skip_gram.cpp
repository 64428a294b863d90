#include "nn/models/skip_gram.h"

#include <fmt/format.h>

#include "autograd/ops/binary.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"
#include "autograd/ops/unary.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

const SkipGramConfig& checked_skip_gram(const SkipGramConfig& config) {
  config.validate();
  return config;
}

}  // namespace

void SkipGramConfig::validate() const {
  const ConfigCheck check("skip-gram");
  check.size("vocab_size", vocab_size, kMaxVocabulary);
  check.size("n_embd", n_embd, kMaxWidth);
  check_fits<SkipGram>(check, *this);
}

SkipGram::SkipGram(const SkipGramConfig& config)
    : Model("SkipGram"),
      config_(checked_skip_gram(config)),
      input(*this, "input", config_.vocab_size, config_.n_embd,
            init::uniform(-0.5 / static_cast<double>(config_.n_embd),
                          0.5 / static_cast<double>(config_.n_embd))),
      output(*this, "output", config_.vocab_size, config_.n_embd, init::zeros()) {}

Tensor SkipGram::forward(const Tensor& ids) const {
  if (ids.rank() != 2 || ids.size(1) < 2)
    fail<ShapeError>("skip-gram", "expects ids (B, 2 + noise words), got {}", ids.shape().str());
  const std::int64_t rows = ids.size(0), scored = ids.size(1) - 1;
  const Tensor center = input(raw::slice(ids, 1, 0, 1));             // (B, 1, C)
  const Tensor others = output(raw::slice(ids, 1, 1, ids.size(1)));  // (B, 1 + k, C)
  return reshape(matmul(others, transpose(center, 1, 2)), {rows, scored});
}

Tensor SkipGram::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, 7}, DType::i64);
}

std::string SkipGram::details() const {
  return fmt::format("{} words, width {}", config_.vocab_size, config_.n_embd);
}

Tensor negative_sampling_loss(const Tensor& scores) {
  if (scores.rank() != 2 || scores.size(1) < 1)
    fail<ShapeError>("negative_sampling_loss", "expects scores (B, 1 + k), got {}",
                     scores.shape().str());
  // -log s(x) is softplus(-x): the context's score counts negative, the noise words' positive.
  const Tensor signs = Tensor::ones({scores.size(1)}, scores.dtype());
  raw::slice(signs, 0, 0, 1).fill(-1);
  return mul(sum(softplus(mul(scores, signs))),
             1.0 / static_cast<double>(std::max<std::int64_t>(scores.size(0), 1)));
}

}  // namespace weft::nn
