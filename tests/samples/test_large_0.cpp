#include "tests/samples/large.h"

TEST_CASE("large inputs in f32 against f64, share 0 of 3") { weft::samples::check_large(0, 3); }
