// Writes the folders that tests/browser/ looks at in a real browser. (A fixture of ctest: it runs
// before them.)
#include <doctest/doctest.h>

#include <filesystem>

#include "core/io/file.h"
#include "tests/report/sample_results.h"

using namespace weft;

namespace {

void write_results(const std::string& name, const test::Json& results) {
  const std::filesystem::path folder = std::filesystem::path(WEFT_BINARY_DIR) / "browser" / name;
  std::filesystem::create_directories(folder);
  write_file((folder / "results.json").string(), results.dump(1));
}

}  // namespace

TEST_CASE("results for the browser") {
  write_results("whole", test::sample_results());
  write_results("unfinished", test::unfinished_results());
  write_results("many", test::sample_results({.seeds = 3, .tasks = 6, .arms = 200}));

  test::Json hostile = test::sample_results();
  const std::string evil =
      "</script><img src=x "
      "onerror=\"document.title='broken'\"><script>document.title='broken'</script> & `code` "
      "'quote'";
  hostile["suite"] = evil;
  hostile["question"] = test::both(evil, evil + "二");
  hostile["arms"][0]["about"] = evil;
  hostile["tasks"][0]["about"]["zh"] = evil;
  hostile["cells"][0]["runs"][0]["command"] = evil;
  hostile["machine"]["cpu"] = evil;
  hostile["contrasts"][0]["question"]["en"] = evil;
  for (auto& cell : hostile["cells"]) {
    if (cell["arm"] == "cnn") cell["arm"] = evil;
  }
  hostile["arms"][3]["name"] = evil;
  write_results("hostile", hostile);
}
