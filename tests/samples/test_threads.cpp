#include "tests/samples/large.h"

using namespace weft;
using namespace weft::samples;

TEST_CASE("the same bits for any number of threads: cases") {
  for_each_case([](const Sample& sample, const Case& one) {
    check_threads(one.call, cast_inputs(one.inputs, DType::f32), one.without_grad,
                  title(sample, one.label));
  });
}
