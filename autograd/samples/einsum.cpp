// Samples of einsum.
#include <map>
#include <string>

#include "autograd/ops/matmul.h"
#include "autograd/sample.h"

namespace weft::samples::einsum_samples {
namespace {

using Inputs = std::vector<Tensor>;

/// Runs over every value of every letter, and adds the product where it belongs.
std::vector<double> by_letters(const std::string& formula, const Inputs& in) {
  const std::string inputs = formula.substr(0, formula.find("->")),
                    output = formula.substr(formula.find("->") + 2);
  std::vector<std::string> operands{inputs.substr(0, inputs.find(','))};
  if (inputs.find(',') != std::string::npos)
    operands.push_back(inputs.substr(inputs.find(',') + 1));
  std::map<char, std::size_t> sizes;
  for (std::size_t i = 0; i < operands.size(); ++i)
    for (std::size_t d = 0; d < operands[i].size(); ++d)
      sizes[operands[i][d]] = static_cast<std::size_t>(in[i].size(static_cast<std::int64_t>(d)));
  std::size_t total = 1, out_size = 1;
  for (const auto& [letter, size] : sizes) total *= size;
  for (const char letter : output) out_size *= sizes[letter];
  std::vector<std::vector<double>> data;
  for (const Tensor& t : in) data.push_back(flat(t));
  std::vector<double> out(out_size, 0.0);
  for (std::size_t step = 0; step < total; ++step) {
    std::map<char, std::size_t> at;
    std::size_t rest = step;
    for (const auto& [letter, size] : sizes) at[letter] = rest % size, rest /= size;
    const auto place = [&](const std::string& letters) {
      std::size_t index = 0;
      for (const char letter : letters) index = index * sizes[letter] + at[letter];
      return index;
    };
    double value = 1;
    for (std::size_t i = 0; i < operands.size(); ++i) value *= data[i][place(operands[i])];
    out[place(output)] += value;
  }
  return out;
}

Case two(const std::string& formula, const Shape& a, const Shape& b, const char* remark = "") {
  return {.label = formula + remark,
          .inputs = {values(a, 1), values(b, 2)},
          .call = [=](const Inputs& in) { return einsum(formula, in[0], in[1]); },
          .reference = [=](const Inputs& in) { return by_letters(formula, in); }};
}

Case one(const std::string& formula, const Shape& a) {
  return {.label = formula,
          .inputs = {values(a, 1)},
          .call = [=](const Inputs& in) { return einsum(formula, in[0]); },
          .reference = [=](const Inputs& in) { return by_letters(formula, in); }};
}

Sample make() {
  Sample sample{.name = "einsum"};
  sample.cases = {two("ij,jk->ik", {2, 3}, {3, 4}),
                  two("bhqd,bhkd->bhqk", {2, 2, 3, 2}, {2, 2, 4, 2}),
                  two("bqhd,bkhd->bhqk", {2, 3, 2, 2}, {2, 4, 2, 2}),
                  two("i,j->ji", {3}, {4}),
                  two("ij,ij->", {2, 3}, {2, 3}),
                  two("ij,ij->ji", {2, 3}, {2, 3}),
                  two("aib,bc->ca", {2, 3, 2}, {2, 4}),
                  two("ij,kl->k", {2, 3}, {4, 2}),
                  two(",i->i", {}, {3}),
                  two("ij,jk->ik", {0, 3}, {3, 2}, " of no rows"),
                  two("ij,jk->ik", {2, 0}, {0, 3}, " over nothing"),
                  one("ijk->kj", {2, 3, 4}),
                  one("ij->ji", {2, 3}),
                  one("ij->", {2, 3})};
  sample.errors = {{"no arrow",
                    [] {
                      einsum("ij,jk", Tensor::zeros({2, 2}), Tensor::zeros({2, 2}));
                    },
                    "[einsum] `ij,jk` has no output; write it after `->`"},
                   {"count",
                    [] {
                      einsum("ij->i", Tensor::zeros({2, 2}), Tensor::zeros({2, 2}));
                    },
                    "[einsum] `ij->i` names 1 operand, got 2"},
                   {"repeat",
                    [] {
                      einsum("ii->i", Tensor::zeros({2, 2}));
                    },
                    "[einsum] `ii->i`: `i` repeats within an operand"},
                   {"not a letter",
                    [] {
                      einsum("i.->i", Tensor::zeros({2, 2}));
                    },
                    "[einsum] `i.->i`: `.` is not a letter"},
                   {"unknown output",
                    [] {
                      einsum("ij->ik", Tensor::zeros({2, 2}));
                    },
                    "[einsum] `ij->ik`: `k` of the output is in no operand"},
                   {"rank",
                    [] {
                      einsum("ijk->i", Tensor::zeros({2, 2}));
                    },
                    "[einsum] `ijk->i`: `ijk` names 3 dimensions, the operand is (2, 2)"},
                   {"sizes",
                    [] {
                      einsum("ij,jk->ik", Tensor::zeros({2, 3}), Tensor::zeros({4, 2}));
                    },
                    "[einsum] `ij,jk->ik`: sizes of `j` disagree: a (2, 3), b (4, 2)"}};
  sample.benchmarks = {{"bqhd,bkhd->bhqk (12, 64, 4, 32)",
                        [] {
                          return Inputs{raw::cast(values({12, 64, 4, 32}, 1), DType::f32),
                                        raw::cast(values({12, 64, 4, 32}, 2), DType::f32)};
                        },
                        [](const Inputs& in) { return einsum("bqhd,bkhd->bhqk", in[0], in[1]); },
                        2.0 * 12 * 4 * 64 * 64 * 32,
                        4.0 * (2 * 12 * 64 * 4 * 32 + 12 * 4 * 64 * 64)}};
  return sample;
}

const Register einsum_register("einsum", Kind::op, make);

}  // namespace
}  // namespace weft::samples::einsum_samples
