// Letters fall into five kinds: shared and kept (batch), shared and summed (inner), kept from one
// operand (rows of a, columns of b), and summed within one operand, which is done first. What is
// left is one batched matrix product.
#include <algorithm>
#include <string>

#include "autograd/ops/matmul.h"
#include "autograd/ops/reduce.h"
#include "autograd/ops/shape_ops.h"

namespace weft {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool holds(const std::string& letters, char c) { return letters.find(c) != std::string::npos; }

struct Formula {
  std::vector<std::string> operands;
  std::string output;
};

void check_letters(std::string_view formula, const std::string& letters, const char* what) {
  if (letters.size() > static_cast<std::size_t>(Shape::kMaxRank))
    fail<ConfigError>("einsum", "`{}`: {} has {} letters, at most {} dimensions", formula, what,
                      letters.size(), Shape::kMaxRank);
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (!is_letter(letters[i]))
      fail<ConfigError>("einsum", "`{}`: `{}` is not a letter", formula, letters[i]);
    if (letters.find(letters[i], i + 1) != std::string::npos)
      fail<ConfigError>("einsum", "`{}`: `{}` repeats within {}", formula, letters[i], what);
  }
}

Formula parse(std::string_view formula, std::size_t operand_count) {
  constexpr std::size_t kMostCharacters = 64;
  if (formula.size() > kMostCharacters)
    fail<ConfigError>("einsum", "a formula of {} characters; at most {}", formula.size(),
                      kMostCharacters);
  std::string text;
  for (const char c : formula)
    if (c != ' ') text += c;
  const std::size_t arrow = text.find("->");
  if (arrow == std::string::npos)
    fail<ConfigError>("einsum", "`{}` has no output; write it after `->`", formula);
  Formula parsed;
  parsed.output = text.substr(arrow + 2);
  const std::string inputs = text.substr(0, arrow);
  for (std::size_t begin = 0;;) {
    const std::size_t comma = inputs.find(',', begin);
    parsed.operands.push_back(
        inputs.substr(begin, comma == std::string::npos ? comma : comma - begin));
    if (comma == std::string::npos) break;
    begin = comma + 1;
  }
  if (parsed.operands.size() != operand_count)
    fail<ConfigError>("einsum", "`{}` names {} operand{}, got {}", formula, parsed.operands.size(),
                      parsed.operands.size() == 1 ? "" : "s", operand_count);
  for (const std::string& letters : parsed.operands) check_letters(formula, letters, "an operand");
  check_letters(formula, parsed.output, "the output");
  for (const char c : parsed.output)
    if (std::none_of(parsed.operands.begin(), parsed.operands.end(),
                     [c](const std::string& letters) { return holds(letters, c); }))
      fail<ConfigError>("einsum", "`{}`: `{}` of the output is in no operand", formula, c);
  return parsed;
}

void check_rank(std::string_view formula, const std::string& letters, const Tensor& t) {
  if (t.rank() != static_cast<int>(letters.size()))
    fail<ShapeError>("einsum", "`{}`: `{}` names {} dimension{}, the operand is {}", formula,
                     letters, letters.size(), letters.size() == 1 ? "" : "s", t.shape().str());
}

/// Sums every dimension whose letter is not in `kept`, and drops it from `letters`.
Tensor sum_others(const Tensor& t, std::string& letters, const std::string& kept) {
  Dims dims;
  std::string rest;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (holds(kept, letters[i]))
      rest += letters[i];
    else
      dims.push_back(static_cast<std::int64_t>(i));
  }
  letters = rest;
  return dims.empty() ? t : sum(t, dims);
}

/// Dimensions brought into the order of `wanted`, a permutation of `letters`.
Tensor arrange(const Tensor& t, const std::string& letters, const std::string& wanted) {
  if (letters == wanted) return t;
  Shape order;
  for (const char c : wanted) order.push_back(static_cast<std::int64_t>(letters.find(c)));
  return permute(t, order);
}

std::int64_t size_of(const Tensor& t, const std::string& letters, char c) {
  return t.size(static_cast<std::int64_t>(letters.find(c)));
}

std::int64_t product_of(const Tensor& t, const std::string& letters, const std::string& chosen) {
  std::int64_t size = 1;
  for (const char c : chosen) size *= size_of(t, letters, c);
  return size;
}

}  // namespace

Tensor einsum(std::string_view formula, const Tensor& a) {
  const Formula parsed = parse(formula, 1);
  std::string letters = parsed.operands[0];
  check_rank(formula, letters, a);
  if (!is_float(a.dtype()))
    fail<DTypeError>("einsum", "expects f32 or f64, got {}", name(a.dtype()));
  return arrange(sum_others(a, letters, parsed.output), letters, parsed.output);
}

Tensor einsum(std::string_view formula, const Tensor& a, const Tensor& b) {
  const Formula parsed = parse(formula, 2);
  std::string letters_a = parsed.operands[0], letters_b = parsed.operands[1];
  check_rank(formula, letters_a, a);
  check_rank(formula, letters_b, b);
  for (const char c : letters_a)
    if (holds(letters_b, c) && size_of(a, letters_a, c) != size_of(b, letters_b, c))
      fail<ShapeError>("einsum", "`{}`: sizes of `{}` disagree: a {}, b {}", formula, c,
                       a.shape().str(), b.shape().str());
  const Tensor x = sum_others(a, letters_a, parsed.output + letters_b),
               y = sum_others(b, letters_b, parsed.output + letters_a);

  std::string batch, rows, inner, columns;
  for (const char c : parsed.output) {
    if (holds(letters_a, c) && holds(letters_b, c))
      batch += c;
    else
      (holds(letters_a, c) ? rows : columns) += c;
  }
  for (const char c : letters_a)
    if (!holds(parsed.output, c)) inner += c;

  Shape sizes;
  for (const char c : batch) sizes.push_back(size_of(x, letters_a, c));
  for (const char c : rows) sizes.push_back(size_of(x, letters_a, c));
  for (const char c : columns) sizes.push_back(size_of(y, letters_b, c));
  const std::int64_t groups = product_of(x, letters_a, batch), k = product_of(x, letters_a, inner);
  const std::int64_t m = product_of(x, letters_a, rows), n = product_of(y, letters_b, columns);
  Tensor left = reshape(arrange(x, letters_a, batch + rows + inner), {groups, m, k});
  Tensor right = reshape(arrange(y, letters_b, batch + inner + columns), {groups, k, n});
  return arrange(reshape(matmul(left, right), sizes), batch + rows + columns, parsed.output);
}

}  // namespace weft
