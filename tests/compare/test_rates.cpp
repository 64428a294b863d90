// Whether a run that was tried anew has another learning rate than its cell has now.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/io/file.h"
#include "tests/train/tiny_runs.h"
#include "train/compare/jobs.h"

using namespace weft;
using namespace weft::compare;

TEST_CASE("every learning rate of a run counts: its own, and those of its optimizer") {
  const test::TempFolder folder;
  const Job job{.folder = folder / "run", .config = folder / "cell.json"};
  std::filesystem::create_directories(job.folder);
  const auto differs = [&](const nlohmann::json& run, const nlohmann::json& cell) {
    write_file((job.folder / "config.json").string(), run.dump());
    write_file(job.config.string(), cell.dump());
    return has_other_rate(job);
  };
  CHECK(!differs({{"lr", 0.1}, {"muon_lr", 0.02}, {"momentum", 0.9}},
                 {{"lr", 0.1}, {"muon_lr", 0.02}, {"momentum", 0.5}}));
  CHECK(differs({{"lr", 0.1}, {"muon_lr", 0.02}}, {{"lr", 0.2}, {"muon_lr", 0.02}}));
  CHECK(differs({{"lr", 0.1}, {"muon_lr", 0.02}}, {{"lr", 0.1}, {"muon_lr", 0.04}}));
  CHECK(!differs({{"lr", 0.1}}, {{"lr", 0.1}}));
  std::filesystem::remove(job.folder / "config.json");
  CHECK(!has_other_rate(job));
}
