// The installed package: a user's project finds it, builds against it, and trains.
#include <doctest/doctest.h>

#include "tests/cli/run_program.h"

using namespace weft;
using test::Outcome;
using test::Running;
using test::TempFolder;

namespace {

Outcome run(const TempFolder& folder, const std::vector<std::string>& words) {
  Outcome outcome = Running(words, folder).wait();
  CAPTURE(outcome.out);
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  return outcome;
}

}  // namespace

TEST_CASE("cmake --install, find_package(weft), #include <weft/weft.h>") {
  const TempFolder folder;
  const std::string source = std::string(WEFT_SOURCE_DIR);
  const std::string prefix = (folder / "prefix").string();
  const std::string build = (folder / "build").string();
  run(folder, {"cmake", "--install", WEFT_BINARY_DIR, "--prefix", prefix});
  std::string flags = "-O1";
#if defined(__SANITIZE_ADDRESS__)
  flags += " -fsanitize=address,undefined";
#elif defined(__SANITIZE_THREAD__)
  flags += " -fsanitize=thread";
#endif
  run(folder, {"cmake", "-S", source + "/tests/consumer", "-B", build, "-G", "Ninja",
               "-DCMAKE_PREFIX_PATH=" + prefix, "-DCMAKE_CXX_FLAGS=" + flags});
  run(folder, {"cmake", "--build", build});
  const Outcome outcome =
      run(folder, {build + "/consumer", source + "/data/sets/tinyshakespeare.txt", "20"});
  CHECK(outcome.out.rfind("loss ", 0) == 0);
  // The installed program finds the data that were installed with it.
  const Outcome info = run(folder, {prefix + "/bin/weft", "info", "--json"});
  CHECK(nlohmann::json::parse(info.out)["version"].is_string());
}
