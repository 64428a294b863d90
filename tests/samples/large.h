// Samples at sizes that are cut into tiles and tasks: the same bits for 1, 2, 3, 4 and 8 threads,
// and f32 near f64.
#pragma once

#include <cstring>

#include "tests/samples/harness.h"
#include "tests/samples/shard.h"

namespace weft::samples {

inline bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

inline void check_threads(const GradFunction& call, const std::vector<Tensor>& inputs,
                          const std::vector<int>& without_grad, const std::string& what) {
  Outcome expected;
  for (const int threads : {1, 2, 3, 4, 8}) {
    set_num_threads(threads);
    std::vector<Tensor> own;
    for (const Tensor& input : inputs) own.push_back(raw::clone(input));
    const Outcome outcome = run(call, own, without_grad);
    if (threads == 1) expected = outcome;
    const std::string how = fmt::format("{} with {} threads", what, threads);
    CHECK_MESSAGE(same_bits(outcome.value, expected.value), how, ": ",
                  first_difference(outcome.value, expected.value, 0));
    REQUIRE_MESSAGE(outcome.gradients.size() == expected.gradients.size(), how);
    for (std::size_t i = 0; i < outcome.gradients.size(); ++i)
      CHECK_MESSAGE(same_bits(outcome.gradients[i], expected.gradients[i]), how, ": gradient ", i,
                    ": ", first_difference(outcome.gradients[i], expected.gradients[i], 0));
  }
  set_num_threads(1);
}

/// At the benchmarks' sizes, which are large enough to be cut into tasks.
inline void check_threads_of_benchmarks(Shard shard) {
  int number = 0;
  for_each_sample([&](const Entry&) { return shard.has(number++); },
                  [](const Sample& sample) {
                    for (const Benchmark& one : sample.benchmarks)
                      check_threads(one.call, one.make_inputs(), {}, title(sample, one.label));
                  });
}

/// f32 against the plain loops of f64, at the same sizes.
inline void check_large(Shard shard) {
  set_num_threads(2);
  int number = 0;
  for_each_sample([&](const Entry&) { return shard.has(number++); },
                  [](const Sample& sample) {
                    for (const Benchmark& one : sample.benchmarks) {
                      const std::vector<Tensor> inputs = one.make_inputs();
                      for (const Tensor& input : inputs)
                        CHECK_MESSAGE(input.dtype() != DType::f64, title(sample, one.label),
                                      " expects f32 inputs");
                      const Outcome exact = run(one.call, cast_inputs(inputs, DType::f64));
                      check_close(run(one.call, cast_inputs(inputs, DType::f32)), exact, 1e-3, 1e-3,
                                  title(sample, one.label));
                    }
                  });
}

}  // namespace weft::samples
