// The encoder-decoder from outside, and its beam search against an exhaustive one.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "autograd/sample.h"
#include "nn/nn.h"
#include "tests/nn/nn_test.h"

using namespace weft;
using namespace weft::nn;

namespace {

std::vector<EncoderDecoderConfig> small_configs() {
  EncoderDecoderConfig config{.vocab_size = 4,
                              .source_size = 6,
                              .block_size = 5,
                              .n_layer = 2,
                              .n_head = 2,
                              .n_embd = 8,
                              .mlp_ratio = 2};
  std::vector<EncoderDecoderConfig> all{config};
  config.positions = Positions::learned, config.post_norm = false, config.tie_weights = false;
  all.push_back(config);
  config.positions = Positions::rope, config.n_kv_head = 1, config.norm = NormKind::rms,
  config.bias = false;
  all.push_back(config);
  for (const std::string& name : choices<AttentionKind>()) {
    config.attention = from_name<AttentionKind>(name, "attention"), config.n_kv_head = 0;
    if (traits(config.attention).causal && config.attention != AttentionKind::softmax)
      all.push_back(config);
  }
  return all;
}

double log_probability(const EncoderDecoder& model, const Tensor& source,
                       const std::vector<std::int64_t>& ids) {
  std::vector<std::int64_t> fed{0};
  fed.insert(fed.end(), ids.begin(), ids.end() - 1);
  const Tensor log_p =
      log_softmax(model(source, Tensor::from(fed, {1, static_cast<std::int64_t>(fed.size())})), -1);
  double sum = 0;
  for (std::size_t i = 0; i < ids.size(); ++i)
    sum += log_p.at({0, static_cast<std::int64_t>(i), ids[i]});
  return sum;
}

/// Every target without the start's 0 that ends with `end` or has `most` tokens.
std::vector<std::vector<std::int64_t>> all_targets(std::int64_t vocabulary, std::int64_t most,
                                                   std::int64_t end) {
  std::vector<std::vector<std::int64_t>> result, open{{}};
  for (std::int64_t length = 1; length <= most; ++length) {
    std::vector<std::vector<std::int64_t>> longer;
    for (const auto& prefix : open)
      for (std::int64_t id = 1; id < vocabulary; ++id) {  // 0 starts a target
        auto next = prefix;
        next.push_back(id);
        (id == end || length == most ? result : longer).push_back(next);
      }
    open = longer;
  }
  return result;
}

}  // namespace

TEST_CASE("a later target token never changes an earlier logit, a source token changes all") {
  for (const auto& config : small_configs()) {
    EncoderDecoder model(config);
    model.to(DType::f64);
    const Tensor source = samples::ids({1, 6}, 4, 1), target = samples::ids({1, 5}, 4, 2),
                 changed = raw::clone(target), other = raw::clone(source);
    changed.data<std::int64_t>()[3] ^= 1;
    other.data<std::int64_t>()[5] ^= 1;
    const Tensor a = model(source, target), b = model(source, changed), c = model(other, target);
    CHECK(distance(raw::slice(a, 1, 0, 3), raw::slice(b, 1, 0, 3)) == 0);
    CHECK(distance(raw::slice(a, 1, 3, 4), raw::slice(b, 1, 3, 4)) > 0);
    CHECK(distance(raw::slice(a, 1, 0, 1), raw::slice(c, 1, 0, 1)) > 0);
  }
}

TEST_CASE("padding of the source is not seen") {
  for (const auto& config : small_configs()) {
    if (config.positions == Positions::rope && config.attention == AttentionKind::lightning)
      continue;
    EncoderDecoder model(config);
    model.to(DType::f64);
    const Tensor source = samples::ids({1, 6}, 4, 1), target = samples::ids({1, 5}, 4, 2),
                 padding = Tensor::zeros({1, 6}, DType::u8);
    raw::slice(padding, 1, 4, 6).fill(1);
    CHECK(distance(model(source, target, padding), model(raw::slice(source, 1, 0, 4), target)) <
          1e-12);
  }
}

TEST_CASE("token by token with caches come the logits of the whole") {
  for (const auto& config : small_configs()) {
    EncoderDecoder model(config);
    const NoGrad no_grad;
    const Tensor source = samples::ids({2, 6}, 4, 1), target = samples::ids({2, 5}, 4, 2),
                 whole = model(source, target), memory = model.encode(source);
    std::vector<KvCache> caches;
    for (std::int64_t t = 0; t < 5; ++t)
      CHECK(distance(model.decode(raw::slice(target, 1, t, t + 1), memory, Tensor(), &caches),
                     raw::slice(whole, 1, t, t + 1)) < 1e-5);
  }
}

TEST_CASE("a beam as wide as all there is finds the best target of all") {
  for (const std::int64_t end : {-1, 2}) {
    CAPTURE(end);
    EncoderDecoder model(small_configs()[1]);
    model.to(DType::f64);
    const std::vector<std::int64_t> source{1, 2, 3, 0, 1};
    const BeamOptions options{
        .beam = 300, .max_length = 4, .start = 0, .end = end, .length_penalty = 0.6};
    const auto found = model.beam_search(source, options);
    const NoGrad no_grad;
    const Tensor ids = Tensor::from(source, {1, 5});
    std::vector<Hypothesis> all;
    for (const auto& target : all_targets(4, 4, end)) {
      Hypothesis h{.ids = target, .log_probability = log_probability(model, ids, target)};
      h.score = h.log_probability / std::pow((5 + static_cast<double>(target.size())) / 6, 0.6);
      all.push_back(h);
    }
    std::sort(all.begin(), all.end(),
              [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    REQUIRE(found.size() == std::min<std::size_t>(all.size(), 300));
    for (std::size_t i = 0; i < std::min<std::size_t>(10, all.size()); ++i) {
      CHECK(found[i].ids == all[i].ids);
      CHECK(found[i].score == doctest::Approx(all[i].score).epsilon(1e-9));
      CHECK(found[i].log_probability == doctest::Approx(all[i].log_probability).epsilon(1e-9));
    }
  }
}

TEST_CASE("a beam of one is greedy decoding, and wider ones never end with less") {
  for (const auto& config : small_configs()) {
    EncoderDecoder model(config);
    const std::vector<std::int64_t> source{3, 1, 2};
    const auto greedy = model.beam_search(source, {.beam = 1, .length_penalty = 0});
    REQUIRE(greedy.size() == 1);
    const NoGrad no_grad;
    std::vector<std::int64_t> fed{0};
    for (int t = 0; t < 5; ++t) {
      const Tensor logits = model(Tensor::from(source, {1, 3}),
                                  Tensor::from(fed, {1, static_cast<std::int64_t>(fed.size())}));
      fed.push_back(1 + argmax(raw::slice(raw::slice(logits, 1, t, t + 1), 2, 1, 4))
                            .to_vector<std::int64_t>()[0]);  // the start's 0 is not chosen
    }
    CHECK(greedy[0].ids == std::vector<std::int64_t>(fed.begin() + 1, fed.end()));
    CHECK(model.beam_search(source, {.beam = 1000, .length_penalty = 0})[0].log_probability >=
          greedy[0].log_probability - 1e-6);
  }
}

TEST_CASE("a target holds neither its start nor what is forbidden, however likely they are") {
  for (const auto& config : small_configs()) {
    for (const std::int64_t end : {-1, 2}) {
      EncoderDecoder model(config);
      for (const auto& [name, tensor] : model.named_parameters())
        if (name == "lm_head.bias") tensor.copy_from(Tensor::from<float>({9, 0, 0, 9}, {4}));
      const auto holds = [&](const BeamOptions& options, std::int64_t id) {
        bool found = false;
        for (const Hypothesis& h : model.beam_search({1, 2}, options))
          found = found || std::find(h.ids.begin(), h.ids.end(), id) != h.ids.end();
        return found;
      };
      CHECK(!holds({.beam = 3, .start = 0, .end = end}, 0));
      // All 3^5 targets that are allowed: not every configuration has a bias that favors the 3.
      CHECK(holds({.beam = 300, .start = 0, .end = end}, 3));
      CHECK(!holds({.beam = 3, .start = 0, .end = end, .forbidden = {3}}, 3));
      CHECK(!holds({.beam = 3, .start = 3, .end = end}, 3));
    }
    // One sign for both: it ends a target.
    EncoderDecoder model(config);
    CHECK(model.beam_search({1, 2}, {.beam = 300, .max_length = 2, .start = 1, .end = 1})
              .front()
              .ids.size() >= 1);
  }
}

TEST_CASE("beam search says what is wrong") {
  EncoderDecoder model(small_configs()[0]);
  CHECK(message([&] { model.beam_search({}); }) ==
        "[beam_search] the source is empty; give at least one token");
  CHECK(message([&] { model.beam_search({1}, {.beam = 0}); }) ==
        "[beam_search] beam must be 1 to 1024, got 0");
  CHECK(message([&] { model.beam_search({1}, {.max_length = 9}); }) ==
        "[beam_search] max_length 9 is more than block_size, 5");
  EncoderDecoder broken(small_configs()[0]);
  for (const auto& [name, tensor] : broken.named_parameters()) tensor.fill(NAN);
  CHECK(message([&] { broken.beam_search({1}); }) ==
        "[beam_search] the model's logits hold a NaN or an infinity");
  CHECK(message([&] { model.beam_search({1}, {.end = 4}); }) ==
        "[beam_search] end 4 is outside the vocabulary of 4");
  CHECK(message([&] { model.beam_search({1}, {.start = 4}); }) ==
        "[beam_search] start 4 is outside the vocabulary of 4");
  CHECK(message([&] { model.beam_search({1}, {.forbidden = {7}}); }) ==
        "[beam_search] the forbidden id 7 is outside the vocabulary of 4");
  CHECK(message([&] { model.beam_search({1}, {.end = 2, .forbidden = {2}}); }) ==
        "[beam_search] the id 2 ends a target and is forbidden at once");
  CHECK(message([&] {
          model.beam_search({1}, {.forbidden = {1, 2, 3}});
        }) == "[beam_search] all of the 4 ids are forbidden: nothing is left to choose");
  CHECK_THROWS_AS(model.beam_search({9}), IndexError);
}
