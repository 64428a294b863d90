#include "nn/samples/naive.h"

#include <algorithm>

namespace weft::samples::naive {
namespace {

/// x is (B, T, H, D): each vector turned by its position, pair (i, D/2 + i).
void turn(Values& x, std::size_t positions, std::size_t heads, std::size_t size) {
  for (std::size_t row = 0; row < x.size() / size; ++row)
    for (std::size_t i = 0; i < size / 2; ++i) {
      const double angle =
          static_cast<double>(row / heads % positions) *
          std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(size));
      double &a = x[row * size + i], &b = x[row * size + size / 2 + i];
      const double first = a * std::cos(angle) - b * std::sin(angle);
      b = b * std::cos(angle) + a * std::sin(angle);
      a = first;
    }
}

}  // namespace

Values linear(const Values& x, const Values& weight, const Values& bias, std::size_t in,
              std::size_t out) {
  Values y;
  for (std::size_t row = 0; row < x.size() / in; ++row)
    for (std::size_t o = 0; o < out; ++o) {
      double sum = bias.empty() ? 0 : bias[o];
      for (std::size_t i = 0; i < in; ++i) sum += x[row * in + i] * weight[o * in + i];
      y.push_back(sum);
    }
  return y;
}

Values layer_norm(const Values& x, const Values& weight, const Values& bias, std::size_t size,
                  double eps) {
  Values y(x.size());
  const auto n = static_cast<double>(size);
  for (std::size_t row = 0; row < x.size() / size; ++row) {
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < size; ++i) mean += x[row * size + i] / n;
    for (std::size_t i = 0; i < size; ++i) variance += std::pow(x[row * size + i] - mean, 2) / n;
    for (std::size_t i = 0; i < size; ++i)
      y[row * size + i] = (x[row * size + i] - mean) / std::sqrt(variance + eps) *
                              (weight.empty() ? 1 : weight[i]) +
                          (bias.empty() ? 0 : bias[i]);
  }
  return y;
}

Values rms_norm(const Values& x, const Values& weight, std::size_t size, double eps) {
  Values y(x.size());
  for (std::size_t row = 0; row < x.size() / size; ++row) {
    double square = 0;
    for (std::size_t i = 0; i < size; ++i)
      square += x[row * size + i] * x[row * size + i] / static_cast<double>(size);
    for (std::size_t i = 0; i < size; ++i)
      y[row * size + i] =
          x[row * size + i] / std::sqrt(square + eps) * (weight.empty() ? 1 : weight[i]);
  }
  return y;
}

double activate(double x, nn::Activation activation) {
  switch (activation) {
    case nn::Activation::relu:
      return std::max(x, 0.0);
    case nn::Activation::relu_squared:
      return std::max(x, 0.0) * std::max(x, 0.0);
    case nn::Activation::gelu_erf:
      return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
    case nn::Activation::gelu_tanh:
      return 0.5 * x *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case nn::Activation::swiglu:
      return x / (1 + std::exp(-x));  // of the gate
  }
  return x;
}

namespace {

/// Lightning and linear attention by their quadratic form; one row of weights, without a norm.
double weight_without_softmax(const Attention& a, double product, std::size_t head,
                              double distance) {
  const double slope =
      std::exp2(-8.0 * static_cast<double>(head + 1) / static_cast<double>(a.heads));
  return a.kind == nn::AttentionKind::lightning
             ? product * std::exp(-slope * a.decay * std::abs(distance))
             : product;
}

double feature(const Attention& a, double x) {
  if (a.kind == nn::AttentionKind::lightning) return x / (1 + std::exp(-x));
  if (a.kind == nn::AttentionKind::linear) return x > 0 ? x + 1 : std::exp(x);
  return x / std::pow(static_cast<double>(a.size), 0.25);
}

/// Channel i of a head is sum_j softmax_j(temperature <q_i, k_j> / (|q_i| |k_j|)) v_j, where a
/// channel is a vector over the tokens.
Values between_channels(const Attention& a, const Values& q, const Values& k, const Values& v) {
  Values out(q.size());
  for (std::size_t b = 0; b < a.batch; ++b)
    for (std::size_t h = 0; h < a.heads; ++h) {
      const auto at = [&](const Values& x, std::size_t heads, std::size_t head, std::size_t t,
                          std::size_t i) {
        return x[((b * a.queries + t) * heads + head) * a.size + i];
      };
      const std::size_t group = h / (a.heads / a.kv_heads);
      const auto over_tokens = [&](auto&& term) {
        double sum = 0;
        for (std::size_t t = 0; t < a.queries; ++t) sum += term(t);
        return sum;
      };
      for (std::size_t i = 0; i < a.size; ++i) {
        const double length = std::sqrt(over_tokens([&](std::size_t t) {
                                          return at(q, a.heads, h, t, i) * at(q, a.heads, h, t, i);
                                        }) +
                                        1e-12);
        Values row(a.size);
        double total = 0;
        for (std::size_t j = 0; j < a.size; ++j) {
          const double other =
              std::sqrt(over_tokens([&](std::size_t t) {
                          return at(k, a.kv_heads, group, t, j) * at(k, a.kv_heads, group, t, j);
                        }) +
                        1e-12);
          const double product = over_tokens([&](std::size_t t) {
            return at(q, a.heads, h, t, i) * at(k, a.kv_heads, group, t, j);
          });
          total += row[j] = std::exp(a.temperature[h] * product / (length * other));
        }
        for (std::size_t t = 0; t < a.queries; ++t)
          for (std::size_t j = 0; j < a.size; ++j)
            out[((b * a.queries + t) * a.heads + h) * a.size + i] +=
                row[j] / total * at(v, a.kv_heads, group, t, j);
      }
    }
  return out;
}

}  // namespace

Values attention(const Attention& a, Values q, Values k, const Values& v, Values* weights) {
  if (a.qk_norm) q = rms_norm(q, {}, a.size), k = rms_norm(k, {}, a.size);
  if (a.rope) turn(q, a.queries, a.heads, a.size), turn(k, a.keys, a.kv_heads, a.size);
  if (a.kind == nn::AttentionKind::channels) return between_channels(a, q, k, v);
  const bool softmax = a.kind == nn::AttentionKind::softmax || a.kind == nn::AttentionKind::plain;
  const bool sigmoid = a.kind == nn::AttentionKind::sigmoid;  // of score - log seen
  Values out(a.batch * a.queries * a.heads * a.size);
  if (weights) weights->assign(a.batch * a.heads * a.queries * a.keys, 0);
  for (std::size_t b = 0; b < a.batch; ++b)
    for (std::size_t h = 0; h < a.heads; ++h)
      for (std::size_t t = 0; t < a.queries; ++t) {
        const std::size_t group = h / (a.heads / a.kv_heads);
        const auto distance = [&](std::size_t s) {
          return static_cast<double>(t + a.keys) - static_cast<double>(a.queries + s);
        };
        const auto hidden = [&](std::size_t s) {
          return (a.causal && distance(s) < 0) ||
                 (!a.padding.empty() && a.padding[b * a.keys + s] != 0);
        };
        Values row(a.keys, 0);
        double total = 0, seen = 0;
        for (std::size_t s = 0; s < a.keys; ++s) seen += hidden(s) ? 0 : 1;
        for (std::size_t s = 0; s < a.keys; ++s) {
          if (hidden(s)) continue;
          double score = a.mask.empty() ? 0 : a.mask[t * a.keys + s];
          for (std::size_t i = 0; i < a.size; ++i)
            score += feature(a, q[((b * a.queries + t) * a.heads + h) * a.size + i]) *
                     feature(a, k[((b * a.keys + s) * a.kv_heads + group) * a.size + i]);
          if (a.alibi)
            score -= std::exp2(-8.0 * static_cast<double>(h + 1) / static_cast<double>(a.heads)) *
                     std::abs(distance(s));
          total += row[s] = sigmoid   ? 1 / (1 + seen * std::exp(-score))
                            : softmax ? std::exp(score)
                                      : weight_without_softmax(a, score, h, distance(s));
        }
        if (sigmoid || a.kind == nn::AttentionKind::lightning) total = 1;
        if (a.kind == nn::AttentionKind::linear) total += 1e-6;
        for (std::size_t s = 0; s < a.keys && total > 0; ++s) {
          row[s] /= total;
          if (weights) (*weights)[((b * a.heads + h) * a.queries + t) * a.keys + s] = row[s];
          for (std::size_t i = 0; i < a.size; ++i)
            out[((b * a.queries + t) * a.heads + h) * a.size + i] +=
                row[s] * v[((b * a.keys + s) * a.kv_heads + group) * a.size + i];
        }
      }
  return a.kind == nn::AttentionKind::lightning ? rms_norm(out, {}, a.size) : out;
}

}  // namespace weft::samples::naive
