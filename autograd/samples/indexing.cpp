#include "autograd/ops/indexing.h"

#include "autograd/sample.h"
#include "autograd/samples/each_index.h"

namespace weft::samples::indexing_samples {
namespace {

using Inputs = std::vector<Tensor>;

Tensor index_of(std::vector<std::int64_t> list, const Shape& shape) {
  return Tensor::from(list, shape);
}

Case make_case(const char* label, const Inputs& inputs, const GradFunction& call,
               const Reference& reference) {
  Case c;
  c.label = label;
  c.inputs = inputs;
  c.call = call;
  c.reference = reference;
  return c;
}

/// The place of a value of the index tensor as a coordinate.
std::int64_t chosen(const Tensor& index, const Shape& at) {
  return static_cast<std::int64_t>(index.at(at));
}

std::vector<double> embedding_reference(const Inputs& in) {
  Shape shape = in[1].shape();
  shape.push_back(in[0].size(1));
  return each_index(shape, [&](const Shape& i) {
    const Shape at(i.begin(), i.end() - 1);
    return in[0].at({chosen(in[1], at), i.back()});
  });
}

Sample make_embedding() {
  Sample s;
  s.name = "embedding";
  const auto call = [](const Inputs& in) { return embedding(in[0], in[1]); };
  s.cases = {
      make_case("a batch with repeated ids", {values({5, 4}, 1), ids({2, 6}, 5, 2)}, call,
                embedding_reference),
      make_case("i32 ids", {values({5, 3}, 3), raw::cast(ids({7}, 5, 4), DType::i32)}, call,
                embedding_reference),
      make_case("one id", {values({5, 3}, 5), ids({}, 5, 6)}, call, embedding_reference),
      make_case("wide rows", {values({3, 70}, 7), ids({5}, 3, 8)}, call, embedding_reference),
      make_case("no ids", {values({5, 3}, 9), ids({0, 2}, 5, 1)}, call, embedding_reference),
      make_case("no columns", {values({5, 0}, 9), ids({2}, 5, 1)}, call, embedding_reference),
  };
  s.errors = {
      {"id",
       [] {
         embedding(values({65, 2}, 1), index_of({1, 2, 3, 70}, {1, 4}));
       },
       "[embedding] id 70 at (0, 3) is out of range for 65 rows"},
      {"negative id",
       [] {
         embedding(values({65, 2}, 1), index_of({-1}, {1}));
       },
       "[embedding] id -1 at (0,) is out of range for 65 rows"},
      {"weight", [] { embedding(values({65}, 1), ids({2}, 5, 1)); },
       "[embedding] weight (65,) must have 2 dimensions (rows, columns)"},
      {"ids dtype",
       [] {
         embedding(values({65, 2}, 1), values({2}, 1));
       },
       "[embedding] expects ids as i32 or i64, got f64"},
  };
  s.benchmarks = {
      {"12 x 64 of 65 x 128",
       [] {
         return Inputs{raw::cast(values({65, 128}, 1), DType::f32), ids({12, 64}, 65, 2)};
       },
       call, 0, 4.0 * 2 * 12 * 64 * 128},
      {"8 x 1024 of 32768 x 256",
       [] {
         return Inputs{raw::cast(values({32768, 256}, 1), DType::f32), ids({8, 1024}, 32768, 2)};
       },
       call, 0, 4.0 * 2 * 8 * 1024 * 256}};
  return s;
}

Sample make_index_select() {
  Sample s;
  s.name = "index_select";
  const auto along = [](std::int64_t dim) {
    return [=](const Inputs& in) { return index_select(in[0], dim, in[1]); };
  };
  const auto reference = [](int dim) {
    return [=](const Inputs& in) {
      Shape shape = in[0].shape();
      shape[dim] = in[1].numel();
      return each_index(shape, [&](const Shape& i) {
        Shape from = i;
        from[dim] = chosen(in[1], {i[dim]});
        return in[0].at(from);
      });
    };
  };
  s.cases = {
      make_case("rows, some twice", {values({4, 3}, 1), index_of({3, 0, 3, 1, 0}, {5})}, along(0),
                reference(0)),
      make_case("columns", {values({2, 5}, 2), index_of({4, 1}, {2})}, along(-1), reference(1)),
      make_case("middle, i32",
                {values({2, 4, 3}, 3), raw::cast(index_of({2, 2, 0}, {3}), DType::i32)}, along(1),
                reference(1)),
      make_case("nothing", {values({2, 4}, 4), index_of({}, {0})}, along(1), reference(1)),
      make_case("of empty rows", {values({2, 0}, 5), index_of({1, 0, 1}, {3})}, along(0),
                reference(0)),
  };
  s.errors = {
      {"index",
       [] {
         index_select(values({4, 3}, 1), 0, index_of({0, 4}, {2}));
       },
       "[index_select] index 4 at (1,) is out of range for dimension 0 of (4, 3)"},
      {"negative index",
       [] {
         index_select(values({4, 3}, 1), 1, index_of({-1}, {1}));
       },
       "[index_select] index -1 at (0,) is out of range for dimension 1 of (4, 3)"},
      {"index shape",
       [] {
         index_select(values({4, 3}, 1), 0, ids({1, 2}, 4, 1));
       },
       "[index_select] index (1, 2) must have 1 dimension"},
      {"dimension",
       [] {
         index_select(values({4, 3}, 1), 2, ids({2}, 3, 1));
       },
       "[index_select] dimension 2 is out of range for 2 dimensions"},
      {"index dtype",
       [] {
         index_select(values({4, 3}, 1), 0, values({2}, 1));
       },
       "[index_select] expects ids as i32 or i64, got f64"},
  };
  s.benchmarks = {
      {"4096 of 4096 x 256",
       [] {
         return Inputs{raw::cast(values({4096, 256}, 1), DType::f32), ids({4096}, 4096, 2)};
       },
       along(0), 0, 4.0 * 2 * 4096 * 256},
      {"64 columns of 4096 x 256",
       [] {
         return Inputs{raw::cast(values({4096, 256}, 1), DType::f32), ids({64}, 256, 2)};
       },
       along(1), 0, 4.0 * 2 * 4096 * 64}};
  return s;
}

/// Element i of the result: x at i, with the coordinate of `dim` read from the index. Dimensions of
/// size 1 are stretched.
Reference take_reference(const Shape& shape, int dim) {
  return [=](const Inputs& in) {
    return each_index(shape, [&](const Shape& i) {
      Shape from = i, at = i;
      for (int d = 0; d < i.rank(); ++d) {
        if (in[1].size(d) == 1) at[d] = 0;
        if (in[0].size(d) == 1) from[d] = 0;
      }
      from[dim] = chosen(in[1], at);
      return in[0].at(from);
    });
  };
}

Sample make_gather() {
  Sample s;
  s.name = "gather";
  const auto along = [](std::int64_t dim) {
    return [=](const Inputs& in) { return gather(in[0], dim, in[1]); };
  };
  /// Sizes of index below x's keep the leading part: no stretching here.
  const auto reference = [](int dim) {
    return [=](const Inputs& in) {
      return each_index(in[1].shape(), [&](const Shape& i) {
        Shape from = i;
        from[dim] = chosen(in[1], i);
        return in[0].at(from);
      });
    };
  };
  s.cases = {
      make_case("rows", {values({4, 3}, 1), ids({5, 3}, 4, 2)}, along(0), reference(0)),
      make_case("columns", {values({3, 4}, 3), ids({3, 6}, 4, 4)}, along(-1), reference(1)),
      make_case("index smaller elsewhere", {values({3, 4, 5}, 5), ids({2, 3, 4}, 4, 6)}, along(1),
                reference(1)),
      make_case("middle, i32", {values({2, 4, 3}, 7), raw::cast(ids({2, 2, 3}, 4, 8), DType::i32)},
                along(1), reference(1)),
      make_case("one dimension", {values({5}, 9), ids({8}, 5, 10)}, along(0), reference(0)),
      make_case("nothing", {values({4, 3}, 11), ids({0, 3}, 4, 12)}, along(0), reference(0)),
  };
  s.errors = {
      {"index",
       [] {
         gather(values({2, 3}, 1), 1, index_of({0, 5, 1, 2}, {2, 2}));
       },
       "[gather] index 5 at (0, 1) is out of range for dimension 1 of (2, 3)"},
      {"index shape",
       [] {
         gather(values({2, 3}, 1), 1, ids({3, 3}, 2, 1));
       },
       "[gather] index (3, 3) does not fit x (2, 3): same number of dimensions, and none but "
       "dimension 1 larger"},
      {"index rank",
       [] {
         gather(values({2, 3}, 1), 0, ids({3}, 2, 1));
       },
       "[gather] index (3,) does not fit x (2, 3): same number of dimensions, and none but "
       "dimension 0 larger"},
      {"dimension",
       [] {
         gather(values({2, 3}, 1), 2, ids({2, 3}, 2, 1));
       },
       "[gather] dimension 2 is out of range for 2 dimensions"},
      {"index dtype",
       [] {
         gather(values({2, 3}, 1), 0, values({2, 3}, 1));
       },
       "[gather] expects ids as i32 or i64, got f64"},
  };
  s.benchmarks = {
      {"one of 4096 x 256",
       [] {
         return Inputs{raw::cast(values({4096, 256}, 1), DType::f32), ids({4096, 1}, 256, 2)};
       },
       along(1), 0, 12.0 * 4096},
      {"1024 x 1024 along rows",
       [] {
         return Inputs{raw::cast(values({1024, 1024}, 1), DType::f32), ids({1024, 1024}, 1024, 2)};
       },
       along(0), 0, 16.0 * 1024 * 1024}};
  return s;
}

Sample make_take_along_dim() {
  Sample s;
  s.name = "take_along_dim";
  const auto along = [](std::int64_t dim) {
    return [=](const Inputs& in) { return take_along_dim(in[0], in[1], dim); };
  };
  s.cases = {
      make_case("same sizes", {values({3, 4}, 1), ids({3, 2}, 4, 2)}, along(1),
                take_reference({3, 2}, 1)),
      make_case("index stretched", {values({3, 4, 2}, 3), ids({1, 5, 1}, 4, 4)}, along(1),
                take_reference({3, 5, 2}, 1)),
      make_case("x stretched", {values({1, 4}, 5), ids({3, 2}, 4, 6)}, along(-1),
                take_reference({3, 2}, 1)),
      make_case("both stretched", {values({1, 4, 3}, 7), ids({2, 2, 1}, 4, 8)}, along(1),
                take_reference({2, 2, 3}, 1)),
      make_case("nothing", {values({3, 4}, 9), ids({3, 0}, 4, 1)}, along(1),
                take_reference({3, 0}, 1)),
  };
  s.errors = {
      {"index",
       [] {
         take_along_dim(values({2, 3}, 1), index_of({0, 3}, {2, 1}), 1);
       },
       "[take_along_dim] index 3 at (1, 0) is out of range for dimension 1 of (2, 3)"},
      {"sizes",
       [] {
         take_along_dim(values({2, 3}, 1), ids({3, 1}, 3, 1), 1);
       },
       "[take_along_dim] shapes do not broadcast: a (2, 1), b (3, 1); each pair of sizes, from the "
       "last, must be equal or hold a 1"},
      {"rank",
       [] {
         take_along_dim(values({2, 3}, 1), ids({3}, 3, 1), 1);
       },
       "[take_along_dim] index (3,) and x (2, 3) must have the same number of dimensions"},
      {"dimension",
       [] {
         take_along_dim(values({2, 3}, 1), ids({2, 3}, 2, 1), 2);
       },
       "[take_along_dim] dimension 2 is out of range for 2 dimensions"},
  };
  s.benchmarks = {
      {"one order for 256 rows",
       [] {
         return Inputs{raw::cast(values({256, 1024}, 1), DType::f32), ids({1, 1024}, 1024, 2)};
       },
       along(1), 0, 16.0 * 256 * 1024}};
  return s;
}

Sample make_scatter_add() {
  Sample s;
  s.name = "scatter_add";
  const auto along = [](std::int64_t dim) {
    return [=](const Inputs& in) { return scatter_add(in[0], dim, in[1], in[2]); };
  };
  const auto reference = [](int dim) {
    return [=](const Inputs& in) {
      std::vector<double> out = flat(in[0]);
      const Shape strides = in[0].shape().row_major_strides();
      each_index(in[1].shape(), [&](const Shape& i) {
        std::int64_t at = 0;
        for (int d = 0; d < i.rank(); ++d) at += strides[d] * (d == dim ? chosen(in[1], i) : i[d]);
        return out[static_cast<std::size_t>(at)] += in[2].at(i);
      });
      return out;
    };
  };
  s.cases = {
      make_case("rows", {values({3, 4}, 1), ids({6, 4}, 3, 2), values({6, 4}, 3)}, along(0),
                reference(0)),
      make_case("columns", {values({2, 3}, 4), ids({2, 7}, 3, 5), values({2, 7}, 6)}, along(-1),
                reference(1)),
      make_case("index smaller elsewhere",
                {values({3, 4, 5}, 7), ids({2, 3, 4}, 4, 8), values({2, 3, 4}, 9)}, along(1),
                reference(1)),
      make_case("one dimension, i32",
                {values({4}, 10), raw::cast(ids({9}, 4, 11), DType::i32), values({9}, 12)},
                along(0), reference(0)),
      make_case("nothing", {values({3, 2}, 13), ids({0, 2}, 3, 14), values({0, 2}, 15)}, along(0),
                reference(0)),
  };
  s.errors = {
      {"index",
       [] {
         scatter_add(values({2, 3}, 1), 0, index_of({0, 2}, {1, 2}), values({1, 2}, 2));
       },
       "[scatter_add] index 2 at (0, 1) is out of range for dimension 0 of (2, 3)"},
      {"source shape",
       [] {
         scatter_add(values({2, 3}, 1), 0, ids({1, 2}, 2, 1), values({2, 1}, 2));
       },
       "[scatter_add] index (1, 2) and source (2, 1) must have the same shape"},
      {"index shape",
       [] {
         scatter_add(values({2, 3}, 1), 0, ids({1, 4}, 2, 1), values({1, 4}, 2));
       },
       "[scatter_add] index (1, 4) does not fit x (2, 3): same number of dimensions, and none but "
       "dimension 0 larger"},
      {"dtypes",
       [] {
         scatter_add(values({2, 3}, 1), 0, ids({1, 3}, 2, 1),
                     raw::cast(values({1, 3}, 2), DType::f32));
       },
       "[scatter_add] x is f64, source f32; cast one of them"},
      {"dimension",
       [] {
         scatter_add(values({2, 3}, 1), 2, ids({1, 3}, 2, 1), values({1, 3}, 2));
       },
       "[scatter_add] dimension 2 is out of range for 2 dimensions"},
  };
  s.benchmarks = {{"1024 x 256 into 64 rows",
                   [] {
                     return Inputs{raw::cast(values({64, 256}, 1), DType::f32),
                                   ids({1024, 256}, 64, 2),
                                   raw::cast(values({1024, 256}, 3), DType::f32)};
                   },
                   along(0), 1024.0 * 256, 20.0 * 1024 * 256}};
  return s;
}

const Register embedding_sample("embedding", Kind::op, make_embedding);
const Register index_select_sample("index_select", Kind::op, make_index_select);
const Register gather_sample("gather", Kind::op, make_gather);
const Register take_along_dim_sample("take_along_dim", Kind::op, make_take_along_dim);
const Register scatter_add_sample("scatter_add", Kind::op, make_scatter_add);

}  // namespace
}  // namespace weft::samples::indexing_samples
