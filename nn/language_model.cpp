#include "nn/language_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "autograd/autograd.h"
#include "core/math.h"
#include "nn/check.h"

namespace weft::nn {
namespace {

/// The last row of logits (1, T, V).
Tensor last_row(const Tensor& logits) {
  return raw::reshape(raw::slice(logits, 1, logits.size(1) - 1, logits.size(1)), {logits.size(2)});
}

}  // namespace

void GenerateOptions::validate() const {
  if (max_new_tokens < 0)
    fail<ConfigError>("generate", "max_new_tokens must be at least 0, got {}", max_new_tokens);
  if (!(temperature >= 0) || !std::isfinite(temperature))
    fail<ConfigError>("generate", "temperature must be finite and at least 0, got {}", temperature);
  if (top_k < 0) fail<ConfigError>("generate", "top_k must be at least 0, got {}", top_k);
  if (keep < 0) fail<ConfigError>("generate", "keep must be at least 0, got {}", keep);
  if (!(top_p > 0 && top_p <= 1))
    fail<ConfigError>("generate", "top_p must be above 0 and at most 1, got {}", top_p);
}

std::int64_t sample_id(const Tensor& logits, const GenerateOptions& options, Generator& generator) {
  std::vector<double> score = logits.to_vector<double>();
  if (score.empty()) fail<ShapeError>("generate", "no logits to choose from");
  check_logits("generate", score);

  for (const std::int64_t id : options.forbidden) {
    if (id < 0 || id >= static_cast<std::int64_t>(score.size()))
      fail<ConfigError>("generate", "the forbidden id {} is outside the vocabulary of {}", id,
                        score.size());
    score[static_cast<std::size_t>(id)] = -INFINITY;
  }
  const double highest = *std::max_element(score.begin(), score.end());
  if (highest == -INFINITY)
    fail<NumericError>("generate", "every logit is -infinity{}",
                       options.forbidden.empty() ? "" : ", or its id forbidden");

  std::vector<std::int64_t> order(score.size());
  std::iota(order.begin(), order.end(), 0);
  const auto more_likely = [&](std::int64_t a, std::int64_t b) {
    const double left = score[static_cast<std::size_t>(a)],
                 right = score[static_cast<std::size_t>(b)];
    return left > right || (left == right && a < b);
  };
  if (options.temperature == 0) return *std::min_element(order.begin(), order.end(), more_likely);

  if (options.top_k > 0 || options.top_p < 1) std::sort(order.begin(), order.end(), more_likely);
  if (options.top_k > 0)
    order.resize(std::min(order.size(), static_cast<std::size_t>(options.top_k)));

  double total = 0;
  for (double& value : score) value = math::exp((value - highest) / options.temperature);
  for (const std::int64_t id : order) total += score[static_cast<std::size_t>(id)];
  if (options.top_p < 1) {
    double sum = 0;
    std::size_t kept = 0;
    while (kept < order.size() && sum < options.top_p * total)
      sum += score[static_cast<std::size_t>(order[kept++])];
    order.resize(std::max<std::size_t>(kept, 1));
    total = sum;
  }

  const double target = generator.next_uniform() * total;
  double sum = 0;
  std::int64_t chosen = order.front();
  for (const std::int64_t id : order) {
    const double weight = score[static_cast<std::size_t>(id)];
    if (weight == 0) continue;
    chosen = id;  // rounding may leave the target just above the last sum
    sum += weight;
    if (sum > target) break;
  }
  return chosen;
}

std::vector<std::int64_t> LanguageModel::generate(const std::vector<std::int64_t>& prompt,
                                                  const GenerateOptions& options,
                                                  const std::function<bool(std::int64_t)>& on_token,
                                                  Generator* generator) {
  options.validate();
  if (prompt.empty()) fail<ConfigError>("generate", "the prompt is empty; give at least one token");
  for (const std::int64_t id : prompt)
    if (id < 0 || id >= vocab_size())
      fail<IndexError>("generate", "the prompt's id {} is outside the vocabulary of {}", id,
                       vocab_size());

  const NoGrad no_grad;
  const EvalMode eval(*this);
  Generator& random = generator ? *generator : random::stream("sample");
  std::vector<std::int64_t> tokens = prompt;
  const std::unique_ptr<Memory> memory = new_memory();
  if (options.keep > context())
    fail<ConfigError>("generate", "keep {} is more than the context, {}", options.keep, context());
  const std::int64_t keep =
      options.keep > 0 ? options.keep : std::max<std::int64_t>(1, context() / 2);
  for (std::int64_t step = 0; step < options.max_new_tokens; ++step) {
    // What the memory lacks: a token; or many, since in another context every token has another
    // position.
    const bool full = memory->length() >= context();
    if (full) memory->clear();
    const std::int64_t known = static_cast<std::int64_t>(tokens.size());
    const std::int64_t fresh = memory->length() > 0 ? 1 : std::min(known, full ? keep : context());
    const Tensor ids =
        Tensor::from(std::vector<std::int64_t>(tokens.end() - fresh, tokens.end()), {1, fresh});
    const std::int64_t id = sample_id(last_row(next_logits(ids, *memory)), options, random);
    tokens.push_back(id);
    if (on_token && !on_token(id)) break;
  }
  return {tokens.begin() + static_cast<std::ptrdiff_t>(prompt.size()), tokens.end()};
}

}  // namespace weft::nn
