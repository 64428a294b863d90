#include "tests/samples/large.h"

TEST_CASE("the same bits for any number of threads: benchmarks, share 2 of 3") {
  weft::samples::check_threads_of_benchmarks(2, 3);
}
