// Samples of what relates real-valued tokens: diagonal and cross-covariance attention, and
// convolution.
#include "nn/conv1d.h"
#include "nn/cross_covariance_attention.h"
#include "nn/diagonal_attention.h"
#include "nn/samples/module_case.h"
#include "nn/samples/naive.h"

namespace weft::samples::nn_token_layers_samples {
namespace {

using namespace nn;
using naive::Values;

constexpr std::size_t kBatch = 2, kTokens = 4, kWidth = 6;

Tensor token_values(std::uint64_t salt = 1) { return values({kBatch, kTokens, kWidth}, salt); }

// ---- diagonal attention ----

Reference diagonal_reference(std::size_t heads) {
  return [heads](const std::vector<Tensor>& t) {
    const auto scaled = [&](const Tensor& weight) {
      Values x = flat(t[0]);
      const Values w = flat(weight);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] *= w[i % kWidth];
      return x;
    };
    const naive::Attention how{.batch = kBatch,
                               .queries = kTokens,
                               .keys = kTokens,
                               .heads = heads,
                               .kv_heads = heads,
                               .size = kWidth / heads};
    return naive::attention(how, scaled(t[1]), scaled(t[2]), scaled(t[3]));
  };
}

const Register diagonal_sample("DiagonalAttention", Kind::module, [] {
  Sample sample{.name = "DiagonalAttention", .kind = Kind::module};
  for (const std::int64_t heads : {1, 2, 6})
    sample.cases.push_back(module_case(
        fmt::format("{} heads", heads), std::make_shared<DiagonalAttention>(kWidth, heads),
        token_values(), diagonal_reference(static_cast<std::size_t>(heads))));
  sample.errors = {{"heads", [] { DiagonalAttention(6, 4); },
                    "[diagonal_attention] n_embd 6 is not divisible by n_head 4; use 4 or 8"},
                   {"width",
                    [] {
                      DiagonalAttention(6).forward(Tensor::zeros({2, 3, 5}));
                    },
                    "[diagonal_attention] expects (B, T, 6), got (2, 3, 5)"}};
  return sample;
});

// ---- between channels ----

/// Column c of row `row` in part 0, 1 or 2 of what qkv made.
struct Projected {
  Values qkv;
  double at(std::size_t row, std::size_t part, std::size_t c) const {
    return qkv[row * 3 * kWidth + part * kWidth + c];
  }
};

/// Parameters: temperature, qkv (2), proj (2).
Reference channels_reference(std::size_t heads) {
  return [=](const std::vector<Tensor>& t) {
    const Values temperature = flat(t[1]);
    const Projected in{naive::linear(flat(t[0]), flat(t[2]), flat(t[3]), kWidth, 3 * kWidth)};
    const std::size_t size = kWidth / heads;
    Values joined(kBatch * kTokens * kWidth);
    for (std::size_t b = 0; b < kBatch; ++b) {
      const auto length = [&](std::size_t part, std::size_t c) {
        double squares = 0;
        for (std::size_t n = 0; n < kTokens; ++n)
          squares += std::pow(in.at(b * kTokens + n, part, c), 2);
        return std::sqrt(squares);
      };
      for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t i = h * size; i < (h + 1) * size; ++i) {
          Values weights;
          double total = 0;
          for (std::size_t j = h * size; j < (h + 1) * size; ++j) {
            double score = 0;
            for (std::size_t n = 0; n < kTokens; ++n)
              score += in.at(b * kTokens + n, 0, i) * in.at(b * kTokens + n, 1, j);
            weights.push_back(std::exp(temperature[h] * score / length(0, i) / length(1, j)));
            total += weights.back();
          }
          for (std::size_t n = 0; n < kTokens; ++n)
            for (std::size_t j = 0; j < size; ++j)
              joined[(b * kTokens + n) * kWidth + i] +=
                  weights[j] / total * in.at(b * kTokens + n, 2, h * size + j);
        }
    }
    return naive::linear(joined, flat(t[4]), flat(t[5]), kWidth, kWidth);
  };
}

const Register channels_sample("CrossCovarianceAttention", Kind::module, [] {
  Sample sample{.name = "CrossCovarianceAttention", .kind = Kind::module};
  for (const std::int64_t heads : {1, 2})
    sample.cases.push_back(
        module_case(fmt::format("{} heads", heads),
                    std::make_shared<CrossCovarianceAttention>(
                        CrossCovarianceAttentionOptions{.n_embd = kWidth, .n_head = heads}),
                    token_values(), channels_reference(static_cast<std::size_t>(heads))));
  sample.errors = {
      {"heads", [] { CrossCovarianceAttention({.n_embd = 6, .n_head = 4}); },
       "[cross_covariance_attention] n_embd 6 is not divisible by n_head 4; use 4 or 8"},
      {"width",
       [] {
         CrossCovarianceAttention({.n_embd = 6}).forward(Tensor::zeros({2, 3, 5}));
       },
       "[cross_covariance_attention] expects (B, T, 6), got (2, 3, 5)"}};
  return sample;
});

// ---- convolution over tokens ----

Reference conv1d_reference() {
  return [](const std::vector<Tensor>& t) {
    const Tensor &x = t[0], &w = t[1];
    Values out;
    for (std::int64_t b = 0; b < x.size(0); ++b)
      for (std::int64_t n = 0; n < x.size(1); ++n)
        for (std::int64_t o = 0; o < w.size(0); ++o) {
          double sum = t[2].at({o});
          for (std::int64_t tap = 0; tap < w.size(2); ++tap) {
            const std::int64_t from = n + tap - w.size(2) / 2;
            for (std::int64_t c = 0; c < w.size(1) && from >= 0 && from < x.size(1); ++c)
              sum += x.at({b, from, c}) * w.at({o, c, tap});
          }
          out.push_back(sum);
        }
    return out;
  };
}

const Register conv1d_sample("Conv1d", Kind::module, [] {
  Sample sample{.name = "Conv1d", .kind = Kind::module};
  sample.cases = {module_case("kernel 3", std::make_shared<Conv1d>(kWidth, 3, 3), token_values(),
                              conv1d_reference()),
                  module_case("wider than the sequence", std::make_shared<Conv1d>(2, 3, 5),
                              values({2, 2, 2}, 1), conv1d_reference()),
                  module_case("kernel 1", std::make_shared<Conv1d>(kWidth, 2, 1), token_values(),
                              conv1d_reference())};
  sample.errors = {
      {"kernel", [] { Conv1d(2, 3, 4); },
       "[Conv1d] the kernel must be odd, so that it has a middle: got 4"},
      {"sizes", [] { Conv1d(0, 3, 1); }, "[Conv1d] sizes must be at least 1, got 0 -> 3, kernel 1"},
      {"channels",
       [] {
         Conv1d(2, 3, 3).forward(Tensor::zeros({2, 4, 3}));
       },
       "[Conv1d] expects (B, T, 2), got (2, 4, 3)"}};
  return sample;
});

}  // namespace
}  // namespace weft::samples::nn_token_layers_samples
