#include "tests/samples/gradcheck_share.h"

TEST_CASE("gradient check of modules") {
  weft::samples::gradcheck_share(weft::samples::Kind::module, weft::samples::shard(), false);
}
