// Every error case throws one of weft's errors with exactly its text.
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

TEST_CASE("error texts") {
  for_each_sample([](const Entry&) { return true; },
                  [](const Sample& sample) {
                    for (const ErrorCase& one : sample.errors) {
                      const std::string what = title(sample, one.label);
                      try {
                        one.call();
                        FAIL_CHECK(what, " did not throw");
                      } catch (const Error& error) {
                        CHECK_MESSAGE(std::string(error.what()) == one.expected, what, " threw\n  ",
                                      error.what(), "\ninstead of\n  ", one.expected);
                        CHECK_MESSAGE(typeid(error) != typeid(Error), what,
                                      " threw plain Error, not one of its kinds");
                      } catch (const std::exception& error) {
                        FAIL_CHECK(what, " threw something that is no weft::Error: ", error.what());
                      }
                    }
                  });
}
