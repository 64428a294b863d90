#include "tests/samples/gradcheck_share.h"

TEST_CASE("gradient check of ops, share 2 of 3") {
  weft::samples::gradcheck_share(weft::samples::Kind::op, 2, 3, true);
}
