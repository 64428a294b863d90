// The same bits for 1, 2, 3 and 8 threads, forward and backward, at the benchmarks' sizes and the cases'.
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

void check_threads(const GradFunction& call, const std::vector<Tensor>& inputs, const std::vector<int>& without_grad, const std::string& what) {
  Outcome expected;
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    std::vector<Tensor> own;
    for (const Tensor& input : inputs) own.push_back(raw::clone(input));
    const Outcome outcome = run(call, own, without_grad);
    if (threads == 1) expected = outcome;
    else check_close(outcome, expected, 0, 0, fmt::format("{} with {} threads", what, threads));
  }
  set_num_threads(1);
}

}  // namespace

TEST_CASE("the same bits for any number of threads: cases") {
  for_each_case([](const Sample& sample, const Case& one) {
    check_threads(one.call, cast_inputs(one.inputs, DType::f32), one.without_grad, title(sample, one.label));
  });
}

TEST_CASE("the same bits for any number of threads: benchmarks") {
  for_each_sample([](const Entry&) { return true; }, [](const Sample& sample) {
    for (const Benchmark& one : sample.benchmarks) check_threads(one.call, one.make_inputs(), {}, title(sample, one.label));
  });
}
