#include "nn/models/bag_of_words.h"

#include <fmt/format.h>

#include <unordered_set>

#include "autograd/ops/binary.h"
#include "autograd/ops/indexing.h"
#include "autograd/ops/shape_ops.h"
#include "core/shape_only.h"
#include "nn/check.h"
#include "nn/trace.h"

namespace weft::nn {
namespace {

const BagOfWordsConfig& checked_bag(const BagOfWordsConfig& config) {
  config.validate();
  return config;
}

}  // namespace

void BagOfWordsConfig::validate() const {
  const ConfigCheck check("bag of words");
  check.size("vocab_size", vocab_size, kMaxVocabulary);
  check.size("n_class", n_class, kMaxVocabulary);
  if (n_ignored < 0 || n_ignored > vocab_size)
    check.fail(fmt::format("n_ignored must be 0 to {}, got {}", vocab_size, n_ignored));
  check_fits<BagOfWords>(check, *this);
}

BagOfWords::BagOfWords(const BagOfWordsConfig& config)
    : Model("BagOfWords"),
      config_(checked_bag(config)),
      weight(*this, "weight", {config_.vocab_size, config_.n_class}, init::zeros()),
      bias(*this, "bias", {config_.n_class}, init::zeros()) {}

Tensor BagOfWords::forward(const Tensor& ids) const {
  if (ids.rank() != 2)
    fail<ShapeError>("bag of words", "expects ids (B, T), got {}", ids.shape().str());
  const std::int64_t rows = ids.size(0);
  Tensor terms, owner;  // each word of each row once
  if (shape_only()) {
    take_bound("bag of words: all words of a text differ");
    terms = embedding(weight, raw::reshape(ids, {ids.numel()}));
    owner = raw::expand(Tensor::empty({ids.numel(), 1}, DType::i64), terms.shape());
  } else {
    const auto all = ids.to_vector<std::int64_t>();
    std::vector<std::int64_t> words, owners;
    for (std::int64_t row = 0; row < rows; ++row) {
      std::unordered_set<std::int64_t> seen;
      for (std::int64_t t = 0; t < ids.size(1); ++t) {
        const std::int64_t id = all[static_cast<std::size_t>(row * ids.size(1) + t)];
        if ((id >= 0 && id < config_.n_ignored) || !seen.insert(id).second) continue;
        words.push_back(id);
        owners.push_back(row);
      }
    }
    const auto count = static_cast<std::int64_t>(words.size());
    terms = embedding(weight, Tensor::from(words, {count}));
    owner = raw::expand(Tensor::from(owners, {count, 1}), {count, config_.n_class});
  }
  const Tensor start = Tensor::zeros({rows, config_.n_class}, weight->dtype());
  return scatter_add(start, 0, owner, terms) + bias.get();
}

Tensor BagOfWords::example_input(std::int64_t batch) const {
  return Tensor::zeros({batch, 1}, DType::i64);
}

std::string BagOfWords::details() const {
  return fmt::format("{} words, {} classes", config_.vocab_size, config_.n_class);
}

}  // namespace weft::nn
