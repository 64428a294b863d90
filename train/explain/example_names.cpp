#include "train/explain/example_names.h"

#include <fmt/format.h>

namespace weft::explain {
namespace {

std::vector<std::string> dimension_names(std::int64_t dim) {
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= dim; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace

std::string example_title(const Example& example) {
  std::string text;
  for (const std::string& name : example.tokens.names)
    text += (text.empty() || name.size() <= 4 ? "" : ", ") + name;
  const std::int64_t tokens = example.tokens.x.size(0), dim = example.tokens.x.size(1);
  return fmt::format("z = softmax(QKᵀ/√d) V of {}: {} token{} of {} dimension{}, seed {}", text,
                     tokens, tokens == 1 ? "" : "s", dim, dim == 1 ? "" : "s", example.seed);
}

std::vector<std::vector<NamedMatrix>> step_matrices(const Example& example, Mixing mixing) {
  const auto at = static_cast<std::size_t>(mixing);
  const Projections& w = example.projections[at];
  const Steps& steps = example.steps[at];
  const std::vector<std::string>& tokens = example.tokens.names;
  const std::int64_t heads = example.heads, count = example.tokens.x.size(0),
                     dim = example.tokens.x.size(1);
  const std::vector<std::string> dims = dimension_names(dim);

  std::vector<std::vector<NamedMatrix>> rows;
  rows.push_back({{"x", tokens, dims, example.tokens.x},
                  {"W_Q", dims, dims, w.w_q},
                  {"W_K", dims, dims, w.w_k},
                  {"W_V", dims, dims, w.w_v}});
  rows.push_back({{"Q = x W_Q", tokens, dims, steps.q},
                  {"K = x W_K", tokens, dims, steps.k},
                  {"V = x W_V", tokens, dims, steps.v}});
  std::vector<NamedMatrix> last;
  for (std::int64_t h = 0; h < heads; ++h) {
    const auto of_head = [&](const Tensor& t) {
      return raw::reshape(raw::slice(t, 0, h, h + 1), {count, count});
    };
    const std::string head = heads == 1 ? "" : fmt::format(", head {}", h + 1);
    last.push_back({fmt::format("scores QKᵀ/√{}{}", dim / heads, head), tokens, tokens,
                    of_head(steps.scores)});
    last.push_back({"weights softmax" + head, tokens, tokens, of_head(steps.weights)});
  }
  last.push_back({"z = weights V", tokens, dims, steps.z});
  rows.push_back(std::move(last));
  return rows;
}

NamedMatrix jacobian_matrix(const Example& example, const Arm& arm) {
  const std::int64_t dim = example.tokens.x.size(1), side = example.tokens.x.numel();
  NamedMatrix matrix{.title = arm.name(),
                     .rows = {},
                     .columns = {},
                     .values = raw::reshape(arm.jacobian, {side, side}),
                     .zero_below = zero_below(arm.jacobian)};
  for (const std::string& name : example.tokens.names)
    for (std::int64_t i = 1; i <= dim; ++i) {
      matrix.rows.push_back(fmt::format("{}{} {}", arm.ffn ? "" : "z ", name, i));
      matrix.columns.push_back(fmt::format("x {} {}", name, i));
    }
  return matrix;
}

}  // namespace weft::explain
