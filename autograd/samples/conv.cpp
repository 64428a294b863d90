#include "autograd/ops/conv.h"

#include <algorithm>

#include "autograd/sample.h"
#include "autograd/samples/each_index.h"

namespace weft::samples::conv_samples {
namespace {

using Inputs = std::vector<Tensor>;

Case make_case(const char* label, const Inputs& inputs, const GradFunction& call,
               const Reference& reference) {
  Case c;
  c.label = label;
  c.inputs = inputs;
  c.call = call;
  c.reference = reference;
  return c;
}

std::int64_t out_size(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                      std::int64_t padding) {
  return (size + 2 * padding - kernel) / stride + 1;
}

Case conv_case(const char* label, const Inputs& inputs, const Conv2dOptions& o) {
  return make_case(
      label, inputs,
      [=](const Inputs& in) { return conv2d(in[0], in[1], in.size() > 2 ? in[2] : Tensor(), o); },
      [=](const Inputs& in) {
        const Tensor &x = in[0], &weight = in[1];
        const std::int64_t group_in = weight.size(1), group_out = weight.size(0) / o.groups;
        const Shape shape{x.size(0), weight.size(0),
                          out_size(x.size(2), weight.size(2), o.stride[0], o.padding[0]),
                          out_size(x.size(3), weight.size(3), o.stride[1], o.padding[1])};
        return each_index(shape, [&](const Shape& i) {
          double total = in.size() > 2 ? in[2].at({i[1]}) : 0;
          for (std::int64_t c = 0; c < group_in; ++c)
            for (std::int64_t ky = 0; ky < weight.size(2); ++ky)
              for (std::int64_t kx = 0; kx < weight.size(3); ++kx) {
                const std::int64_t y = i[2] * o.stride[0] - o.padding[0] + ky,
                                   z = i[3] * o.stride[1] - o.padding[1] + kx;
                if (y >= 0 && y < x.size(2) && z >= 0 && z < x.size(3))
                  total += x.at({i[0], i[1] / group_out * group_in + c, y, z}) *
                           weight.at({i[1], c, ky, kx});
              }
          return total;
        });
      });
}

Benchmark conv_bench(const char* label, const Shape& x, const Shape& weight,
                     const Conv2dOptions& o) {
  const std::int64_t pixels = out_size(x[2], weight[2], o.stride[0], o.padding[0]) *
                              out_size(x[3], weight[3], o.stride[1], o.padding[1]);
  const auto outputs = static_cast<double>(x[0] * weight[0] * pixels),
             taps = static_cast<double>(weight[1] * weight[2] * weight[3]);
  return {label,
          [=] {
            return Inputs{raw::cast(values(x, 1), DType::f32),
                          raw::cast(values(weight, 2), DType::f32),
                          raw::cast(values({weight[0]}, 3), DType::f32)};
          },
          [=](const Inputs& in) { return conv2d(in[0], in[1], in[2], o); }, 2 * outputs * taps,
          4 * (static_cast<double>(x.numel()) + static_cast<double>(weight.numel()) + outputs)};
}

Sample make_conv2d() {
  Sample s;
  s.name = "conv2d";
  s.cases = {
      conv_case("3x3", {values({2, 3, 5, 6}, 1), values({4, 3, 3, 3}, 2), values({4}, 3)}, {}),
      conv_case("padded, without bias", {values({2, 2, 4, 5}, 4), values({3, 2, 3, 3}, 5)},
                {.padding = {1, 1}}),
      conv_case("unequal strides and padding",
                {values({1, 2, 7, 6}, 6), values({2, 2, 3, 2}, 7), values({2}, 8)},
                {.stride = {2, 3}, .padding = {2, 1}}),
      conv_case("two groups", {values({2, 4, 4, 4}, 9), values({6, 2, 3, 3}, 10), values({6}, 11)},
                {.padding = {1, 1}, .groups = 2}),
      conv_case("each channel its own", {values({1, 3, 5, 5}, 12), values({3, 1, 3, 3}, 13)},
                {.stride = {2, 2}, .padding = {1, 1}, .groups = 3}),
      conv_case("1x1", {values({2, 3, 3, 4}, 14), values({5, 3, 1, 1}, 15), values({5}, 16)}, {}),
      conv_case("1x1 with a stride", {values({2, 3, 5, 4}, 17), values({2, 3, 1, 1}, 18)},
                {.stride = {2, 2}}),
      conv_case("patches", {values({2, 3, 4, 6}, 19), values({5, 3, 2, 3}, 20), values({5}, 21)},
                {.stride = {2, 3}}),
      conv_case("patches that leave a border", {values({2, 2, 5, 5}, 22), values({3, 2, 2, 2}, 23)},
                {.stride = {2, 2}}),
      conv_case("one patch", {values({2, 2, 3, 3}, 24), values({4, 2, 3, 3}, 25), values({4}, 26)},
                {.stride = {3, 3}}),
      conv_case("padding wider than the kernel",
                {values({1, 1, 2, 2}, 27), values({1, 1, 2, 2}, 28)},
                {.stride = {1, 3}, .padding = {3, 4}}),
      conv_case("many small images",
                {values({21, 2, 4, 3}, 32), values({5, 2, 3, 3}, 33), values({5}, 34)},
                {.padding = {1, 1}}),
      conv_case("many small images, strides",
                {values({21, 2, 5, 4}, 35), values({5, 2, 3, 3}, 36), values({5}, 37)},
                {.stride = {2, 2}, .padding = {1, 0}}),
      conv_case("a stride beyond the kernel", {values({17, 2, 7, 5}, 38), values({3, 2, 2, 1}, 39)},
                {.stride = {3, 2}}),
      conv_case("empty", {values({0, 2, 4, 4}, 29), values({3, 2, 3, 3}, 30), values({3}, 31)}, {}),
      conv_case("empty patches",
                {values({0, 2, 4, 4}, 29), values({3, 2, 2, 2}, 30), values({3}, 31)},
                {.stride = {2, 2}}),
  };
  const auto call = [](const Shape& x, const Shape& weight, const Conv2dOptions& o,
                       const Tensor& bias = Tensor()) {
    return [=] { conv2d(values(x, 1), values(weight, 2), bias, o); };
  };
  s.errors = {
      {"x rank", call({3, 4, 4}, {1, 3, 3, 3}, {}),
       "[conv2d] x (3, 4, 4) must have 4 dimensions (batch, channels, height, width)"},
      {"weight rank", call({1, 3, 4, 4}, {3, 3, 3}, {}),
       "[conv2d] weight (3, 3, 3) must have 4 dimensions (out channels, in channels / groups, "
       "height, width)"},
      {"channels", call({1, 3, 4, 4}, {2, 4, 3, 3}, {}),
       "[conv2d] weight (2, 4, 3, 3) expects 4 channels per group, x (1, 3, 4, 4) has 3"},
      {"groups", call({1, 3, 4, 4}, {2, 1, 3, 3}, {.groups = 2}),
       "[conv2d] 3 input and 2 output channels do not divide into 2 groups"},
      {"no group", call({1, 3, 4, 4}, {2, 3, 3, 3}, {.groups = 0}),
       "[conv2d] groups must be at least 1, got 0"},
      {"kernel", call({1, 3, 4, 4}, {2, 3, 5, 3}, {}),
       "[conv2d] kernel (5, 3) does not fit x (1, 3, 4, 4) with padding (0, 0)"},
      {"stride", call({1, 3, 4, 4}, {2, 3, 3, 3}, {.stride = {1, 0}}),
       "[conv2d] stride (1, 0) must be at least 1"},
      {"padding", call({1, 3, 4, 4}, {2, 3, 3, 3}, {.padding = {-1, 0}}),
       "[conv2d] padding (-1, 0) must be 0 to 2147483647"},
      {"bias", call({1, 3, 4, 4}, {2, 3, 3, 3}, {}, values({3}, 3)),
       "[conv2d] bias (3,) must be (2,), one for each output channel"},
      {"dtypes",
       [] {
         conv2d(values({1, 1, 3, 3}, 1), raw::cast(values({1, 1, 3, 3}, 2), DType::f32));
       },
       "[conv2d] x is f64, weight or bias f32; cast one of them"},
  };
  s.benchmarks = {
      conv_bench("3x3, 1 to 16 channels, 28x28", {128, 1, 28, 28}, {16, 1, 3, 3},
                 {.padding = {1, 1}}),
      conv_bench("3x3, 32 to 64 channels, 14x14", {64, 32, 14, 14}, {64, 32, 3, 3},
                 {.padding = {1, 1}}),
      conv_bench("1x1, 64 to 64 channels, 28x28", {16, 64, 28, 28}, {64, 64, 1, 1}, {}),
      conv_bench("4x4 patches of 28x28", {128, 1, 28, 28}, {64, 1, 4, 4}, {.stride = {4, 4}}),
  };
  return s;
}

/// make(window): the output element of the pixels of a window that lie on the image.
template <class Make>
Reference pool_reference(const Pool2dOptions& o, const Make& make) {
  return [=](const Inputs& in) {
    const Tensor& x = in[0];
    const std::int64_t stride_h = o.stride[0] ? o.stride[0] : o.kernel[0],
                       stride_w = o.stride[1] ? o.stride[1] : o.kernel[1];
    const Shape shape{x.size(0), x.size(1),
                      out_size(x.size(2), o.kernel[0], stride_h, o.padding[0]),
                      out_size(x.size(3), o.kernel[1], stride_w, o.padding[1])};
    return each_index(shape, [&](const Shape& i) {
      std::vector<double> window;
      for (std::int64_t ky = 0; ky < o.kernel[0]; ++ky)
        for (std::int64_t kx = 0; kx < o.kernel[1]; ++kx) {
          const std::int64_t y = i[2] * stride_h - o.padding[0] + ky,
                             z = i[3] * stride_w - o.padding[1] + kx;
          if (y >= 0 && y < x.size(2) && z >= 0 && z < x.size(3))
            window.push_back(x.at({i[0], i[1], y, z}));
        }
      return make(window);
    });
  };
}

template <class Make>
std::vector<Case> pool_cases(Tensor (*op)(const Tensor&, const Pool2dOptions&), const Make& make) {
  const auto pool = [&](const char* label, const Tensor& x, const Pool2dOptions& o) {
    const double taps = static_cast<double>(o.kernel[0] * o.kernel[1]);
    return make_case(
        label, {x}, [=](const Inputs& in) { return op(in[0], o); },
        pool_reference(o, [=](const std::vector<double>& window) { return make(window, taps); }));
  };
  return {
      pool("2x2", values({2, 3, 4, 6}, 1), {}),
      pool("2x2 that leaves a border", values({1, 2, 5, 3}, 2), {}),
      pool("overlapping", values({2, 1, 5, 6}, 3), {.kernel = {3, 2}, .stride = {1, 2}}),
      pool("2x2, overlapping", values({2, 1, 4, 5}, 4), {.stride = {1, 1}}),
      pool("padded", values({1, 2, 5, 4}, 5),
           {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}),
      pool("the whole image", values({2, 2, 3, 4}, 6), {.kernel = {3, 4}}),
      pool("empty", values({0, 2, 4, 4}, 7), {}),
  };
}

std::vector<ErrorCase> pool_errors(const std::string& name,
                                   Tensor (*op)(const Tensor&, const Pool2dOptions&)) {
  const auto call = [=](const Shape& x, const Pool2dOptions& o) {
    return [=] { op(values(x, 1), o); };
  };
  return {
      {"rank", call({2, 4, 4}, {}),
       "[" + name + "] x (2, 4, 4) must have 4 dimensions (batch, channels, height, width)"},
      {"kernel", call({1, 1, 4, 4}, {.kernel = {2, 5}}),
       "[" + name + "] kernel (2, 5) does not fit x (1, 1, 4, 4) with padding (0, 0)"},
      {"no kernel", call({1, 1, 4, 4}, {.kernel = {0, 2}, .stride = {1, 1}}),
       "[" + name + "] kernel (0, 2) must be at least 1"},
      {"stride", call({1, 1, 4, 4}, {.stride = {-1, 1}}),
       "[" + name + "] stride (-1, 1) must be at least 1"},
      {"padding", call({1, 1, 4, 4}, {.padding = {2, 0}}),
       "[" + name + "] padding (2, 0) must be at most half the kernel (2, 2)"},
      {"dtype",
       [=] {
         op(Tensor::zeros({1, 1, 2, 2}, DType::i64), {});
       },
       "[" + name + "] expects f32 or f64, got i64"},
  };
}

Benchmark pool_bench(const char* label, Tensor (*op)(const Tensor&, const Pool2dOptions&),
                     const Pool2dOptions& o) {
  return {label,
          [] {
            return Inputs{raw::cast(values({128, 16, 28, 28}, 1), DType::f32)};
          },
          [=](const Inputs& in) { return op(in[0], o); }, 128.0 * 16 * 28 * 28,
          4 * 1.25 * 128 * 16 * 28 * 28};
}

Sample make_max_pool2d() {
  Sample s;
  s.name = "max_pool2d";
  s.cases = pool_cases(max_pool2d, [](const std::vector<double>& window, double) {
    return *std::max_element(window.begin(), window.end());
  });
  s.errors = pool_errors("max_pool2d", max_pool2d);
  s.benchmarks = {pool_bench("2x2", max_pool2d, {}),
                  pool_bench("3x3, stride 2", max_pool2d,
                             {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}})};
  return s;
}

Sample make_avg_pool2d() {
  Sample s;
  s.name = "avg_pool2d";
  s.cases = pool_cases(avg_pool2d, [](const std::vector<double>& window, double taps) {
    double total = 0;
    for (const double v : window) total += v;
    return total / taps;
  });
  s.errors = pool_errors("avg_pool2d", avg_pool2d);
  s.benchmarks = {pool_bench("2x2", avg_pool2d, {}),
                  pool_bench("3x3, stride 2", avg_pool2d,
                             {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}})};
  return s;
}

const Register conv2d_sample("conv2d", Kind::op, make_conv2d);
const Register max_pool2d_sample("max_pool2d", Kind::op, make_max_pool2d);
const Register avg_pool2d_sample("avg_pool2d", Kind::op, make_avg_pool2d);

}  // namespace
}  // namespace weft::samples::conv_samples
