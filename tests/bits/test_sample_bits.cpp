// Every sample's values and gradients in f32: at the sizes of its cases, and at those of its
// benchmarks, which are cut into tiles and tasks.
#include "tests/bits/recorded.h"
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

void check_bits(const GradFunction& call, const std::vector<Tensor>& inputs,
                const std::vector<int>& without_grad, const std::string& name) {
  const Outcome outcome = run(call, inputs, without_grad);
  bits::Hash hash;
  hash.add(outcome.value);
  for (const std::vector<double>& gradient : outcome.gradients) hash.add(gradient);
  bits::check(name, hash);
}

}  // namespace

TEST_CASE("cases of samples have the committed bits") {
  for_each_case([](const Sample& sample, const Case& one) {
    check_bits(one.call, cast_inputs(one.inputs, DType::f32), one.without_grad,
               title(sample, one.label));
  });
}

TEST_CASE("benchmarks of samples have the committed bits") {
  set_num_threads(2);
  for_each_sample([](const Entry&) { return true; },
                  [](const Sample& sample) {
                    for (const Benchmark& one : sample.benchmarks)
                      check_bits(one.call, one.make_inputs(), {},
                                 title(sample, "large: " + one.label));
                  });
}
