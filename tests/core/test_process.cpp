// Other programs: run to their end, and refused where they cannot be started.
#include "core/io/process.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "core/error.h"
#include "tests/core/error_text.h"

using namespace weft;
using test::error_text;

TEST_CASE("a program's output and exit status are kept") {
  const ProcessOutcome outcome = run_shell("echo out; echo err >&2; exit 7");
  CHECK(outcome.code == 7);
  CHECK(outcome.out == "out\n");
  CHECK(outcome.err == "err\n");
  CHECK(run_shell("kill -TERM $$").code == 128 + SIGTERM);
}

TEST_CASE("a program that cannot be started is an error that says why") {
  const std::string expected =
      "[process] /nowhere/weft cannot be started: No such file or directory";
  CHECK(error_text<IoError>([] { run_process({"/nowhere/weft"}); }) == expected);
  const auto log = std::filesystem::temp_directory_path() / "weft-test-process.log";
  CHECK(error_text<IoError>([&] { ChildProcess child({"/nowhere/weft"}, log); }) == expected);
  std::filesystem::remove(log);
}
