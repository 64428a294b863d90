// A comparison comes to the committed values of runs, verdicts and printed digits on every
// instruction set, in any number of jobs.
#include "core/simd.h"
#include "tests/bits/recorded.h"
#include "tests/cli/run_program.h"
#include "tests/cli/tiny_suite.h"

using namespace weft;
using namespace weft::test;

#ifndef WEFT_EMULATED  // a comparison starts programs by itself, which no emulator runs
TEST_CASE("a comparison has the committed values and verdicts") {
  const TempFolder folder;
  const std::string suite = tiny_suite(folder, "steps = 30\n");
  int jobs = 0;
  for (const std::string& simd : simd_choices()) {
    CAPTURE(simd);
    const std::string out = (folder / simd).string();
    const Outcome outcome = Running({"env", "WEFT_SIMD=" + simd, program(), "compare", suite,
                                     "--jobs", std::to_string(++jobs), "--out", out},
                                    folder)
                                .wait();
    REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
    bits::Hash values, verdicts;
    const nlohmann::json results = comparison_results(out);
    for (const auto& cell : results.at("cells"))
      values.add(cell.at("values").get<std::vector<double>>());
    bits::check("compare: values", values.str());
    // The sentence of each contrast, with its digits.
    REQUIRE(outcome.out.find("- `a` against `b`") != std::string::npos);
    verdicts.add(std::string_view(outcome.out).substr(0, outcome.out.rfind("\n\n")));
    bits::check("compare: verdicts", verdicts.str());
  }
}
#endif
