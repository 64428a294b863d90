#include "tests/samples/large.h"

TEST_CASE("the same bits for any number of threads: benchmarks") {
  weft::samples::check_threads_of_benchmarks(weft::samples::shard());
}
