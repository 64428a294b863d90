#include "tests/samples/large.h"

TEST_CASE("the same bits for any number of threads: benchmarks, share 1 of 3") {
  weft::samples::check_threads_of_benchmarks(1, 3);
}
