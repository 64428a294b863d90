// The gradient check of a share of the samples, so that the shares run side by side.
#pragma once

#include "tests/samples/harness.h"
#include "tests/samples/shard.h"

namespace weft::samples {

/// Checks a share of the samples of a kind.
inline void gradcheck_share(Kind kind, Shard shard, bool second_order) {
  int number = 0, cases = 0, without_gradient = 0, without_second = 0;
  std::int64_t checked = 0, skipped = 0;
  for_each_sample([&](const Entry& entry) { return entry.kind == kind && shard.has(number++); },
                  [&](const Sample& sample) {
                    for (const Case& one : sample.cases) {
                      if (second_order && !one.no_second_order.empty())
                        MESSAGE(title(sample, one.label),
                                " has no gradient of the gradient: ", one.no_second_order);
                      const GradcheckResult result = check_case(one, second_order);
                      CHECK_MESSAGE(result.passed, title(sample, one.label), ": ", result.message);
                      ++cases;
                      without_gradient += !one.gradients;
                      without_second += !one.no_second_order.empty();
                      checked += result.checked;
                      skipped += result.skipped;
                    }
                  });
  MESSAGE(cases, " cases, ", without_gradient, " without gradient, ", without_second,
          " without a second; ", checked, " elements compared, ", skipped, " excluded by kinks");
}

}  // namespace weft::samples
