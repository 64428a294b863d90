#include "tests/samples/large.h"

TEST_CASE("large inputs in f32 against f64") { weft::samples::check_large(weft::samples::shard()); }
