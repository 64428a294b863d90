// That tests/old_runs can tell the rule by which earlier formats weigh accumulated batches:
// tests/reliability/test_old_runs.cpp holds runs to it.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

using namespace weft;
using namespace weft::test;
using Json = nlohmann::json;

TEST_CASE(
    "accumulated batches weigh as the format of the run has it, and that matters in the run that "
    "is tested") {
  const fs::path old = fs::path(WEFT_SOURCE_DIR) / "tests" / "old_runs" / "translate";
  const double wanted =
      Json::parse(read_file((old / "finished" / "summary.json").string()))["val_loss"]
          .get<double>();
  for (const std::string format : {"2", "3"}) {
    CAPTURE(format);
    const TempFolder folder;
    const fs::path run = folder / "run";
    fs::copy(old / "run", run, fs::copy_options::recursive);
    std::string config = read_file((run / "config.json").string());
    const std::string from = "\"format\": 2";
    REQUIRE(config.find(from) != std::string::npos);
    write_file((run / "config.json").string(),
               config.replace(config.find(from), from.size(), "\"format\": " + format));
    const Outcome outcome =
        Running({"env", "WEFT_DATA=" + (old / "data").string(), program(), "train", "translate",
                 "--resume", "--threads", "1", "--out", run.string()},
                folder)
            .wait();
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    const double found =
        Json::parse(read_file((run / "summary.json").string()))["val_loss"].get<double>();
    // To the bit on a machine with the instructions of the one that began it; others round
    // otherwise.
    CHECK((std::abs(found - wanted) < 1e-3) == (format == "2"));
  }
}
