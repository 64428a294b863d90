// A training step of each model that is benched has the committed bits: the sizes that kernels are
// made for, cut into tiles, parts and tasks.
#include "core/precision.h"
#include "tests/bits/recorded.h"
#include "tests/bits/simd_sets.h"
#include "train/bench/workload.h"

using namespace weft;

namespace {

void check_step(const bench::Plan& plan, const std::string& name) {
  bits::on_every_set(bits::Portable::no, [&] {
    bench::Workload workload(plan);
    bits::Hash hash;
    hash.add(workload.step());
    for (const auto& [parameter, tensor] : workload.model().named_parameters()) hash.add(tensor);
    bits::check("step: " + name, hash.str());
  });
}

/// The same with the instruction for bfloat16, where there is one, and with what stands for it.
void check_step_in_bf16(bench::Plan plan, const std::string& name) {
  plan.precision = "bf16";
  for (const Bf16Means means : {Bf16Means::instruction, Bf16Means::multiply_adds}) {
    const ScopedBf16 only(means);
    const ScopedPrecision bf16(Precision::bf16);
    CAPTURE(bf16_in_use());
    check_step(plan, name + ", bf16");
  }
}

}  // namespace

TEST_CASE("a step of every model that is benched has the committed bits") {
  for (const bench::BenchModel& model : bench::bench_models()) {
#ifdef WEFT_EMULATED  // they take a hundred times as long
    if (model.name != "gpt" && model.name != "vit") continue;
#endif
    check_step(bench::Plan(model.name), model.name);
  }
}

TEST_CASE("a step of the largest model has the committed bits") {
  bench::Plan plan("gpt");
  plan.sizes = {{"layers", 6},    {"heads", 6}, {"width", 384},
                {"context", 256}, {"batch", 8}, {"vocab", plan["vocab"]}};
  check_step(plan, "gpt 6x384");
}

TEST_CASE("a step in bf16 has the committed bits, with the instruction and without") {
  for (const char* model : {"gpt", "vit", "resnet"}) check_step_in_bf16(bench::Plan(model), model);
}
