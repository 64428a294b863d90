// Every sample holds what the other tests need.
#include <set>

#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

TEST_CASE("every sample is complete") {
  std::set<std::pair<Kind, std::string>> seen;
  int cases = 0, errors = 0, benchmarks = 0, without_errors = 0;
  for_each_sample(
      [](const Entry&) { return true; },
      [&](const Sample& sample) {
        CAPTURE(sample.name);
        CHECK_MESSAGE(seen.insert({sample.kind, sample.name}).second, "registered twice");
        CHECK(!sample.cases.empty());
        CHECK_MESSAGE(sample.errors.empty() != sample.no_errors.empty(),
                      "expects an error case or the reason why there is none");
        if (sample.kind == Kind::op) CHECK(!sample.benchmarks.empty());
        std::set<std::string> labels;
        for (const Case& one : sample.cases) {
          CAPTURE(one.label);
          CHECK_MESSAGE(labels.insert(one.label).second, "two cases of one label");
          CHECK(one.call);
          if (sample.kind == Kind::op)
            CHECK_MESSAGE(one.reference, "an op's case expects a reference");
          for (const Tensor& input : one.inputs) CHECK(input.dtype() != DType::f32);
        }
        for (const Benchmark& one : sample.benchmarks) {
          CAPTURE(one.label);
          CHECK(one.bytes >= 0);  // a view moves nothing
          CHECK(one.flops >= 0);
        }
        cases += static_cast<int>(sample.cases.size());
        errors += static_cast<int>(sample.errors.size());
        benchmarks += static_cast<int>(sample.benchmarks.size());
        without_errors += sample.errors.empty();
      });
  for (const Entry& entry : all()) CHECK(entry.make().name == entry.name);
  MESSAGE(seen.size(), " samples: ", cases, " cases, ", errors, " error cases (", without_errors,
          " samples say why they have none), ", benchmarks, " benchmarks");
}
