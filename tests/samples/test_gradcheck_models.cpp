#include "tests/samples/gradcheck_share.h"

TEST_CASE("gradient check of whole models") {
  weft::samples::gradcheck_share(weft::samples::Kind::model, weft::samples::shard(), false);
}
