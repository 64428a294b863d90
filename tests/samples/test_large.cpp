// At the benchmarks' sizes, where tiles and threads matter, f32 agrees with the plain loops of f64.
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

TEST_CASE("large inputs in f32 against f64") {
  set_num_threads(2);
  for_each_sample([](const Entry&) { return true; }, [](const Sample& sample) {
    for (const Benchmark& one : sample.benchmarks) {
      const std::vector<Tensor> inputs = one.make_inputs();
      for (const Tensor& input : inputs) CHECK_MESSAGE(input.dtype() != DType::f64, title(sample, one.label), " wants f32 inputs");
      const Outcome exact = run(one.call, cast_inputs(inputs, DType::f64));
      check_close(run(one.call, cast_inputs(inputs, DType::f32)), exact, 1e-3, 1e-3, title(sample, one.label));
    }
  });
}
