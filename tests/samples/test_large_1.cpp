#include "tests/samples/large.h"

TEST_CASE("large inputs in f32 against f64, share 1 of 3") { weft::samples::check_large(1, 3); }
