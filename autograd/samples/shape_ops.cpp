#include <cmath>

#include "autograd/samples/shape_views.h"

namespace weft::samples::shape_ops_samples {
namespace {

Sample make_reshape() {
  Sample s{"reshape", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "split", values({4, 6}, 1),
          [](const Inputs& in) {
            return reshape(in[0], {2, 2, 3, 2});
          },
          same_order),
      one(
          "joined, one size inferred", values({2, 3, 4}, 2),
          [](const Inputs& in) {
            return reshape(in[0], {6, -1});
          },
          same_order),
      one(
          "of a transposed view", values({3, 4}, 3),
          [](const Inputs& in) {
            return reshape(transpose(in[0], 0, 1), {2, 6});
          },
          [](const Inputs& in) {
            return each_index({4, 3}, [&](const Shape& i) { return in[0].at({i[1], i[0]}); });
          }),
      one(
          "to a scalar", values({1, 1}, 4), [](const Inputs& in) { return reshape(in[0], {}); },
          same_order),
      one(
          "from a scalar", values({}, 5),
          [](const Inputs& in) {
            return reshape(in[0], {1, 1});
          },
          same_order),
      one(
          "empty", values({0, 3}, 6),
          [](const Inputs& in) {
            return reshape(in[0], {3, 0, 2});
          },
          same_order),
      one(
          "the same shape", values({5}, 7), [](const Inputs& in) { return reshape(in[0], {5}); },
          same_order),
  };
  s.errors = {
      {"size",
       [] {
         reshape(values({4, 6}, 1), {5, 5});
       },
       "[reshape] cannot turn (4, 6) into (5, 5)"},
      {"no whole size",
       [] {
         reshape(values({4, 6}, 1), {5, -1});
       },
       "[reshape] cannot turn (4, 6) into (5, -1)"},
  };
  s.benchmarks = {bench(
                      "view",
                      [](const Inputs& in) {
                        return reshape(in[0], {512, 4096});
                      },
                      0),
                  bench("copy", [](const Inputs& in) {
                    return reshape(transpose(in[0], 1, 2), {512, 4096});
                  })};
  return s;
}

Sample make_transpose() {
  Sample s{"transpose", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "matrix", values({3, 4}, 1), [](const Inputs& in) { return transpose(in[0], 0, 1); },
          moved({4, 3},
                [](const Shape& i) {
                  return Shape{i[1], i[0]};
                })),
      one(
          "from the end", values({2, 3, 4}, 2),
          [](const Inputs& in) { return transpose(in[0], -1, 0); },
          moved({4, 3, 2},
                [](const Shape& i) {
                  return Shape{i[2], i[1], i[0]};
                })),
      one(
          "with itself", values({2, 3}, 3), [](const Inputs& in) { return transpose(in[0], 1, 1); },
          same_order),
      one(
          "empty", values({0, 3}, 4), [](const Inputs& in) { return transpose(in[0], 0, 1); },
          same_order),
  };
  s.errors = {{"dimension",
               [] {
                 transpose(values({3, 4}, 1), 0, 2);
               },
               "[transpose] dimension 2 is out of range for 2 dimensions"}};
  s.benchmarks = {bench(
      "view", [](const Inputs& in) { return transpose(in[0], 1, 2); }, 0)};
  return s;
}

Sample make_permute() {
  Sample s{"permute", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "cycle", values({2, 3, 4}, 1),
          [](const Inputs& in) {
            return permute(in[0], {2, 0, 1});
          },
          moved({4, 2, 3},
                [](const Shape& i) {
                  return Shape{i[1], i[2], i[0]};
                })),
      one(
          "from the end", values({2, 3, 2, 2}, 2),
          [](const Inputs& in) {
            return permute(in[0], {0, -2, 1, -1});
          },
          moved({2, 2, 3, 2},
                [](const Shape& i) {
                  return Shape{i[0], i[2], i[1], i[3]};
                })),
      one(
          "identity", values({2, 3}, 3),
          [](const Inputs& in) {
            return permute(in[0], {0, 1});
          },
          same_order),
      one(
          "scalar", values({}, 4), [](const Inputs& in) { return permute(in[0], {}); }, same_order),
      one(
          "empty", values({2, 0, 3}, 5),
          [](const Inputs& in) {
            return permute(in[0], {2, 1, 0});
          },
          same_order),
  };
  s.errors = {
      {"repeated",
       [] {
         permute(values({2, 3, 4}, 1), {0, 0, 2});
       },
       "[permute] order (0, 0, 2) is not a permutation of the 3 dimensions of (2, 3, 4)"},
      {"too short",
       [] {
         permute(values({2, 3, 4}, 1), {1, 0});
       },
       "[permute] order (1, 0) is not a permutation of the 3 dimensions of (2, 3, 4)"},
  };
  s.benchmarks = {bench(
      "view",
      [](const Inputs& in) {
        return permute(in[0], {2, 0, 1});
      },
      0)};
  return s;
}

Sample make_expand() {
  Sample s{"expand", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "a column", values({3, 1}, 1),
          [](const Inputs& in) {
            return expand(in[0], {3, 4});
          },
          moved({3, 4},
                [](const Shape& i) {
                  return Shape{i[0], 0};
                })),
      one(
          "new dimensions", values({3}, 2),
          [](const Inputs& in) {
            return expand(in[0], {2, 2, 3});
          },
          moved({2, 2, 3}, [](const Shape& i) { return Shape{i[2]}; })),
      one(
          "scalar", values({}, 3),
          [](const Inputs& in) {
            return expand(in[0], {2, 3});
          },
          moved({2, 3}, [](const Shape&) { return Shape{}; })),
      one(
          "to nothing", values({1, 3}, 4),
          [](const Inputs& in) {
            return expand(in[0], {0, 3});
          },
          [](const Inputs&) { return std::vector<double>{}; }),
      one(
          "the same shape", values({2, 3}, 5),
          [](const Inputs& in) {
            return expand(in[0], {2, 3});
          },
          same_order),
  };
  s.errors = {{"sizes",
               [] {
                 expand(values({3, 2}, 1), {3, 4});
               },
               "[expand] (3, 2) does not broadcast to (3, 4)"}};
  s.benchmarks = {{"view", f32_inputs({{512, 1, 64}}),
                   [](const Inputs& in) {
                     return expand(in[0], {512, 64, 64});
                   },
                   0, 0}};
  return s;
}

Sample make_unsqueeze() {
  Sample s{"unsqueeze", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "front", values({2, 3}, 1), [](const Inputs& in) { return unsqueeze(in[0], 0); },
          same_order),
      one(
          "end", values({2, 3}, 2), [](const Inputs& in) { return unsqueeze(in[0], -1); },
          same_order),
      one(
          "scalar", values({}, 3), [](const Inputs& in) { return unsqueeze(in[0], 0); },
          same_order),
      one(
          "empty", values({0}, 4), [](const Inputs& in) { return unsqueeze(in[0], 1); },
          same_order),
  };
  s.errors = {{"dimension", [] { unsqueeze(values({2}, 1), 3); },
               "[unsqueeze] dimension 3 is out of range for 2 dimensions"}};
  s.benchmarks = {bench(
      "view", [](const Inputs& in) { return unsqueeze(in[0], 1); }, 0)};
  return s;
}

Sample make_squeeze() {
  Sample s{"squeeze", Kind::op, {}, {}, {}, {}};
  s.cases = {
      one(
          "middle", values({2, 1, 3}, 1), [](const Inputs& in) { return squeeze(in[0], 1); },
          same_order),
      one(
          "from the end", values({2, 1}, 2), [](const Inputs& in) { return squeeze(in[0], -1); },
          same_order),
      one(
          "to a scalar", values({1}, 3), [](const Inputs& in) { return squeeze(in[0], 0); },
          same_order),
      one(
          "empty", values({0, 1}, 4), [](const Inputs& in) { return squeeze(in[0], 1); },
          same_order),
  };
  s.errors = {{"size",
               [] {
                 squeeze(values({2, 3}, 1), 1);
               },
               "[squeeze] dimension 1 of (2, 3) has size 3, not 1"},
              {"dimension",
               [] {
                 squeeze(values({2, 3}, 1), 2);
               },
               "[squeeze] dimension 2 is out of range for 2 dimensions"}};
  s.benchmarks = {{"view", f32_inputs({{512, 1, 64}}),
                   [](const Inputs& in) { return squeeze(in[0], 1); }, 0, 0}};
  return s;
}

const Register reshape_sample("reshape", Kind::op, make_reshape);
const Register transpose_sample("transpose", Kind::op, make_transpose);
const Register permute_sample("permute", Kind::op, make_permute);
const Register expand_sample("expand", Kind::op, make_expand);
const Register unsqueeze_sample("unsqueeze", Kind::op, make_unsqueeze);
const Register squeeze_sample("squeeze", Kind::op, make_squeeze);

}  // namespace
}  // namespace weft::samples::shape_ops_samples
