// Samples of roi_align.
#include "autograd/ops/roi_align.h"

#include <algorithm>
#include <cmath>

#include "autograd/samples/case_helpers.h"
#include "autograd/samples/each_index.h"

namespace weft::samples::roi_align_samples {
namespace {

/// The map between its pixels: every pixel weighs max(0, 1 - distance) each way, the border goes on
/// for a pixel, and beyond that there is nothing.
double value_at(const Tensor& x, std::int64_t image, std::int64_t channel, double row,
                double column) {
  const double height = static_cast<double>(x.size(2)), width = static_cast<double>(x.size(3));
  if (row < -1 || row > height || column < -1 || column > width) return 0;
  const double y = std::clamp(row, 0.0, height - 1), z = std::clamp(column, 0.0, width - 1);
  double total = 0;
  for (std::int64_t i = 0; i < x.size(2); ++i)
    for (std::int64_t j = 0; j < x.size(3); ++j)
      total += x.at({image, channel, i, j}) *
               std::max(0.0, 1 - std::abs(y - static_cast<double>(i))) *
               std::max(0.0, 1 - std::abs(z - static_cast<double>(j)));
  return total;
}

Case roi_case(const char* label, const Shape& x, const std::vector<double>& regions,
              const RoiAlignOptions& o) {
  const Tensor boxes = Tensor::from(regions, {static_cast<std::int64_t>(regions.size() / 5), 5});
  Case c = make_case(
      label, {values(x, 1), boxes}, [=](const Inputs& in) { return roi_align(in[0], in[1], o); },
      [=](const Inputs& in) {
        const double n = static_cast<double>(o.samples);
        return each_index(
            {in[1].size(0), in[0].size(1), o.grid[0], o.grid[1]}, [&](const Shape& i) {
              const auto edge = [&](std::int64_t k) { return in[1].at({i[0], k}) * o.scale; };
              double total = 0;
              for (std::int64_t a = 0; a < o.samples; ++a)
                for (std::int64_t b = 0; b < o.samples; ++b) {
                  const double row =
                      edge(2) +
                      (edge(4) - edge(2)) / static_cast<double>(o.grid[0]) *
                          (static_cast<double>(i[2]) + (static_cast<double>(a) + 0.5) / n);
                  const double column =
                      edge(1) +
                      (edge(3) - edge(1)) / static_cast<double>(o.grid[1]) *
                          (static_cast<double>(i[3]) + (static_cast<double>(b) + 0.5) / n);
                  total += value_at(in[0], static_cast<std::int64_t>(in[1].at({i[0], 0})), i[1],
                                    row - 0.5, column - 0.5) /
                           (n * n);
                }
              return total;
            });
      });
  c.without_grad = {1};
  return c;
}

Sample make_roi_align() {
  Sample s{.name = "roi_align"};
  s.cases = {
      roi_case("two images", {2, 3, 5, 6},
               {1, 0.6, 1.1, 4.2, 3.9, 0, 2, 0.3, 5.7, 4.4, 1, 1.3, 1.2, 2.1, 2.9},
               {.grid = {2, 3}}),
      roi_case("a stride of 4", {1, 2, 4, 4}, {0, 2, 3, 13, 9, 0, 5, 5, 15, 16},
               {.grid = {3, 3}, .scale = 0.25}),
      roi_case("beyond the border", {1, 1, 3, 3}, {0, -3.3, -2.2, 5.1, 6.4},
               {.grid = {4, 4}, .samples = 1}),
      roi_case("a point", {1, 2, 3, 3}, {0, 1.7, 1.2, 1.7, 1.2}, {.grid = {1, 1}, .samples = 3}),
      roi_case("no regions", {1, 2, 3, 3}, {}, {.grid = {2, 2}}),
  };
  const auto call = [](const Shape& x, const std::vector<double>& regions,
                       const RoiAlignOptions& o = {}) {
    return [=] {
      roi_align(values(x, 1),
                Tensor::from(regions, {static_cast<std::int64_t>(regions.size() / 5), 5}), o);
    };
  };
  s.errors = {
      {"x", call({2, 3, 4}, {0, 0, 0, 1, 1}),
       "[roi_align] x (2, 3, 4) must have 4 dimensions (batch, channels, height, width)"},
      {"regions",
       [] {
         roi_align(values({1, 1, 2, 2}, 1), values({3, 4}, 2));
       },
       "[roi_align] regions (3, 4) must be (R, 5): image, x0, y0, x1, y1"},
      {"image", call({1, 1, 2, 2}, {1, 0, 0, 1, 1}),
       "[roi_align] region 0 is of image 1: there are 1, counted from 0"},
      {"reversed", call({1, 1, 2, 2}, {0, 0, 0, 1, 1, 0, 3, 0, 1, 1}),
       "[roi_align] region 1 ends before it begins: x 3 to 1, y 0 to 1"},
      {"not finite", call({1, 1, 2, 2}, {0, 0, 0, NAN, 1}),
       "[roi_align] region 0 is not finite: 0, 0, 0, nan, 1"},
      {"grid", call({1, 1, 2, 2}, {}, {.grid = {0, 2}}),
       "[roi_align] grid (0, 2) must be 1 to 4096"},
      {"samples", call({1, 1, 2, 2}, {}, {.samples = 0}),
       "[roi_align] samples must be 1 to 64, got 0"},
      {"scale", call({1, 1, 2, 2}, {}, {.scale = 0}),
       "[roi_align] scale must be finite and above 0, got 0"},
      {"mixed",
       [] {
         roi_align(Tensor::zeros({1, 1, 2, 2}), Tensor::zeros({1, 5}, DType::f64));
       },
       "[roi_align] operands of different dtypes: x f32, regions f64; cast one"},
  };
  s.benchmarks = {{"256 regions, 64 channels, 7x7",
                   [] {
                     const Tensor regions = raw::cast(values({256, 5}, 2, 0, 24), DType::f32);
                     for (std::int64_t r = 0; r < 256; ++r) {
                       float* const at = regions.data<float>() + 5 * r;
                       at[0] = static_cast<float>(r % 8);
                       for (int k = 3; k < 5; ++k) at[k] += at[k - 2];
                     }
                     return Inputs{raw::cast(values({8, 64, 24, 24}, 1), DType::f32), regions};
                   },
                   [](const Inputs& in) { return roi_align(in[0], in[1], {.scale = 0.5}); },
                   2.0 * 256 * 64 * 49 * 16, 4.0 * 256 * 64 * 49}};
  return s;
}

const Register roi_align_register("roi_align", Kind::op, make_roi_align);

}  // namespace
}  // namespace weft::samples::roi_align_samples
