// weft verify: a finished run is trained again and compared.
#include <doctest/doctest.h>

#include "tests/cli/refused.h"
#include "tests/cli/run_program.h"

using namespace weft;
using namespace weft::test;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

namespace {

Words short_run(const TempFolder& folder) {
  return {"train",        "text", "--data",       tiny_text_config(folder).data,
          "--layers",     "1",    "--heads",      "2",
          "--width",      "8",    "--context",    "8",
          "--batch",      "3",    "--steps",      "12",
          "--eval-every", "4",    "--no-estimate"};
}

std::string trained(const TempFolder& folder, const std::string& name, const Words& more = {}) {
  const std::string run = (folder / name).string();
  const Outcome outcome = weft_with(folder, short_run(folder) + more + Words{"--out", run});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
  return run;
}

Json summary(const std::string& run) { return Json::parse(read_file(run + "/summary.json")); }

void replace_in(const std::string& file, const std::string& what, const std::string& by) {
  std::string text = read_file(file);
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  write_file(file, text.replace(at, what.size(), by));
}

}  // namespace

TEST_CASE("verify trains again and says that the bits are the same, and prints them as train did") {
  const TempFolder folder;
  const std::string run = (folder / "run").string();
  const Outcome trained = weft_with(folder, short_run(folder) + Words{"--out", run});
  const std::string bits = summary(run)["bits"];
  CHECK(bits.size() == 16);
  CHECK(trained.out.find("bits " + bits) != std::string::npos);
  const Outcome verified = weft_with(folder, {"verify", run, "--threads", "2", "--bits", bits});
  CHECK(verified.code == 0);
  CHECK(verified.out.find(bits) != std::string::npos);
  const Json json = Json::parse(weft_with(folder, {"verify", run, "--json"}).out);
  CHECK(json == Json{{"run", run}, {"bits", bits}, {"again", bits}, {"equal", true}});
}

TEST_CASE("bits tell of parameters, metrics and figures, and of no time") {
  const TempFolder folder;
  const std::string one = trained(folder, "one"), same = trained(folder, "same"),
                    other = trained(folder, "other", {"--seed", "2"});
  CHECK(summary(one)["bits"] == summary(same)["bits"]);
  CHECK(summary(one)["bits"] != summary(other)["bits"]);
}

TEST_CASE("verify says where a run differs") {
  const TempFolder folder;
  const std::string run = trained(folder, "run");
  // As if another CPU had trained it: the choices are those of another seed.
  replace_in(run + "/config.json", "\"seed\": 1", "\"seed\": 2");
  const Outcome outcome = weft_with(folder, {"verify", run});
  CHECK(outcome.code == 1);
  CHECK(outcome.out.find("the first difference: step 1, batch_hash: ") != std::string::npos);
}

TEST_CASE("verify refuses what is no finished, untouched run, and says how to mend it") {
  const TempFolder folder;
  const std::string run = trained(folder, "run");
  check_refused(weft_with(folder, {"verify", (folder / "none").string()}), 2, "run folder");
  check_refused(weft_with(folder, {"verify", run + "/last.safetensors"}), 2, "run folder");

  const std::string bits = summary(run)["bits"];
  const Outcome published = weft_with(folder, {"verify", run, "--bits", "0123456789abcdef"});
  CHECK(published.code == 1);
  CHECK(published.out.find("nothing was trained") != std::string::npos);

  const std::string changed = (folder / "changed").string();
  fs::copy(run, changed, fs::copy_options::recursive);
  replace_in(changed + "/metrics.jsonl", "\"step\":3", "\"step\":3,\"x\":1");
  check_refused(weft_with(folder, {"verify", changed}), 1, "has been changed since");

  const std::string unfinished = (folder / "unfinished").string();
  fs::copy(run, unfinished, fs::copy_options::recursive);
  fs::remove(unfinished + "/summary.json");
  check_refused(weft_with(folder, {"verify", unfinished}), 2, "--resume");

  const std::string older = (folder / "older").string();
  fs::copy(run, older, fs::copy_options::recursive);
  replace_in(older + "/summary.json", "\"bits\"", "\"bite\"");
  check_refused(weft_with(folder, {"verify", older}), 2, "depended on the CPU");

  write_file(tiny_text_config(folder).data, "quite another text. " + std::string(2000, 'x'));
  check_refused(weft_with(folder, {"verify", run}), 2, "data have changed");
}

TEST_CASE("--products openblas is recorded, and used when the run is used") {
  const TempFolder folder;
  const std::string run = trained(folder, "blas", {"--products", "openblas"});
  CHECK(Json::parse(read_file(run + "/config.json"))["products"] == "openblas");
  CHECK(weft_with(folder, {"verify", run}).code == 0);
  check_refused(weft_with(folder, short_run(folder) + Words{"--products", "mkl"}), 2, "products");
}
