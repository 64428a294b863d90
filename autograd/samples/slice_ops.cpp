#include <cmath>

#include "autograd/samples/shape_views.h"

namespace weft::samples::shape_ops_samples {
namespace {

Sample make_slice() {
  Sample s{"slice", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "rows", values({5, 3}, 1), [](const Inputs& in) { return slice(in[0], 0, 1, 4); },
          moved({3, 3},
                [](const Shape& i) {
                  return Shape{i[0] + 1, i[1]};
                })),
      one(
          "every second column", values({2, 7}, 2),
          [](const Inputs& in) { return slice(in[0], 1, 1, 7, 2); },
          moved({2, 3},
                [](const Shape& i) {
                  return Shape{i[0], 1 + 2 * i[1]};
                })),
      one(
          "a step that misses the end", values({8}, 3),
          [](const Inputs& in) { return slice(in[0], 0, 0, 8, 3); },
          moved({3}, [](const Shape& i) { return Shape{3 * i[0]}; })),
      one(
          "from the end", values({2, 5}, 4),
          [](const Inputs& in) { return slice(in[0], -1, -3, -1); },
          moved({2, 2},
                [](const Shape& i) {
                  return Shape{i[0], i[1] + 2};
                })),
      one(
          "beyond both ends", values({3, 2}, 5),
          [](const Inputs& in) { return slice(in[0], 0, -100, 100); }, same_order),
      one(
          "a step beyond the end", values({3, 2}, 6),
          [](const Inputs& in) { return slice(in[0], 0, 0, 3, std::int64_t{1} << 62); },
          moved({1, 2}, [](const Shape& i) { return i; })),
      one(
          "nothing", values({4, 2}, 7), [](const Inputs& in) { return slice(in[0], 0, 3, 1); },
          [](const Inputs&) { return std::vector<double>{}; }),
      one(
          "empty", values({0, 2}, 8), [](const Inputs& in) { return slice(in[0], 0, 0, 2); },
          same_order),
  };
  s.errors = {
      {"dimension",
       [] {
         slice(values({2, 3}, 1), 2, 0, 1);
       },
       "[slice] dimension 2 is out of range for 2 dimensions"},
      {"step",
       [] {
         slice(values({2, 3}, 1), 0, 0, 1, 0);
       },
       "[slice] step must be at least 1, got 0"},
  };
  s.benchmarks = {bench(
      "view", [](const Inputs& in) { return slice(in[0], 1, 0, 32); }, 0)};
  return s;
}

Sample make_select() {
  Sample s{"select", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "a row", values({3, 4}, 1), [](const Inputs& in) { return select(in[0], 0, 1); },
          moved({4},
                [](const Shape& i) {
                  return Shape{1, i[0]};
                })),
      one(
          "the last column", values({3, 4}, 2),
          [](const Inputs& in) { return select(in[0], -1, -1); },
          moved({3},
                [](const Shape& i) {
                  return Shape{i[0], 3};
                })),
      one(
          "middle", values({2, 3, 2}, 3), [](const Inputs& in) { return select(in[0], 1, 2); },
          moved({2, 2},
                [](const Shape& i) {
                  return Shape{i[0], 2, i[1]};
                })),
      one(
          "to a scalar", values({3}, 4), [](const Inputs& in) { return select(in[0], 0, 2); },
          moved({}, [](const Shape&) { return Shape{2}; })),
      one(
          "empty", values({2, 0}, 5), [](const Inputs& in) { return select(in[0], 0, 1); },
          same_order),
  };
  s.errors = {
      {"index",
       [] {
         select(values({3, 4}, 1), 0, 3);
       },
       "[select] index 3 is out of range for dimension 0 of (3, 4)"},
      {"dimension",
       [] {
         select(values({3, 4}, 1), 2, 0);
       },
       "[select] dimension 2 is out of range for 2 dimensions"},
  };
  s.benchmarks = {bench(
      "view", [](const Inputs& in) { return select(in[0], 1, 63); }, 0)};
  return s;
}

/// The pieces of a split joined again in another order; a piece may be left out or used twice.
Tensor rejoined(const Inputs& in, const std::vector<std::int64_t>& sizes, std::int64_t dim,
                const std::vector<int>& order) {
  const auto pieces = split(in[0], sizes, dim);
  Inputs chosen;
  for (const int piece : order) chosen.push_back(pieces[static_cast<std::size_t>(piece)]);
  return cat(chosen, dim);
}

Sample make_split() {
  Sample s{"split", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "thirds, rejoined in another order", values({2, 6}, 1),
          [](const Inputs& in) {
            return rejoined(in, {2, 2, 2}, -1, {2, 0, 1});
          },
          moved({2, 6},
                [](const Shape& i) {
                  return Shape{i[0], (i[1] + 4) % 6};
                })),
      one(
          "one piece unused, one used twice", values({5, 2}, 2),
          [](const Inputs& in) {
            return rejoined(in, {1, 2, 2}, 0, {2, 0, 2});
          },
          moved({5, 2},
                [](const Shape& i) {
                  return Shape{i[0] < 2 ? i[0] + 3 : i[0] == 2 ? 0 : i[0], i[1]};
                })),
      one(
          "a piece of nothing", values({3, 2}, 3),
          [](const Inputs& in) {
            return rejoined(in, {0, 3}, 0, {0, 1});
          },
          same_order),
      one(
          "empty", values({0, 2}, 4),
          [](const Inputs& in) {
            return rejoined(in, {1, 1}, 1, {0, 1});
          },
          same_order),
  };
  s.errors = {
      {"sum",
       [] {
         split(values({2, 6}, 1), {2, 3}, 1);
       },
       "[split] sizes [2, 3] must be at least 0 and sum to 6, dimension 1 of (2, 6)"},
      {"negative",
       [] {
         split(values({2, 6}, 1), {-1, 7}, 1);
       },
       "[split] sizes [-1, 7] must be at least 0 and sum to 6, dimension 1 of (2, 6)"},
      {"dimension",
       [] {
         split(values({2, 6}, 1), {2}, 2);
       },
       "[split] dimension 2 is out of range for 2 dimensions"},
  };
  s.benchmarks = {{"q, k, v of a layer", f32_inputs({{12, 64, 384}}),
                   [](const Inputs& in) {
                     return split(in[0], {128, 128, 128}, 2)[0];
                   },
                   0, 0}};
  return s;
}

Sample make_cat() {
  Sample s{"cat", Kind::op, {}, {}, {}, {}};
  const auto joined = [](std::int64_t dim) {
    return [=](const Inputs& in) { return cat(in, dim); };
  };
  const auto columns = [](const Inputs& in) {
    return each_index({2, 6}, [&](const Shape& i) {
      return i[1] < 2 ? in[0].at(i) : i[1] < 5 ? in[1].at({i[0], i[1] - 2}) : in[2].at({i[0], 0});
    });
  };
  const auto concatenated = [](const Inputs& in) {
    std::vector<double> all;
    for (const Tensor& t : in)
      for (const double v : flat(t)) all.push_back(v);
    return all;
  };
  s.cases = {
      many("columns", {values({2, 2}, 1), values({2, 3}, 2), values({2, 1}, 3)}, joined(1),
           columns),
      many("rows", {values({2, 3}, 4), values({1, 3}, 5)}, joined(0), concatenated),
      many("dimension from the end", {values({2, 2}, 1), values({2, 3}, 2), values({2, 1}, 3)},
           joined(-1), columns),
      many("one", {values({2, 3}, 6)}, joined(0), concatenated),
      many("one of them empty", {values({0, 3}, 7), values({2, 3}, 8)}, joined(0), concatenated),
      many("all empty", {values({2, 0}, 9), values({3, 0}, 10)}, joined(0), concatenated),
  };
  s.errors = {
      {"shapes",
       [] {
         cat({values({2, 3}, 1), values({3, 3}, 2)}, 1);
       },
       "[cat] tensor 1 (3, 3) differs from tensor 0 (2, 3) outside dimension 1"},
      {"ranks",
       [] {
         cat({values({2, 3}, 1), values({3}, 2)}, 0);
       },
       "[cat] tensor 1 (3,) differs from tensor 0 (2, 3) outside dimension 0"},
      {"nothing", [] { cat({}, 0); }, "[cat] needs at least one tensor"},
      {"dtypes",
       [] {
         cat({values({2}, 1), ids({2}, 3, 1)}, 0);
       },
       "[cat] tensor 1 is i64, tensor 0 is f64; cast one of them"},
      {"dimension", [] { cat({values({2}, 1)}, 1); },
       "[cat] dimension 1 is out of range for 1 dimension"},
  };
  const double bytes = 2 * 4 * 12 * 64 * 384;
  s.benchmarks = {{"q, k, v of a layer", f32_inputs({{12, 64, 128}, {12, 64, 128}, {12, 64, 128}}),
                   [](const Inputs& in) { return cat(in, 2); }, 0, bytes}};
  return s;
}

Sample make_stack() {
  Sample s{"stack", Kind::op, {}, {}, {}, {}};
  const auto joined = [](std::int64_t dim) {
    return [=](const Inputs& in) { return stack(in, dim); };
  };
  s.cases = {
      many("front", {values({2, 2}, 1), values({2, 2}, 2)}, joined(0),
           [](const Inputs& in) {
             return each_index({2, 2, 2}, [&](const Shape& i) {
               return in[static_cast<std::size_t>(i[0])].at({i[1], i[2]});
             });
           }),
      many("end", {values({2, 3}, 3), values({2, 3}, 4), values({2, 3}, 5)}, joined(-1),
           [](const Inputs& in) {
             return each_index({2, 3, 3}, [&](const Shape& i) {
               return in[static_cast<std::size_t>(i[2])].at({i[0], i[1]});
             });
           }),
      many("scalars", {values({}, 6), values({}, 7)}, joined(0),
           [](const Inputs& in) {
             return std::vector<double>{in[0].item(), in[1].item()};
           }),
      many("empty", {values({0, 2}, 8), values({0, 2}, 9)}, joined(1),
           [](const Inputs&) { return std::vector<double>{}; }),
  };
  s.errors = {
      {"shapes",
       [] {
         stack({values({2, 3}, 1), values({3, 2}, 2)}, 0);
       },
       "[stack] tensor 1 (3, 2) differs from tensor 0 (2, 3); all shapes must be equal"},
      {"nothing", [] { stack({}, 0); }, "[stack] needs at least one tensor"},
      {"dtypes",
       [] {
         stack({values({2}, 1), ids({2}, 3, 1)}, 0);
       },
       "[stack] tensor 1 is i64, tensor 0 is f64; cast one of them"},
      {"dimension", [] { stack({values({2}, 1)}, 2); },
       "[stack] dimension 2 is out of range for 2 dimensions"},
  };
  s.benchmarks = {{"two matrices", f32_inputs({{1024, 1024}, {1024, 1024}}),
                   [](const Inputs& in) { return stack(in, 1); }, 0, 2 * 4 * 2.0 * 1024 * 1024}};
  return s;
}

Sample make_pad() {
  Sample s{"pad", Kind::op, {}, {}, {}, {}};
  const auto padded = [](std::vector<std::int64_t> widths, double value) {
    return [=](const Inputs& in) { return pad(in[0], widths, value); };
  };
  /// x (rows, columns) shifted by (down, right) in a matrix of `shape`, value around it.
  const auto shifted = [](const Shape& shape, std::int64_t down, std::int64_t right, double value) {
    return [=](const Inputs& in) {
      return each_index(shape, [&](const Shape& i) {
        const std::int64_t y = i[0] - down, x = i[1] - right;
        return y >= 0 && y < in[0].size(0) && x >= 0 && x < in[0].size(1) ? in[0].at({y, x})
                                                                          : value;
      });
    };
  };
  s.cases = {
      one("around", values({2, 3}, 1), padded({1, 2, 3, 0}, 0), shifted({5, 6}, 3, 1, 0)),
      one("the last dimension, with a value", values({2, 3}, 2), padded({1, 1}, 2.5),
          shifted({2, 5}, 0, 1, 2.5)),
      one("cropped", values({4, 5}, 3), padded({-1, -2, -2, 0}, 0), shifted({2, 2}, -2, -1, 0)),
      one("cropped here, padded there", values({3, 4}, 4), padded({2, -1, -1, 1}, 1),
          [](const Inputs& in) {
            return each_index({3, 5}, [&](const Shape& i) {
              return i[0] < 2 && i[1] >= 2 ? in[0].at({i[0] + 1, i[1] - 2}) : 1.0;
            });
          }),
      one("cropped to nothing", values({2, 3}, 5), padded({-2, -1}, 0), shifted({2, 0}, 0, 0, 0)),
      one("empty", values({0, 2}, 6), padded({0, 0, 1, 1}, 3),
          [](const Inputs&) { return std::vector<double>(4, 3.0); }),
      one("no widths", values({2, 3}, 7), padded({}, 0), same_order),
  };
  s.errors = {
      {"odd",
       [] {
         pad(values({2, 3}, 1), {1, 2, 3});
       },
       "[pad] widths come in pairs (before, after), got 3 numbers"},
      {"too many",
       [] {
         pad(values({2}, 1), {1, 1, 1, 1});
       },
       "[pad] widths for 2 dimensions, but x (2,) has 1"},
      {"less than nothing",
       [] {
         pad(values({2, 3}, 1), {-2, -2});
       },
       "[pad] widths (-2, -2) do not fit dimension 1 of (2, 3)"},
      {"too wide",
       [] {
         pad(values({2, 3}, 1), {std::int64_t{1} << 62, std::int64_t{1} << 62});
       },
       "[pad] widths (4611686018427387904, 4611686018427387904) do not fit dimension 1 of (2, 3)"},
  };
  s.benchmarks = {bench(
      "an image batch",
      [](const Inputs& in) {
        return pad(in[0], {1, 1, 1, 1});
      },
      4.0 * 512 * (64 * 64 + 66 * 66))};
  return s;
}

Sample make_flip() {
  Sample s{"flip", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "columns", values({2, 5}, 1), [](const Inputs& in) { return flip(in[0], {1}); },
          moved({2, 5},
                [](const Shape& i) {
                  return Shape{i[0], 4 - i[1]};
                })),
      one(
          "two dimensions", values({3, 2, 4}, 2),
          [](const Inputs& in) {
            return flip(in[0], {0, -1});
          },
          moved({3, 2, 4},
                [](const Shape& i) {
                  return Shape{2 - i[0], i[1], 3 - i[2]};
                })),
      one(
          "all", values({3, 4}, 3),
          [](const Inputs& in) {
            return flip(in[0], {0, 1});
          },
          moved({3, 4},
                [](const Shape& i) {
                  return Shape{2 - i[0], 3 - i[1]};
                })),
      one(
          "none", values({2, 3}, 4), [](const Inputs& in) { return flip(in[0], {}); }, same_order),
      one(
          "empty", values({0, 3}, 5), [](const Inputs& in) { return flip(in[0], {0}); },
          same_order),
  };
  s.errors = {
      {"dimension",
       [] {
         flip(values({2, 3}, 1), {2});
       },
       "[flip] dimension 2 is out of range for 2 dimensions"},
      {"twice",
       [] {
         flip(values({2, 3}, 1), {0, -2});
       },
       "[flip] dimension 0 is given twice"},
  };
  s.benchmarks = {
      bench("columns of an image batch", [](const Inputs& in) { return flip(in[0], {2}); })};
  return s;
}

Sample make_roll() {
  Sample s{"roll", Kind::op, {}, {}, {}, {}};
  const auto rolled = [](std::int64_t shift, std::int64_t dim) {
    return [=](const Inputs& in) { return roll(in[0], shift, dim); };
  };
  s.cases = {
      one("forward", values({2, 5}, 1), rolled(2, 1),
          moved({2, 5},
                [](const Shape& i) {
                  return Shape{i[0], (i[1] + 3) % 5};
                })),
      one("back", values({4, 2}, 2), rolled(-1, 0),
          moved({4, 2},
                [](const Shape& i) {
                  return Shape{(i[0] + 1) % 4, i[1]};
                })),
      one("more than once around", values({5}, 3), rolled(13, -1),
          moved({5}, [](const Shape& i) { return Shape{(i[0] + 2) % 5}; })),
      one("nowhere", values({2, 3}, 4), rolled(0, 1), same_order),
      one("empty", values({0, 3}, 5), rolled(1, 0), same_order),
  };
  s.errors = {{"dimension",
               [] {
                 roll(values({2, 3}, 1), 1, 2);
               },
               "[roll] dimension 2 is out of range for 2 dimensions"}};
  s.benchmarks = {
      bench("rows of an image batch", [](const Inputs& in) { return roll(in[0], 8, 1); })};
  return s;
}

const Register slice_sample("slice", Kind::op, make_slice);
const Register select_sample("select", Kind::op, make_select);
const Register split_sample("split", Kind::op, make_split);
const Register cat_sample("cat", Kind::op, make_cat);
const Register stack_sample("stack", Kind::op, make_stack);
const Register pad_sample("pad", Kind::op, make_pad);
const Register flip_sample("flip", Kind::op, make_flip);
const Register roll_sample("roll", Kind::op, make_roll);

}  // namespace
}  // namespace weft::samples::shape_ops_samples
