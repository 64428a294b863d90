// What an op saved and what is then changed in place, for every sample: backward refuses, or its
// gradient is that of before the change.
#include <optional>

#include "tests/autograd/leaf.h"
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

using Values = std::vector<std::vector<double>>;

struct Recorded {
  std::vector<Tensor> inputs, wanted;
  Tensor output, seed;
};

/// The call on copies of its inputs, which nobody else holds.
Recorded record_case(const Case& one) {
  Recorded r;
  for (std::size_t i = 0; i < one.inputs.size(); ++i) {
    r.inputs.push_back(raw::clone(one.inputs[i]));
    const bool skip = std::find(one.without_grad.begin(), one.without_grad.end(),
                                static_cast<int>(i)) != one.without_grad.end();
    if (!is_float(r.inputs[i].dtype()) || skip) continue;
    r.inputs[i].set_requires_grad();
    r.wanted.push_back(r.inputs[i]);
  }
  r.output = one.call(r.inputs);
  if (r.output.requires_grad())
    r.seed = raw::cast(values(r.output.shape(), 77, -1.5, 1.5), r.output.dtype());
  return r;
}

Values gradients_of(const Recorded& r, bool create_graph) {
  Values result;
  for (const Tensor& g :
       grad({r.output}, r.wanted, {r.seed}, {.create_graph = create_graph, .allow_unused = true}))
    result.push_back(g.defined() ? g.to_vector<double>() : std::vector<double>());
  return result;
}

/// None where backward says that a saved tensor was changed.
std::optional<Values> gradients_unless_refused(const Recorded& r, bool create_graph) {
  try {
    return gradients_of(r, create_graph);
  } catch (const GraphError& error) {
    CHECK(std::string(error.what()).find("was changed in place since: version") !=
          std::string::npos);
    return std::nullopt;
  }
}

void change(const Tensor& t) {
  if (is_float(t.dtype()))
    t.fill(0.375);
  else
    t.fill(t.dtype() == DType::u8 && t.numel() > 0 && t.at(Shape::filled(t.rank(), 0)) != 0 ? 0
                                                                                            : 1);
}

bool same(const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (distance(a[i], b[i]) != 0) return false;
  return true;
}

struct Count {
  int refused = 0, right = 0;
};

/// Each input, and the output, changed between forward and backward.
void check_case_changed(const Sample& sample, const Case& one, bool create_graph, Count& count) {
  const Recorded untouched = record_case(one);
  if (!untouched.output.requires_grad()) return;
  const Values expected = gradients_of(untouched, create_graph);
  if (!same(gradients_of(record_case(one), create_graph), expected))
    return;  // it draws anew each time
  for (std::size_t i = 0; i <= one.inputs.size(); ++i) {
    const Recorded r = record_case(one);
    const Tensor changed = i < r.inputs.size() ? r.inputs[i] : r.output;
    if (raw::overlaps_itself(changed))
      continue;  // a view that expand() made: what it shows was an input
    const std::uint64_t before = changed.version();
    change(changed);
    CHECK(changed.version() > before);
    const auto found = gradients_unless_refused(r, create_graph);
    ++(found ? count.right : count.refused);
    if (found)
      CHECK_MESSAGE(same(*found, expected), title(sample, one.label),
                    create_graph ? ", by its definition" : "", ": wrong gradient after ",
                    i < one.inputs.size() ? fmt::format("input {}", i) : "the output",
                    " was changed in place");
  }
}

}  // namespace

TEST_CASE("an input or output that is changed in place never gives a wrong gradient") {
  Count count;
  for_each_case([&](const Sample& sample, const Case& one) {
    if (!one.gradients) return;
    check_case_changed(sample, one, false, count);
    if (sample.kind == Kind::op && one.no_second_order.empty())
      check_case_changed(sample, one, true, count);
  });
  MESSAGE(count.refused, " refused, ", count.right, " right all the same");
  CHECK(count.refused > 500);
  CHECK(count.right > 100);
}
