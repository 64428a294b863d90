// Every sample's values and gradients in f32 on every instruction set that this machine has: at the
// sizes of its cases, and at those of its benchmarks, which are cut into tiles and tasks.
#include "core/precision.h"
#include "core/simd.h"
#include "tests/bits/recorded.h"
#include "tests/bits/simd_sets.h"
#include "tests/samples/harness.h"

using namespace weft;
using namespace weft::samples;

namespace {

void check_bits(const GradFunction& call, const std::vector<Tensor>& inputs,
                const std::vector<int>& without_grad, const std::string& name) {
  const samples::Outcome outcome = samples::run(call, inputs, without_grad);
  bits::Hash hash;
  hash.add(outcome.value);
  for (const std::vector<double>& gradient : outcome.gradients) hash.add(gradient);
  bits::check(name, hash.str());
}

}  // namespace

TEST_CASE("benchmarks of samples have the committed bits") {
  bits::on_every_set(bits::Portable::no, [] {
    for_each_sample([](const Entry&) { return true; },
                    [](const Sample& sample) {
                      for (const Benchmark& one : sample.benchmarks)
                        check_bits(one.call, one.make_inputs(), {},
                                   title(sample, "large: " + one.label));
                    });
  });
}

TEST_CASE("cases of samples have the committed bits") {
  bits::on_every_set(bits::Portable::yes, [] {
    for_each_case([](const Sample& sample, const Case& one) {
      check_bits(one.call, cast_inputs(one.inputs, DType::f32), one.without_grad,
                 title(sample, one.label));
    });
  });
}

TEST_CASE("samples in bf16 have the committed bits, with the instruction and without") {
  for (const Bf16Means means : {Bf16Means::instruction, Bf16Means::multiply_adds}) {
    const ScopedBf16 only(means);
    bits::on_every_set(
        means == Bf16Means::instruction ? bits::Portable::yes : bits::Portable::no, [] {
          const ScopedPrecision bf16(Precision::bf16);
          for_each_sample([](const Entry&) { return true; },
                          [](const Sample& sample) {
                            bits::Hash hash;
                            for (const Case& one : sample.cases) {
                              const samples::Outcome outcome = samples::run(
                                  one.call, cast_inputs(one.inputs, DType::f32), one.without_grad);
                              hash.add(outcome.value);
                              for (const std::vector<double>& gradient : outcome.gradients)
                                hash.add(gradient);
                            }
                            bits::check(sample.name + ", bf16", hash.str());
                          });
        });
  }
}
