#include "tests/samples/gradcheck_share.h"

TEST_CASE("gradient check of ops") {
  weft::samples::gradcheck_share(weft::samples::Kind::op, weft::samples::shard(), true);
}
