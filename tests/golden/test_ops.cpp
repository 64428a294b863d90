// Every op against PyTorch: value and gradients, in f64 and in f32.
#include <functional>
#include <set>

#include "autograd/autograd.h"
#include "autograd/ops.h"
#include "tests/golden/golden.h"

namespace weft {
namespace {

using Inputs = std::vector<Tensor>;
using Call = std::function<Tensor(const Inputs&)>;

Tensor cross_entropy_with(const Inputs& in, bool smoothing, bool weights,
                          Reduction reduction = Reduction::mean) {
  CrossEntropyOptions options{.label_smoothing = smoothing ? (weights ? 0.2 : 0.1) : 0.0,
                              .reduction = reduction};
  if (weights)
    options.class_weights =
        raw::cast(Tensor::from<double>({0.5, 1.5, 0.25, 2.0, 0.75}, {5}), in[0].dtype());
  return cross_entropy(in[0], in[1], options);
}

const std::map<std::string, Call>& calls() {
  static const std::map<std::string, Call> kCalls = {
      {"neg", [](const Inputs& in) { return neg(in[0]); }},
      {"exp", [](const Inputs& in) { return exp(in[0]); }},
      {"log", [](const Inputs& in) { return log(in[0]); }},
      {"sqrt", [](const Inputs& in) { return sqrt(in[0]); }},
      {"rsqrt", [](const Inputs& in) { return rsqrt(in[0]); }},
      {"abs", [](const Inputs& in) { return abs(in[0]); }},
      {"sign", [](const Inputs& in) { return sign(in[0]); }},
      {"sin", [](const Inputs& in) { return sin(in[0]); }},
      {"cos", [](const Inputs& in) { return cos(in[0]); }},
      {"tanh", [](const Inputs& in) { return tanh(in[0]); }},
      {"sigmoid", [](const Inputs& in) { return sigmoid(in[0]); }},
      {"relu", [](const Inputs& in) { return relu(in[0]); }},
      {"square", [](const Inputs& in) { return square(in[0]); }},
      {"gelu_erf", [](const Inputs& in) { return gelu(in[0], Gelu::erf); }},
      {"gelu_tanh", [](const Inputs& in) { return gelu(in[0], Gelu::tanh); }},
      {"silu", [](const Inputs& in) { return silu(in[0]); }},
      {"softplus", [](const Inputs& in) { return softplus(in[0]); }},
      {"clamp", [](const Inputs& in) { return clamp(in[0], -0.75, 1.25); }},
      {"add", [](const Inputs& in) { return add(in[0], in[1]); }},
      {"sub", [](const Inputs& in) { return sub(in[0], in[1]); }},
      {"mul", [](const Inputs& in) { return mul(in[0], in[1]); }},
      {"div", [](const Inputs& in) { return div(in[0], in[1]); }},
      {"pow", [](const Inputs& in) { return pow(in[0], in[1]); }},
      {"maximum", [](const Inputs& in) { return maximum(in[0], in[1]); }},
      {"minimum", [](const Inputs& in) { return minimum(in[0], in[1]); }},
      {"where", [](const Inputs& in) { return where(in[0], in[1], in[2]); }},
      {"masked_fill", [](const Inputs& in) { return masked_fill(in[0], in[1], 0.25); }},
      {"matmul", [](const Inputs& in) { return matmul(in[0], in[1]); }},
      {"matmul_batched", [](const Inputs& in) { return matmul(in[0], in[1]); }},
      {"matmul_broadcast", [](const Inputs& in) { return matmul(in[0], in[1]); }},
      {"matmul_transposed",
       [](const Inputs& in) { return matmul(transpose(in[0], -2, -1), transpose(in[1], -2, -1)); }},
      {"matmul_vector", [](const Inputs& in) { return matmul(in[0], in[1]); }},
      {"linear", [](const Inputs& in) { return linear(in[0], in[1], in[2]); }},
      {"linear_no_bias", [](const Inputs& in) { return linear(in[0], in[1]); }},
      {"sum",
       [](const Inputs& in) {
         return sum(in[0], {0, 2});
       }},
      {"mean", [](const Inputs& in) { return mean(in[0], {1}, true); }},
      {"var",
       [](const Inputs& in) {
         return var(in[0], {0, 2});
       }},
      {"max", [](const Inputs& in) { return max(in[0], {1}); }},
      {"min", [](const Inputs& in) { return min(in[0], {1}); }},
      {"logsumexp",
       [](const Inputs& in) {
         return logsumexp(in[0], {0, 2});
       }},
      {"cumsum", [](const Inputs& in) { return cumsum(in[0], 1); }},
      {"softmax", [](const Inputs& in) { return softmax(in[0]); }},
      {"softmax_dim0", [](const Inputs& in) { return softmax(in[0], 0); }},
      {"log_softmax", [](const Inputs& in) { return log_softmax(in[0]); }},
      {"layer_norm", [](const Inputs& in) { return layer_norm(in[0], in[1], in[2]); }},
      {"layer_norm_plain", [](const Inputs& in) { return layer_norm(in[0]); }},
      {"rms_norm", [](const Inputs& in) { return rms_norm(in[0], in[1]); }},
      {"embedding", [](const Inputs& in) { return embedding(in[0], in[1]); }},
      {"index_select", [](const Inputs& in) { return index_select(in[0], 1, in[1]); }},
      {"gather", [](const Inputs& in) { return gather(in[0], 1, in[1]); }},
      {"take_along_dim", [](const Inputs& in) { return take_along_dim(in[0], in[1], 1); }},
      {"scatter_add", [](const Inputs& in) { return scatter_add(in[0], 1, in[1], in[2]); }},
      {"cat",
       [](const Inputs& in) {
         return cat({in[0], in[1]}, 1);
       }},
      {"stack",
       [](const Inputs& in) {
         return stack({in[0], in[1]}, 1);
       }},
      {"split",
       [](const Inputs& in) {
         const auto parts = split(in[0], {2, 1, 4}, 1);
         return mul(sum(parts[0], {1}, true), parts[2]);
       }},
      {"slice", [](const Inputs& in) { return slice(in[0], 1, 1, 6, 2); }},
      {"pad",
       [](const Inputs& in) {
         return pad(in[0], {1, 2, 0, 3}, 0.5);
       }},
      {"pad_crop",
       [](const Inputs& in) {
         return pad(in[0], {-1, 2});
       }},
      {"flip",
       [](const Inputs& in) {
         return flip(in[0], {0, 2});
       }},
      {"roll", [](const Inputs& in) { return roll(in[0], 2, 1); }},
      {"reshape",
       [](const Inputs& in) {
         return reshape(transpose(in[0], 0, 1), {5, -1});
       }},
      {"transpose", [](const Inputs& in) { return transpose(in[0], 0, 2); }},
      {"permute",
       [](const Inputs& in) {
         return permute(in[0], {2, 0, 1});
       }},
      {"expand",
       [](const Inputs& in) {
         return expand(in[0], {4, 2, 3});
       }},
      {"conv2d", [](const Inputs& in) { return conv2d(in[0], in[1], in[2]); }},
      {"conv2d_strided",
       [](const Inputs& in) {
         return conv2d(in[0], in[1], Tensor(), {.stride = {2, 1}, .padding = {1, 2}});
       }},
      {"conv2d_patches",
       [](const Inputs& in) {
         return conv2d(in[0], in[1], in[2], {.stride = {3, 3}});
       }},
      {"conv2d_groups",
       [](const Inputs& in) {
         return conv2d(in[0], in[1], in[2], {.padding = {1, 1}, .groups = 2});
       }},
      {"max_pool2d", [](const Inputs& in) { return max_pool2d(in[0]); }},
      {"max_pool2d_padded",
       [](const Inputs& in) {
         return max_pool2d(in[0], {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
       }},
      {"avg_pool2d",
       [](const Inputs& in) {
         return avg_pool2d(in[0], {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
       }},
      {"attention",
       [](const Inputs& in) { return scaled_dot_product_attention(in[0], in[1], in[2]); }},
      {"attention_causal",
       [](const Inputs& in) {
         return scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true});
       }},
      {"attention_causal_longer_keys",
       [](const Inputs& in) {
         return scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true});
       }},
      {"attention_padding",
       [](const Inputs& in) {
         return scaled_dot_product_attention(in[0], in[1], in[2], {.key_padding = in[3]});
       }},
      {"attention_bias",
       [](const Inputs& in) {
         return scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true, .bias = in[3]});
       }},
      {"attention_grouped",
       [](const Inputs& in) {
         return scaled_dot_product_attention(in[0], in[1], in[2], {.causal = true, .scale = 0.3});
       }},
      {"cross_entropy", [](const Inputs& in) { return cross_entropy(in[0], in[1]); }},
      {"cross_entropy_ignore", [](const Inputs& in) { return cross_entropy(in[0], in[1]); }},
      {"cross_entropy_smoothing",
       [](const Inputs& in) { return cross_entropy_with(in, true, false); }},
      {"cross_entropy_weights",
       [](const Inputs& in) { return cross_entropy_with(in, false, true); }},
      {"cross_entropy_all", [](const Inputs& in) { return cross_entropy_with(in, true, true); }},
      {"cross_entropy_sum",
       [](const Inputs& in) { return cross_entropy_with(in, false, true, Reduction::sum); }},
      {"bce_with_logits",
       [](const Inputs& in) { return bce_with_logits(in[0], in[1], Reduction::mean, 1.7); }},
      {"mse_loss", [](const Inputs& in) { return mse_loss(in[0], in[1]); }},
      {"l1_loss", [](const Inputs& in) { return l1_loss(in[0], in[1]); }},
      {"smooth_l1_loss", [](const Inputs& in) { return smooth_l1_loss(in[0], in[1], 0.7); }},
      {"kl_div", [](const Inputs& in) { return kl_div(in[0], in[1]); }},
      {"einsum_attention",
       [](const Inputs& in) { return einsum("bqhd,bkhd->bhqk", in[0], in[1]); }},
      {"einsum_outer", [](const Inputs& in) { return einsum("i,j->ij", in[0], in[1]); }},
      {"einsum_sum", [](const Inputs& in) { return einsum("bij,kj->bk", in[0], in[1]); }},
      {"einsum_single", [](const Inputs& in) { return einsum("ijk->kj", in[0]); }},
  };
  return kCalls;
}

void compare(const std::string& name, const Call& call, const golden::Arrays& arrays, DType dtype) {
  Inputs inputs;
  for (std::size_t i = 0; arrays.contains(fmt::format("in{}", i)); ++i) {
    Tensor input = arrays.at(fmt::format("in{}", i));
    if (is_float(input.dtype())) input = raw::clone(raw::cast(input, dtype)).set_requires_grad();
    inputs.push_back(input);
  }
  const std::string what = fmt::format("{} in {}", name, weft::name(dtype));
  const Tensor out = call(inputs);
  golden::check_close(what, out, arrays.at("out"), golden::tolerance(dtype));
  backward({out}, {raw::cast(arrays.at("g"), dtype)});
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].requires_grad())
      golden::check_close(fmt::format("{}, gradient {}", what, i), inputs[i].grad(),
                          arrays.at(fmt::format("grad{}", i)), golden::tolerance(dtype));
}

TEST_CASE("every op gives PyTorch's values and gradients") {
  const golden::Arrays arrays = golden::load("ops");
  std::set<std::string> in_file;
  for (const auto& [key, array] : arrays) in_file.insert(key.substr(0, key.find('/')));
  for (const std::string& name : in_file)
    CHECK_MESSAGE(calls().contains(name), "the file has a case that is not called here: " << name);
  for (const auto& [name, call] : calls()) {
    REQUIRE_MESSAGE(in_file.contains(name),
                    "no golden values for " << name << "; run tests/golden/make_golden.py");
    compare(name, call, golden::below(arrays, name + "/"), DType::f64);
    compare(name, call, golden::below(arrays, name + "/"), DType::f32);
  }
}

}  // namespace
}  // namespace weft
