#include "tests/samples/gradcheck_share.h"

TEST_CASE("gradient check of ops, share 1 of 3") {
  weft::samples::gradcheck_share(weft::samples::Kind::op, 1, 3, true);
}
