// The gradient check of every module and model: inputs and parameters, and gradients of gradients.
#include "tests/samples/gradcheck_share.h"

TEST_CASE("gradient check of modules") { weft::samples::gradcheck_share(weft::samples::Kind::module, 0, 1, true); }
TEST_CASE("gradient check of models") { weft::samples::gradcheck_share(weft::samples::Kind::model, 0, 1, true); }
